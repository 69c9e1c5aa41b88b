"""What a head is fitted on and what it scores, for every fold and for the whole training set."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from fusion.heads.coefficients import coefficients

Key = TypeVar("Key", bound=Hashable)
FINAL = -1
"""Stands for the fold of a head that was fitted on the whole training set."""


@dataclass(frozen=True)
class Fitted:
    """A long score or prediction table, what each head kept, the networks' calibration, the final heads' LASSO.

    ``inner`` has scores by heads that saw neither the case's fold nor fold ``without``.
    """

    rows: pd.DataFrame
    selection: pd.DataFrame
    inner: pd.DataFrame = field(default_factory=pd.DataFrame)
    calibration: pd.DataFrame = field(default_factory=pd.DataFrame)
    errors: pd.DataFrame = field(default_factory=pd.DataFrame)
    path: pd.DataFrame = field(default_factory=pd.DataFrame)


def folds(cohort: pd.DataFrame) -> list[int]:
    """The folds in order, then ``FINAL``."""
    return [*sorted(set(cohort["fold"]) - {FINAL}), FINAL]


def parts(cohort: pd.DataFrame, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Cases to fit on and cases to score: the other folds and this one, or the training set and all others."""
    if fold != FINAL:
        return without(cohort, (fold,))
    train = (cohort["set"] == "train").to_numpy()
    return train, ~train


def without(cohort: pd.DataFrame, left_out: Collection[int]) -> tuple[np.ndarray, np.ndarray]:
    """Cases to fit on and cases to score: the training set without the folds ``left_out``, and those folds."""
    apart = cohort["fold"].isin(left_out).to_numpy()
    return (cohort["set"] == "train").to_numpy() & ~apart, apart


def pairs(cohort: pd.DataFrame, needs: int) -> list[tuple[int, int]]:
    """Every two folds, if the training set without any two has ``needs`` cases of each class; otherwise none at all.

    A head on scores that judges fold k may read, of fold j, no score by a head that learned from k: what a head has
    seen of k is in its scores, so that on pure noise k would be judged above chance.
    """
    found = list(combinations((fold for fold in folds(cohort) if fold != FINAL), 2))
    events = cohort["event"].to_numpy()
    fewest = min(int(np.bincount(events[without(cohort, pair)[0]], minlength=2).min()) for pair in found)
    return found if fewest >= max(needs, 1) else []


def word(fold: int) -> str:
    """The fold as selection.csv names it."""
    return "final" if fold == FINAL else str(fold)


def kept(head: Any, model: str, fold: int, names: list[str]) -> pd.DataFrame:
    """The fitted head's rows of selection.csv."""
    table = coefficients(head, names)
    table.insert(0, "fold", word(fold))
    table.insert(0, "model", model)
    return table


def in_order(fitted: Mapping[Key, Fitted], items: Sequence[Key]) -> Fitted:
    """Everything fitted as one, in the order of ``items``."""
    rows = pd.concat([fitted[item].rows for item in items if len(fitted[item].rows)], ignore_index=True)
    others = (
        pd.concat([getattr(fitted[item], name) for item in items], ignore_index=True)
        for name in ("selection", "inner", "calibration", "errors", "path")
    )
    return Fitted(rows, *others)
