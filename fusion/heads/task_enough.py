"""Whether every part of a task that a head is fitted on has enough cases of each class."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from fusion.config.heads import Heads
from fusion.errors import Fault
from fusion.heads.parts import FINAL, folds, parts

FITTED, LASSO, JUDGED = "to fit a head on", "one a LASSO fold (heads.lasso_folds)", "to be judged"


def too_few(
    rows: pd.DataFrame, task: str, classes: tuple[str, ...], heads: Heads, source: str, needs: int | None = None
) -> list[Fault]:  # fmt: skip
    """A fault a class, of the part that lacks most of it; the others would be mended with it.

    Args:
        rows: the task's cases: set, fold, label (number of the class).
        task: its name, for the fault.
        classes: names in the order of ``label``.
        heads: how many cases of a class a training part needs (``heads.fewest``).
        source: the cohort's table, for the fault.
        needs: what is needed in place of ``heads.fewest``, where no radiomics are selected: 1 for a regression, 2 for
            a network.
    """
    reason = LASSO if needs is None and heads.folded else FITTED
    least = heads.fewest if needs is None else needs
    worst = {name: max(_parts(rows, number, least, reason)) for number, name in enumerate(classes)}
    return [_fault(task, name, part, source) for name, part in worst.items() if part.missing > 0]


class _Part(NamedTuple):
    missing: int
    place: str
    cases: int
    wanted: int
    reason: str


def _parts(rows: pd.DataFrame, number: int, least: int, reason: str) -> Iterator[_Part]:
    """What every set and every training part has of class ``number``."""
    for set_, own in rows.groupby("set"):
        yield _part(f"set {set_}", own["label"], number, 1, JUDGED)
    for fold in folds(rows):
        place = "the training set" if fold == FINAL else f"the training part of fold {fold}"
        yield _part(place, rows["label"][parts(rows, fold)[0]], number, least, reason)


def _part(place: str, labels: "pd.Series[int]", number: int, wanted: int, reason: str) -> _Part:
    cases = int((labels == number).sum())
    return _Part(wanted - cases, place, cases, wanted, reason)


def _fault(task: str, name: str, part: _Part, source: str) -> Fault:
    found = f"{part.cases or 'no'} {name} case{'' if part.cases == 1 else 's'} of task {task} in {part.place}"
    lower = "lower heads.lasso_folds, or " if part.reason == LASSO and part.cases > 1 else ""
    remedy = f"{lower}add cases, or leave the class or the task out"
    return Fault(found, f"{part.wanted} or more, {part.reason}", remedy, file=source)
