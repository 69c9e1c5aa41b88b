"""How well probabilities rank cases: AUC, its intervals, DeLong's paired test, Holm's correction."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.stats import norm, rankdata

from fusion.types import Events, Vector

Interval = tuple[float, float]
UNDEFINED: Interval = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Comparison:
    """Two AUCs over the same cases: first minus second, with standard error, interval, z and two-sided p."""

    difference: float
    error: float
    low: float
    high: float
    z: float
    p: float


def auc(probability: Vector, events: Events) -> float:
    """Chance that a random event has a higher probability than a random non-event; ties count one half.

    >>> auc(np.array([0.9, 0.4, 0.4, 0.1]), np.array([1, 1, 0, 0]))
    0.875
    """
    positives = int(events.sum())
    ranks = rankdata(probability)[events == 1].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * (len(events) - positives)))


def bootstrap_interval(
    probability: Vector, events: Events, generator: np.random.Generator, samples: int = 2000, confidence: float = 0.95
) -> Interval:
    """Percentile interval of the AUC over stratified bootstrap samples (as many events in each as there are).

    Carpenter & Bithell 2000, doi:10.1002/(SICI)1097-0258(20000515)19:9<1141::AID-SIM479>3.0.CO;2-F. Where every event
    ranks above every non-event so does every sample: the interval is then (1, 1), which is too narrow.
    """
    positive, negative = np.sort(probability[events == 1]), np.sort(probability[events == 0])
    copies_positive, copies_negative = (
        generator.multinomial(len(group), np.full(len(group), 1 / len(group)), size=samples)
        for group in (positive, negative)
    )
    below = np.concatenate([np.zeros((samples, 1)), copies_negative.cumsum(axis=1)], axis=1)
    left, right = (np.searchsorted(negative, positive, side) for side in ("left", "right"))
    wins = (below[:, left] + below[:, right]) / 2
    aucs = (copies_positive * wins).sum(axis=1) / (len(positive) * len(negative))
    low, high = np.quantile(aucs, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def delong(
    scores: Float[ndarray, "model case"], events: Events
) -> tuple[Float[ndarray, " model"], Float[ndarray, "model model"]]:
    """AUC of every model and their covariance matrix.

    DeLong 1988, doi:10.2307/2531595, by the ranks of Sun & Xu 2014, doi:10.1109/LSP.2014.2337313. With a single
    event or non-event the covariance is unknown: nan.

    Args:
        scores: one row a model, one column a case; the higher, the more likely an event.
        events: 1 for an event, 0 otherwise.
    """
    positive, negative = scores[:, events == 1], scores[:, events == 0]
    m, n = positive.shape[1], negative.shape[1]
    ranks = rankdata(scores, axis=1)
    of_positive = (ranks[:, events == 1] - rankdata(positive, axis=1)) / n
    of_negative = 1 - (ranks[:, events == 0] - rankdata(negative, axis=1)) / m
    areas = of_positive.mean(axis=1)
    if min(m, n) < 2:
        return areas, np.full((len(scores), len(scores)), np.nan)
    return areas, np.atleast_2d(np.cov(of_positive)) / m + np.atleast_2d(np.cov(of_negative)) / n


def delong_interval(
    probability: Vector, events: Events, confidence: float = 0.95, scale: Literal["wald", "logit"] = "logit"
) -> Interval:
    """DeLong's interval of the AUC, on the AUC itself (cut at 0 and 1) or on its log-odds.

    The logit scale keeps the interval inside (0, 1) (Qin & Hotilovac 2008, doi:10.1177/0962280207087173); it does not
    exist for an AUC of 0 or 1: nan.
    """
    areas, covariance = delong(probability[None], events)
    area, error = float(areas[0]), float(np.sqrt(covariance[0, 0]))
    reach = float(norm.ppf((1 + confidence) / 2)) * error
    if scale == "wald":
        return max(area - reach, 0.0), min(area + reach, 1.0)
    if not 0 < area < 1:
        return UNDEFINED
    centre, spread = np.log(area / (1 - area)), reach / (area * (1 - area))
    low, high = 1 / (1 + np.exp(-(centre + np.array([-spread, spread]))))
    return float(low), float(high)


def delong_test(first: Vector, second: Vector, events: Events, confidence: float = 0.95) -> Comparison:
    """DeLong's test of two models over the same cases, in the same order.

    Equal AUCs give z 0 and p 1; a difference whose variance is zero (both rank without a doubt) has no test: nan.
    """
    areas, covariance = delong(np.stack([first, second]), events)
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    error = float(np.sqrt(np.maximum(variance, 0)))
    reach = float(norm.ppf((1 + confidence) / 2)) * error
    low, high = difference - reach, difference + reach
    if difference == 0:
        return Comparison(difference, error, low, high, z=0.0, p=1.0)
    if not variance > 1e-15:
        return Comparison(difference, error, *UNDEFINED, z=float("nan"), p=float("nan"))
    z = difference / error
    return Comparison(difference, error, low, high, z, p=float(2 * norm.sf(abs(z))))


def holm(p: Float[ndarray, " test"]) -> Float[ndarray, " test"]:
    """Holm's step-down adjusted p values; nan is no comparison and stays nan.

    Holm 1979, https://www.jstor.org/stable/4615733.

    >>> [round(float(p), 3) for p in holm(np.array([0.01, 0.04, 0.03]))]
    [0.03, 0.06, 0.06]
    """
    adjusted = np.full(len(p), np.nan)
    made = np.flatnonzero(~np.isnan(p))
    order = made[np.argsort(p[made], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
