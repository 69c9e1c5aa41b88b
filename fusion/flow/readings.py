"""Second readings of a case: which of them heads.icc asks for, and whether the cohort has enough."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from fusion.config.run import Run
from fusion.data.case import Files
from fusion.errors import Fault

ROLES = {"inter": "second_reader", "intra": "repeat"}
"""The mask that is compared with the first reader's, by kind of agreement."""
LEAST = 5
"""Cases read twice from which an ICC is estimated at least; its interval says how little five are."""


def asked(run: Run) -> list[str]:
    """Kinds of agreement that the run asks for."""
    choice = run.heads.icc
    return [] if choice is None else [kind for kind in ROLES if choice.readers in (kind, "both")]


def outlined(files: Files, role: str) -> Files | None:
    """The case as the mask ``role`` outlines its tumour, with the automatic ring round that; None without the mask.

    >>> from pathlib import Path
    >>> first = Files("a", Path("a.nii"), Path("t.nii"), second_reader=Path("r.nii"))
    >>> outlined(first, "second_reader").tumour, outlined(first, "repeat")
    (PosixPath('r.nii'), None)
    """
    mask = getattr(files, role)
    return None if mask is None else replace(files, tumour=mask, external2=None, second_reader=None, repeat=None)


def read_again(files: Files, run: Run) -> list[Files]:
    """The other readings of a case that the run will measure."""
    return [own for kind in asked(run) if (own := outlined(files, ROLES[kind])) is not None]


def counted(cases: pd.DataFrame, files: Sequence[Files], run: Run, kind: str) -> list[Files]:
    """Cases with the second mask that ``kind`` needs, of the sets that `heads.icc.cases` lets count."""
    choice = run.heads.icc
    sets = dict(zip(cases["case"], cases["set"], strict=True))
    everyone = choice is not None and choice.cases == "all"
    return [own for own in files if getattr(own, ROLES[kind]) and (everyone or sets[own.case] == "train")]


def unmet(cases: pd.DataFrame, files: Sequence[Files], run: Run) -> list[Fault]:
    """A fault for every kind of agreement with too few cases read twice.

    Args:
        cases: columns case and set.
        files: of the same cases.
        run: its ``heads.icc`` says what is asked.
    """
    return [_fault(run, kind, count) for kind in asked(run) if (count := len(counted(cases, files, run, kind))) < LEAST]


def _fault(run: Run, kind: str, count: int) -> Fault:
    choice, column = run.heads.icc, getattr(run.cohort, ROLES[kind])
    assert choice is not None
    where = "" if choice.cases == "all" else " in the training set"
    found = f"{count or 'no'} case{'' if count == 1 else 's'}{where} with a mask in column {column!r}"
    expected = f"{LEAST} or more, as heads.icc asks for {kind} agreement"
    return Fault(
        found, expected, "add masks, change heads.icc.readers or set heads.icc=null", file=str(run.cohort.table)
    )
