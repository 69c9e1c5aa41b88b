"""How well readings of the same cases agree on each feature: the intraclass correlation, for all features at once."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.stats import f

FILE = "features/icc.csv"
"""Where a run keeps its agreement: region, feature, readings (inter, intra or perturbed), cases, icc, low, high (of the
kind that decides), passed, masks (readings a case), and icc, low and high of every kind, as in icc_2_1."""
Kind = Literal["1,1", "2,1", "3,1"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PerFeature = Float[ndarray, " feature"]
ROUNDING = 1e-10
"""A feature whose spread is below this share of its largest magnitude does not vary."""


@dataclass(frozen=True)
class Agreement:
    """One value a feature; nan for a feature that does not vary, on which nobody can agree or disagree."""

    estimate: PerFeature
    low: PerFeature
    high: PerFeature


@dataclass(frozen=True)
class _Squares:
    """Mean squares of a two-way table: between cases, between readers, residual, and within cases."""

    cases: PerFeature
    readers: PerFeature
    residual: PerFeature
    within: PerFeature
    n: int
    k: int


def icc(readings: Float[ndarray, "case reader feature"], kind: Kind = "2,1", confidence: float = 0.95) -> Agreement:
    """ICC(1,1), ICC(2,1) or ICC(3,1) of every feature, with F-based interval.

    Shrout & Fleiss 1979, doi:10.1037/0033-2909.86.2.420; intervals as in McGraw & Wong 1996,
    doi:10.1037/1082-989X.1.1.30. Readings that are equal in every case give 1 with the interval (1, 1), unless the
    feature does not vary at all: nan.

    Args:
        readings: at least two cases by two readers.
        kind: ``2,1`` absolute agreement, readers drawn from many; ``3,1`` consistency of these very readers; ``1,1``
            readers that are not told apart.
        confidence: of the interval, in (0, 1).

    >>> readings = np.array([[[1.0], [1.1]], [[2.0], [2.2]], [[3.0], [2.9]]])
    >>> icc(readings, "3,1").estimate.round(3)
    array([0.987])
    """
    squares = _mean_squares(readings)
    ways = {"1,1": _one_way, "2,1": _two_way_random, "3,1": _two_way_mixed}
    with np.errstate(divide="ignore", invalid="ignore"):  # constant and perfect columns are settled below
        found = ways[kind](squares, (1 - confidence) / 2)
    flat = readings.std(axis=(0, 1)) <= ROUNDING * np.abs(readings).max(axis=(0, 1))
    perfect = np.ptp(readings, axis=1).max(axis=0) == 0
    return Agreement(*(np.where(flat, np.nan, np.where(perfect, 1.0, value)) for value in found))


def _mean_squares(readings: Float[ndarray, "case reader feature"]) -> _Squares:
    n, k, _ = readings.shape
    mean = readings.mean(axis=(0, 1))
    by_case, by_reader = readings.mean(axis=1) - mean, readings.mean(axis=0) - mean
    within = readings - mean - by_case[:, None]
    return _Squares(
        cases=k * (by_case**2).sum(axis=0) / (n - 1),
        readers=n * (by_reader**2).sum(axis=0) / (k - 1),
        residual=((within - by_reader) ** 2).sum(axis=(0, 1)) / ((n - 1) * (k - 1)),
        within=(within**2).sum(axis=(0, 1)) / (n * (k - 1)),
        n=n,
        k=k,
    )


def _one_way(own: _Squares, tail: float) -> tuple[PerFeature, PerFeature, PerFeature]:
    return _ratio(own, own.within, own.n * (own.k - 1), tail)


def _two_way_mixed(own: _Squares, tail: float) -> tuple[PerFeature, PerFeature, PerFeature]:
    return _ratio(own, own.residual, (own.n - 1) * (own.k - 1), tail)


def _ratio(own: _Squares, error: PerFeature, freedom: int, tail: float) -> tuple[PerFeature, PerFeature, PerFeature]:
    """(F - 1) / (F + k - 1) at F = cases / error and at its two ends."""
    ratio, more = own.cases / error, own.k - 1
    low, high = ratio / f.isf(tail, own.n - 1, freedom), ratio * f.isf(tail, freedom, own.n - 1)
    estimate = (own.cases - error) / (own.cases + more * error)
    return estimate, (low - 1) / (low + more), (high - 1) / (high + more)


def _two_way_random(own: _Squares, tail: float) -> tuple[PerFeature, PerFeature, PerFeature]:
    n, k, cases, readers, residual = own.n, own.k, own.cases, own.readers, own.residual
    estimate = (cases - residual) / (cases + (k - 1) * residual + k * (readers - residual) / n)
    a, b = k * estimate * readers, (n * (1 - estimate) + k * estimate * (n - 1)) * residual
    freedom = (a + b) ** 2 / (a**2 / (k - 1) + b**2 / ((n - 1) * (k - 1)))  # Satterthwaite's
    noise = k * readers + (k * n - k - n) * residual
    below, above = f.isf(tail, n - 1, freedom), f.isf(tail, freedom, n - 1)
    low = n * (cases - below * residual) / (below * noise + n * cases)
    return estimate, low, n * (above * cases - residual) / (noise + n * above * cases)
