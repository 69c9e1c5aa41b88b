"""Whether two cells say something of the same cases of the same patients, and may be compared case by case."""

import numpy as np
import pandas as pd

from fusion.evaluate.sweep.cell import Cell

CHOSEN = {"case", "set", "fold"}
"""Columns of cohort.csv that a run may choose for itself."""


def apart(one: Cell, two: Cell, model: str, set_: str, folds: bool = True) -> str:
    """Why a model's predictions of a set are not those of the same cases in both cells; empty where they are.

    Args:
        one: a cell that has the model there.
        two: another that has it.
        model: the model.
        set_: the set.
        folds: the folds must be the same too, as they decide what a prediction was learned from.
    """
    mine, its = one.scores(model, set_), two.scores(model, set_)
    if set(mine) != set(its):
        return "other rounds"
    if not same_patients(one, two):
        return "other patients"
    pairs = [(mine[name], its[name]) for name in mine]
    if not all(np.array_equal(a.case, b.case) for a, b in pairs):
        return "other cases"
    if not all(np.array_equal(a.label, b.label) and a.probability.shape == b.probability.shape for a, b in pairs):
        return "other outcomes"
    if folds and not all(np.array_equal(a.fold, b.fold) for a, b in pairs):
        return "other folds"
    return ""


def same_patients(one: Cell, two: Cell) -> bool:
    """Whether names that both have stand for the same cases: the same data, or all that both cohorts tell is equal.

    Synthetic cohorts and numbered tables share names without sharing patients.
    """
    if one is two or (one.data_sha256 and one.data_sha256 == two.data_sha256):
        return True
    mine, its = _told(one), _told(two)
    names = mine.index.intersection(its.index)
    shared = [name for name in mine if name in its and name not in CHOSEN]
    return bool(mine.loc[names, shared].astype(str).equals(its.loc[names, shared].astype(str)))


def _told(own: Cell) -> pd.DataFrame:
    return own.cohort.drop_duplicates("case").set_index("case")
