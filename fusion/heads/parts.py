"""What a head is fitted on and what it scores, for every fold and for the whole training set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from fusion.heads.coefficients import coefficients

FINAL = -1
"""Stands for the fold of a head that was fitted on the whole training set."""


@dataclass(frozen=True)
class Fitted:
    """A long score or prediction table, what each head kept, the networks' calibration, the final heads' LASSO."""

    rows: pd.DataFrame
    selection: pd.DataFrame
    calibration: pd.DataFrame = field(default_factory=pd.DataFrame)
    errors: pd.DataFrame = field(default_factory=pd.DataFrame)
    path: pd.DataFrame = field(default_factory=pd.DataFrame)


def folds(cohort: pd.DataFrame) -> list[int]:
    """The folds in order, then ``FINAL``."""
    return [*sorted(set(cohort["fold"]) - {FINAL}), FINAL]


def parts(cohort: pd.DataFrame, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Cases to fit on and cases to score: the other folds and this one, or the training set and all others."""
    train = (cohort["set"] == "train").to_numpy()
    apart = (cohort["fold"] == fold).to_numpy() if fold != FINAL else ~train
    return train & ~apart, apart


def word(fold: int) -> str:
    """The fold as selection.csv names it."""
    return "final" if fold == FINAL else str(fold)


def kept(head: Any, model: str, fold: int, names: list[str]) -> pd.DataFrame:
    """The fitted head's rows of selection.csv."""
    table = coefficients(head, names)
    table.insert(0, "fold", word(fold))
    table.insert(0, "model", model)
    return table


def in_order(fitted: Mapping[tuple[str, int], Fitted], items: list[tuple[str, int]]) -> Fitted:
    """Everything fitted as one, in the order of ``items``."""
    rows = pd.concat([fitted[item].rows for item in items if len(fitted[item].rows)], ignore_index=True)
    others = (
        pd.concat([getattr(fitted[item], name) for item in items], ignore_index=True)
        for name in ("selection", "calibration", "errors", "path")
    )
    return Fitted(rows, *others)
