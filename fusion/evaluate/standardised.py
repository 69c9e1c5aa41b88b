"""By how much groups of cases differ, whatever their size: standardised mean differences."""

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

IMBALANCE = 0.1
"""A larger standardised difference is commonly called an imbalance (Austin 2009, doi:10.1002/sim.3697)."""


def of_numbers(first: Float[ndarray, " one"], second: Float[ndarray, " two"]) -> float:
    """Absolute difference of the means over the root of the mean variance: Austin 2009, doi:10.1002/sim.3697.

    >>> of_numbers(np.array([1.0, 3.0]), np.array([2.0, 4.0])).__round__(4)
    0.7071
    """
    if min(len(first), len(second)) < 2:
        return float("nan")
    gap = abs(float(first.mean() - second.mean()))
    spread = float(np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2))
    return _over(gap, spread)


def of_counts(counts: Int[ndarray, "2 level"]) -> float:
    """The same for shares of levels, as a Mahalanobis distance: Yang & Dalton 2012 (SAS Global Forum 335).

    With two levels it is Austin's |p - q| / sqrt((p(1 - p) + q(1 - q)) / 2).

    >>> round(of_counts(np.array([[30, 70], [50, 50]])), 3)
    0.417
    """
    if (counts.sum(axis=1) == 0).any():
        return float("nan")
    shares = (counts / counts.sum(axis=1, keepdims=True))[:, counts.sum(axis=0) > 0][:, 1:]
    gap = shares[0] - shares[1]
    covariance = sum(np.diag(own) - np.outer(own, own) for own in shares) / 2
    solved = np.linalg.lstsq(covariance, gap, rcond=1e-12)[0] if len(gap) else gap
    if not np.allclose(covariance @ solved, gap, atol=1e-9):
        return float("inf")  # a level that parts the groups completely
    return float(np.sqrt(max(float(gap @ solved), 0.0)))


def _over(gap: float, spread: float) -> float:
    if spread > 0:
        return gap / spread
    return 0.0 if gap == 0 else float("inf")
