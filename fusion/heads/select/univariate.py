"""Each feature by itself: analysis of variance or rank sums."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.stats import rankdata

from fusion.heads.select.ranked import Ranked
from fusion.heads.select.support import Table
from fusion.types import Events


class UnivariateTop(Ranked):
    """Keeps the ``top`` columns that separate the two classes best, one by one.

    Args:
        top: features kept at most.
        by: `anova`, the F statistic of one-way analysis of variance (for two classes the square of Student's t);
            `mann_whitney`, the absolute z of the rank sum, corrected for ties (Mann & Whitney 1947,
            doi:10.1214/aoms/1177730491).
        events_per_variable: as in ``Ranked``.
    """

    def __init__(
        self, top: int | None = 20, by: Literal["anova", "mann_whitney"] = "anova",
        events_per_variable: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(top, events_per_variable)
        self.by = by

    def _scores(self, X: Table, y: Events) -> Float[np.ndarray, " feature"]:
        return f_statistic(X, y) if self.by == "anova" else rank_sum(X, y)


def f_statistic(X: Table, y: Events) -> Float[np.ndarray, " feature"]:
    """F of one-way analysis of variance of every column between the two classes; 0 for a constant column.

    Two classes: F = (n - 2) r^2 / (1 - r^2) with Pearson's r of column and outcome.
    """
    squared = np.minimum(outcome_correlation(X, y) ** 2, 1)
    with np.errstate(divide="ignore"):  # a column that is the outcome itself has no variance within
        return (len(y) - 2) * squared / (1 - squared)


def outcome_correlation(X: Table, y: Events) -> Float[np.ndarray, " feature"]:
    """Pearson's r of every column and the outcome; 0 for a constant column."""
    centred, outcome = X - X.mean(axis=0), y - y.mean()
    norms = np.linalg.norm(centred, axis=0)
    varies = norms > 1e-10 * np.abs(X).max(axis=0)
    return np.where(varies, outcome @ centred / np.where(varies, norms, 1) / np.linalg.norm(outcome), 0.0)


def rank_sum(X: Table, y: Events) -> Float[np.ndarray, " feature"]:
    """Absolute z of the rank sum of the positive class in every column.

    With midranks its square is (n - 1) r^2, r being Pearson's correlation of ranks and outcome, ties included.
    """
    return np.sqrt(len(y) - 1) * np.abs(outcome_correlation(rankdata(X, axis=0), y))
