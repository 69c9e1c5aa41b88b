"""Second readings of a case: which of them heads.icc asks for, and whether the cohort has enough."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from fusion.config.run import Run
from fusion.data.case import Files
from fusion.errors import Fault

ROLES = {"inter": "second_reader", "intra": "repeat"}
"""The mask that is compared with the first reader's, by kind of agreement."""
PERTURBED = "perturbed"
"""The kind of agreement whose masks the run draws itself."""
LEAST = 5
"""Cases read twice from which an ICC is estimated at least; its interval says how little five are."""


def asked(run: Run) -> list[str]:
    """Kinds of agreement that the run asks for."""
    choice = run.heads.icc
    if choice is None:
        return []
    made = [PERTURBED] if choice.perturb is not None else []
    return [kind for kind in ROLES if choice.readers in (kind, "both")] + made


def outlined(files: Files, role: str) -> Files | None:
    """The case as the mask ``role`` outlines its tumour, with the automatic ring round that; None without the mask.

    >>> from pathlib import Path
    >>> first = Files("a", Path("a.nii"), Path("t.nii"), second_reader=Path("r.nii"))
    >>> outlined(first, "second_reader").tumour, outlined(first, "repeat")
    (PosixPath('r.nii'), None)
    """
    mask = getattr(files, role)
    return None if mask is None else redrawn(files, mask)


def redrawn(files: Files, tumour: Path) -> Files:
    """The case as the mask ``tumour`` outlines it, with the automatic ring round that."""
    return replace(files, tumour=tumour, external2=None, second_reader=None, repeat=None)


def read_again(files: Files, run: Run) -> list[Files]:
    """The readings of a case that the cohort holds beside the first and the run will measure."""
    kinds = [kind for kind in asked(run) if kind in ROLES]
    return [own for kind in kinds if (own := outlined(files, ROLES[kind])) is not None]


def counted(cases: pd.DataFrame, files: Sequence[Files], run: Run, kind: str) -> list[Files]:
    """Cases that ``kind`` compares, of the sets that `heads.icc.cases` lets count: those with the second mask that it
    needs; or as many as `heads.icc.perturb.cases` says, drawn by seed and name, without a look at anything else.
    """
    choice = run.heads.icc
    sets = dict(zip(cases["case"], cases["set"], strict=True))
    everyone = choice is not None and choice.cases == "all"
    there = [own for own in files if everyone or sets[own.case] == "train"]
    return _drawn(there, run) if kind == PERTURBED else [own for own in there if getattr(own, ROLES[kind])]


def unmet(cases: pd.DataFrame, files: Sequence[Files], run: Run) -> list[Fault]:
    """A fault for every kind of agreement with too few cases.

    Args:
        cases: columns case and set.
        files: of the same cases.
        run: its ``heads.icc`` says what is asked.
    """
    counts = {kind: len(counted(cases, files, run, kind)) for kind in asked(run)}
    return [_fault(run, kind, count) for kind, count in counts.items() if count < _least(run, kind)]


def _drawn(files: Sequence[Files], run: Run) -> list[Files]:
    """The first so many by a number that seed and name give each case, so that a lost case moves no other."""
    assert run.heads.icc is not None
    assert run.heads.icc.perturb is not None
    lots = {own.case: hashlib.sha256(f"{run.seed}/drawn/{own.case}".encode()).digest() for own in files}
    first = set(sorted(lots, key=lambda case: lots[case])[: run.heads.icc.perturb.cases])
    return [own for own in files if own.case in first]


def _least(run: Run, kind: str) -> int:
    choice = run.heads.icc
    return choice.perturb.cases if choice and choice.perturb and kind == PERTURBED else LEAST


def _fault(run: Run, kind: str, count: int) -> Fault:
    choice, table = run.heads.icc, str(run.cohort.table)
    assert choice is not None
    where = "" if choice.cases == "all" else " in the training set"
    found = f"{count or 'no'} case{'' if count == 1 else 's'}{where}"
    if kind == PERTURBED:
        expected = f"{_least(run, kind)} whose masks to perturb, as heads.icc.perturb asks"
        return Fault(
            found, expected, f"lower heads.icc.perturb.cases ({LEAST} at least) or set heads.icc=null", file=table
        )
    found = f"{found} with a mask in column {getattr(run.cohort, ROLES[kind])!r}"
    expected = f"{LEAST} or more, as heads.icc asks for {kind} agreement"
    remedy = "add masks, change heads.icc.readers (none with heads.icc.perturb) or set heads.icc=null"
    return Fault(found, expected, remedy, file=table)
