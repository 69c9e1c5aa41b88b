"""Whether every part of a cohort that something is fitted on or judged by has enough cases of both classes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.config.run import Run
from fusion.errors import Fault
from fusion.heads.nested import HEAD, NETWORK, THIRDS, inner_folds
from fusion.heads.parts import FINAL, folds, parts

LASSO, NESTED, JUDGED = "one a LASSO fold (heads.lasso_folds)", "for the thirds of nested_vector", "to be judged"
FITTED = "to fit a head on"

NETWORK_NEEDS = 2
"""Cases of a class that a network is trained on, at least."""


@dataclass(frozen=True)
class _Part:
    name: str
    of: pd.DataFrame
    needs: int
    reason: str


def too_few(cases: pd.DataFrame, run: Run) -> list[Fault]:
    """The part that lacks most, as one fault, or none: the others would be mended with it.

    Args:
        cases: columns case, patient, set, fold, event.
        run: its heads say how many cases of a class a part needs.
    """
    faults = [
        (missing, fault) for part in _parts(cases, run) if (missing := _missing(part)) for fault in [_fault(part, run)]
    ]
    return [max(faults, key=lambda found: found[0])[1]] if faults else []


def _parts(cases: pd.DataFrame, run: Run) -> Iterator[_Part]:
    lasso = run.heads.fewest
    nested = run.network is not None and run.heads.stacking == "nested_vector"
    for set_, own in cases.groupby("set"):
        yield _Part(f"set {set_}", own, 1, JUDGED)
    for fold in folds(cases):
        own = cases[parts(cases, fold)[0]]
        yield _Part(_place(fold), own, lasso, _reason(run))
        if nested:
            yield from _thirds(cases, own, fold, run)


def _thirds(cases: pd.DataFrame, own: pd.DataFrame, fold: int, run: Run) -> Iterator[_Part]:
    """What a network of `nested_vector` learns from, and what the head does."""
    patients = own.groupby("patient")["event"].max()
    if np.bincount(patients, minlength=2).min() < THIRDS:
        yield _Part(f"{_place(fold)}, by patient", patients.to_frame(), THIRDS, NESTED)
        return
    inner = inner_folds(cases, fold, run.seed)
    yield _Part(f"the head's third of {_place(fold)}", cases[inner == HEAD], run.heads.fewest, _reason(run))
    yield _Part(f"the network's two thirds of {_place(fold)}", cases[inner == NETWORK], NETWORK_NEEDS, NESTED)


def _reason(run: Run) -> str:
    return LASSO if run.heads.folded else FITTED


def _place(fold: int) -> str:
    return "the training set" if fold == FINAL else f"the training part of fold {fold}"


def _counts(part: _Part) -> np.ndarray:
    return np.bincount(part.of["event"], minlength=2)


def _missing(part: _Part) -> int:
    return max(0, part.needs - int(_counts(part).min()))


def _fault(part: _Part, run: Run) -> Fault:
    counts = _counts(part)
    rare = int(counts.argmin())
    name, count = (run.cohort.negative_name, run.cohort.positive_name)[rare], int(counts[rare])
    found = f"{count or 'no'} {name} case{'' if count == 1 else 's'} in {part.name}"
    lower = "lower heads.lasso_folds, or " if part.reason == LASSO and count > 1 else ""
    return Fault(found, f"{part.needs} or more, {part.reason}", f"{lower}add cases", file=str(run.cohort.table))
