"""Validation images against lesions in existence: more images than lesions are copies."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from statsmodels.stats.proportion import proportion_confint

from fusion.errors import Fault
from fusion.evaluate.audit import sheet
from fusion.evaluate.audit.sheet import AuditError

COLUMNS = ("task", "class", "images", "lesions", "share")


@dataclass(frozen=True)
class Evaluated:
    """Images of one class that a task was evaluated on, and all lesions of that class in the study.

    ``share`` is the part of the data that was held out, 0.2 for one in five; None where it is not told.
    """

    task: str
    name: str
    images: int
    lesions: int
    share: float | None = None


@dataclass(frozen=True)
class Copies:
    """What the counts say.

    Attributes:
        own: the class.
        certain: whether there are more images than lesions, so that some are copies.
        factor: images made of each lesion, if all were made before the split; None without a share.
        held_out: lesions behind the row if whole lesions were held out, rounded; None without a share.
        low: lower end of the exact 95 % interval of "all right" over that many lesions.
    """

    own: Evaluated
    certain: bool
    factor: float | None
    held_out: int | None
    low: float | None


def read(path: Path) -> list[Evaluated]:
    """The classes in a CSV with columns task, class, images, lesions and, if known, share.

    Raises:
        AuditError: every fault found.
    """
    own = sheet.read(path)
    faults = sheet.of_columns(own, COLUMNS, COLUMNS[:4])
    rows = []
    for line in own.lines:
        wrong = [name for name in ("images", "lesions") if not line[name].isdigit() or int(line[name]) < 1]
        faults += [Fault(f"{name} = {line[name]!r} in {line.place}", "a whole number above 0", "mend it", file=own.file)
                   for name in wrong]  # fmt: skip
        share = _share(line["share"])
        if line["share"] and share is None:
            found = f"share = {line['share']!r} in {line.place}"
            faults.append(Fault(found, "a number between 0 and 1", "mend it", file=own.file))
        if not wrong:
            rows.append(Evaluated(line["task"], line["class"], int(line["images"]), int(line["lesions"]), share))
    if faults:
        raise AuditError(faults)
    return rows


def check(rows: Sequence[Evaluated]) -> list[Copies]:
    """Whether each class holds copies, and what stands behind it.

    >>> check([Evaluated("benign-malignant", "malignant", 50, 19, 0.2)])[0].certain
    True
    """
    return [_copies(row) for row in rows]


def all_right(n: int) -> float:
    """Lower end of the exact 95 % interval of a proportion of ``n`` in ``n``: Clopper & Pearson 1934.

    >>> round(all_right(4), 2)
    0.4
    """
    return float(proportion_confint(n, n, method="beta")[0])


def _copies(row: Evaluated) -> Copies:
    if row.share is None:
        return Copies(row, row.images > row.lesions, None, None, None)
    held_out = max(round(row.share * row.lesions), 1)
    factor = row.images / row.share / row.lesions
    return Copies(row, row.images > row.lesions, factor, held_out, all_right(held_out))


def _share(word: str) -> float | None:
    try:
        share = float(word)
    except ValueError:
        return None
    return share if 0 < share < 1 else None
