"""Cases that fail: told together once all others are done, and left out where the run may lose them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fusion.errors import CohortError, Fault
from fusion.store import write_csv

FILE = "lost.csv"
"""In the run folder: case, set, stage, reason, data_sha256; a case in it stays lost, so that numbers stay the same."""
COLUMNS = ("case", "set", "stage", "reason", "data_sha256")


@dataclass(frozen=True)
class Lost:
    """A case that could not be read, outlined or measured."""

    case: str
    stage: str
    faults: tuple[Fault, ...]
    data_sha256: str = ""
    """Of its files as they were when it failed; empty where they could not be read."""
    before: bool = False
    """Whether an earlier start lost it."""


def read(folder: Path) -> tuple[Lost, ...]:
    """What earlier starts lost."""
    if not (folder / FILE).is_file():
        return ()
    table = pd.read_csv(folder / FILE, dtype=str, keep_default_na=False)
    remedy = "mend it and use another output, as this folder's numbers are without it"
    return tuple(
        Lost(row["case"], row["stage"], (Fault(row["reason"], "a case that can be used", remedy, row["case"]),),
             row["data_sha256"], before=True)
        for _, row in table.iterrows()
    )  # fmt: skip


def write(folder: Path, lost: Sequence[Lost], sets: Mapping[str, str]) -> None:
    """lost.csv; reasons name no file, as the report shows them.

    Args:
        folder: the run's.
        lost: every case lost so far.
        sets: of each case.
    """
    rows = [(own.case, sets.get(own.case, ""), own.stage, _reason(own), own.data_sha256) for own in lost]
    write_csv(folder / FILE, pd.DataFrame(rows, columns=list(COLUMNS)))


def too_many(lost: Sequence[Lost], may_lose: int) -> CohortError:
    """Every fault of the lost cases, and how many a run may lose."""
    count = len({own.case for own in lost})
    found = f"{count} case{'' if count == 1 else 's'} that cannot be used"
    expected = f"{may_lose or 'none'}{' at most' if may_lose else ''}, by may_lose"
    remedy = f"mend what is said above and start again, as what is done stays done; or go on without: may_lose={count}"
    return CohortError([*(fault for own in lost for fault in own.faults), Fault(found, expected, remedy)])


def _reason(own: Lost) -> str:
    if own.before:
        return own.faults[0].found
    told = (f"{fault.found} (expected {fault.expected})".replace(fault.file or "\0", "it") for fault in own.faults)
    return "; ".join(told)
