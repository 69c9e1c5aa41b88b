"""Which way a new model moves the probabilities of events and of non-events: NRI and IDI."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.stats import norm

from fusion.evaluate.discrimination import Interval
from fusion.types import Events, Vector


@dataclass(frozen=True)
class Part:
    """What a new model gains in one class: mean, interval, and how many cases it moves the right and the wrong way."""

    value: float
    low: float
    high: float
    right: int
    wrong: int


@dataclass(frozen=True)
class Improvement:
    """A gain in events, in non-events, and their sum with z and two-sided p; intervals are bootstrap percentiles."""

    events: Part
    others: Part
    total: float
    low: float
    high: float
    z: float
    p: float


@dataclass(frozen=True)
class Bootstrap:
    """How the intervals are made: stratified samples, confidence, and the generator that draws them."""

    generator: np.random.Generator
    samples: int = 2000
    confidence: float = 0.95


def nri(
    old: Vector, new: Vector, events: Events, bootstrap: Bootstrap, cutoffs: Sequence[float] | None = None
) -> Improvement:
    """Net reclassification improvement: net share of events moved up plus net share of non-events moved down.

    By categories Pencina 2008, doi:10.1002/sim.2929; category-free Pencina 2011, doi:10.1002/sim.4085. z is their
    asymptotic one. The total is no share of cases, and a useless marker can show a positive NRI, the category-free
    most of all (Kerr 2014, doi:10.1097/EDE.0000000000000018; Pepe 2015, doi:10.1007/s12561-014-9118-0).

    Args:
        old: probabilities of the model without what is judged, one a case.
        new: those of the model with it, of the same cases.
        events: 1 for an event, 0 otherwise.
        bootstrap: how the intervals are made.
        cutoffs: rising probabilities that part the categories, a case at a cutoff above it; None moves every case
            whose probability changes.
    """
    moved = new - old if cutoffs is None else (categories(new, cutoffs) - categories(old, cutoffs)).astype(float)
    gain = np.sign(moved) * _towards(events)
    errors = [float(np.mean(gain[events == kind] ** 2)) / int((events == kind).sum()) for kind in (1, 0)]
    return _improvement(gain, events, sum(errors) ** 0.5, bootstrap)


def idi(old: Vector, new: Vector, events: Events, bootstrap: Bootstrap) -> Improvement:
    """Integrated discrimination improvement: mean rise in events plus mean fall in non-events of the probability.

    Pencina 2008, doi:10.1002/sim.2929; also the gain in the difference of mean probabilities between the classes. Its
    z is too large where the new model holds the old one (Kerr 2011, doi:10.1093/aje/kwr086), so look at the interval.
    """
    gain = (new - old) * _towards(events)
    errors = [_variance(gain[events == kind]) / int((events == kind).sum()) for kind in (1, 0)]
    return _improvement(gain, events, sum(errors) ** 0.5, bootstrap)


def categories(probability: Vector, cutoffs: Sequence[float]) -> Int[ndarray, " case"]:
    """The place of each case among the risk categories, 0 below the first cutoff.

    >>> categories(np.array([0.1, 0.2, 0.9]), [0.2, 0.5]).tolist()
    [0, 1, 2]
    """
    return np.searchsorted(np.asarray(cutoffs, dtype=float), probability, side="right")


def table(old: Vector, new: Vector, cutoffs: Sequence[float]) -> Int[ndarray, "old new"]:
    """Counts of cases by category of the old model (rows) and of the new one (columns)."""
    counts = np.zeros((len(cutoffs) + 1, len(cutoffs) + 1), dtype=int)
    np.add.at(counts, (categories(old, cutoffs), categories(new, cutoffs)), 1)
    return counts


def _towards(events: Events) -> Vector:
    """The right direction: up for events, down for the others."""
    return np.where(events == 1, 1.0, -1.0)


def _variance(values: Vector) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else float("nan")


def _improvement(gain: Vector, events: Events, error: float, bootstrap: Bootstrap) -> Improvement:
    own = {kind: gain[events == kind] for kind in (1, 0)}
    means = {kind: _resampled(values, bootstrap) for kind, values in own.items()}
    parts = [_part(own[kind], means[kind], bootstrap.confidence) for kind in (1, 0)]
    total = parts[0].value + parts[1].value
    z = total / error if error > 0 else 0.0 if total == 0 else float("nan")
    low, high = _ends(means[1] + means[0], bootstrap.confidence)
    return Improvement(parts[0], parts[1], total, low, high, z, float(2 * norm.sf(abs(z))))


def _part(gain: Vector, means: Float[ndarray, " sample"], confidence: float) -> Part:
    low, high = _ends(means, confidence)
    return Part(float(gain.mean()), low, high, int((gain > 0).sum()), int((gain < 0).sum()))


def _resampled(values: Vector, bootstrap: Bootstrap) -> Float[ndarray, " sample"]:
    """The mean of each bootstrap sample; equal values are drawn together, which comes to the same and is quicker."""
    n = len(values)
    different, counts = np.unique(values, return_counts=True)
    return bootstrap.generator.multinomial(n, counts / n, size=bootstrap.samples) @ different / n


def _ends(means: Float[ndarray, " sample"], confidence: float) -> Interval:
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
