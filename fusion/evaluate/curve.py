"""The flexible calibration curve: the observed share of events as a smooth function of the probability."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.types import Events, Vector

SPAN = 0.75
"""Share of the cases that each point of the curve looks at; the default of R's loess."""
LEAST = 20
"""Cases below which no curve is drawn."""
MOST = 400
"""Places at which the curve's distance is computed; between them it is a straight line."""
Grid = Float[ndarray, " point"]
Smoother = Float[ndarray, "point case"]


@dataclass(frozen=True)
class Curve:
    """The smooth observed share at each probability of ``x``, with a pointwise bootstrap interval."""

    x: Grid
    observed: Grid
    low: Grid
    high: Grid


@dataclass(frozen=True)
class Distance:
    """How far the curve is from the diagonal over the cases: mean (ICI), median, 90th percentile, maximum.

    ``chance`` is the mean ICI of events drawn from the probabilities themselves, so of perfect calibration at this n;
    ``chance_high`` is its 95th percentile.
    """

    ici: float
    e50: float
    e90: float
    emax: float
    chance: float
    chance_high: float


def curve(
    probability: Vector, events: Events, generator: np.random.Generator, samples: int = 1000, confidence: float = 0.95
) -> Curve | None:
    """Lowess of events on probability (Cleveland 1979, doi:10.1080/01621459.1979.10481038; no robust steps).

    Locally linear, tricube weights over the nearest ``SPAN`` of the cases, cut at 0 and 1. The band is made of
    percentiles over bootstrap samples of cases, smoothed with the bandwidths of the whole sample. None where there is
    nothing to smooth: under ``LEAST`` cases, or a probability shared by so many that a neighbourhood has no width.
    """
    x = np.linspace(probability.min(), probability.max(), 60)
    weights = _weights(probability, x)
    if weights is None:
        return None
    n = len(probability)
    counts = generator.multinomial(n, np.full(n, 1 / n), size=samples).astype(float)
    again = _fitted(weights, probability, x, events.astype(float), counts)
    low, high = np.nanquantile(again, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return Curve(x, _fitted(weights, probability, x, events.astype(float), np.ones((1, n)))[0], low, high)


def distance(
    probability: Vector, events: Events, generator: np.random.Generator, samples: int = 1000
) -> Distance | None:
    """Integrated calibration index and its kin, from the curve of ``curve`` at every case; None where that is None.

    Austin & Steyerberg 2019, doi:10.1002/sim.8281.
    """
    places = np.unique(probability)
    if len(places) > MOST:
        places = np.unique(np.quantile(probability, np.linspace(0, 1, MOST)))
    smoother = _smoother(probability, places)
    if smoother is None:
        return None
    cases = np.sort(probability)
    gap = _gap(smoother @ events, places, cases)
    drawn = (generator.random((samples, len(probability))) < probability).astype(float) @ smoother.T
    by_chance = np.array([_gap(observed, places, cases).mean() for observed in drawn])
    e50, e90 = np.quantile(gap, [0.5, 0.9])
    high = float(np.quantile(by_chance, 0.95))
    return Distance(float(gap.mean()), float(e50), float(e90), float(gap.max()), float(by_chance.mean()), high)


def _gap(observed: Grid, places: Grid, cases: Vector) -> Vector:
    """How far the curve through ``observed`` at ``places`` is from the diagonal at each case."""
    return np.abs(np.interp(cases, places, np.clip(observed, 0, 1)) - cases)


def _weights(probability: Vector, x: Grid) -> Smoother | None:
    """Tricube weights of every case at every point, the nearest ``SPAN`` of the cases within reach.

    None where a point has weight at fewer than two different probabilities, through which no line is fitted.
    """
    if len(probability) < LEAST:
        return None
    nearest = int(SPAN * len(probability) + 1e-10)  # as statsmodels counts them
    apart = np.abs(probability[None, :] - x[:, None])
    reach = np.partition(apart, nearest - 1, axis=1)[:, [nearest - 1]]
    if reach.min() == 0:
        return None
    weights = np.clip(1 - (apart / reach) ** 3, 0, None) ** 3
    used = np.where(weights > 0, probability, np.nan)
    return weights if (np.nanmax(used, axis=1) > np.nanmin(used, axis=1)).all() else None


def _smoother(probability: Vector, x: Grid) -> Smoother | None:
    """The matrix that takes events to the curve at ``x``."""
    weights = _weights(probability, x)
    if weights is None:
        return None
    away = probability[None, :] - x[:, None]
    s0, s1, s2 = (np.sum(weights * away**power, axis=1, keepdims=True) for power in (0, 1, 2))
    return weights * (s2 - s1 * away) / (s0 * s2 - s1**2)


def _fitted(
    weights: Smoother, probability: Vector, x: Grid, outcome: Vector, counts: Float[ndarray, "sample case"]
) -> Float[ndarray, "sample point"]:
    """The local lines at ``x``, with each case taken as often as ``counts`` says; nan where a sample has no line."""
    away = probability[None, :] - x[:, None]
    s0, s1, s2 = (counts @ (weights * away**power).T for power in (0, 1, 2))
    t0, t1 = (counts @ (weights * away**power * outcome).T for power in (0, 1))
    spread = s0 * s2 - s1**2
    line = np.where(spread > 1e-12 * s0 * s2, spread, np.nan)
    return np.clip((s2 * t0 - s1 * t1) / line, 0, 1)
