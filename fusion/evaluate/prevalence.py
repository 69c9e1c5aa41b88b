"""Predictive values where events are more or less common than in the cases at hand."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import expit, logit
from scipy.stats import norm

from fusion.evaluate.threshold import Confusion

Prevalence = Float[ndarray, " prevalence"]


@dataclass(frozen=True)
class PredictiveValue:
    """A predictive value and its interval at each prevalence."""

    value: Prevalence
    low: Prevalence
    high: Prevalence


def ppv(counts: Confusion, prevalence: Prevalence, confidence: float = 0.95) -> PredictiveValue:
    """Chance that a positive call is an event, at each ``prevalence`` in (0, 1), by Bayes' theorem.

    Interval on the log-odds, prevalence taken as known (Mercaldo 2007, doi:10.1002/sim.2677), stretched to a value of 0
    or 1 that its adjustment for empty cells would leave out. Sensitivity and
    specificity are supposed to stay as they are; where the mix of easy and hard cases differs they will not.
    """
    return _predictive(counts.tp, counts.fn, counts.fp, counts.tn, prevalence, confidence)


def npv(counts: Confusion, prevalence: Prevalence, confidence: float = 0.95) -> PredictiveValue:
    """Chance that a negative call is no event, as ``ppv``."""
    return _predictive(counts.tn, counts.fp, counts.fn, counts.tp, 1 - prevalence, confidence)


def _predictive(
    right: int, missed: int, wrong: int, spared: int, share: Prevalence, confidence: float
) -> PredictiveValue:
    """Of the cases that get a call, the share for whom it is right.

    Args:
        right: cases of the class called that get the call.
        missed: cases of that class that do not.
        wrong: cases of the other class that get the call.
        spared: cases of the other class that do not.
        share: of the class called, in the population.
        confidence: of the interval.
    """
    if right + wrong == 0:
        unknown = np.full(len(share), np.nan)
        return PredictiveValue(unknown, unknown, unknown)
    hit, alarm = right / (right + missed), wrong / (wrong + spared)
    value = hit * share / (hit * share + alarm * (1 - share))
    z = float(norm.ppf((1 + confidence) / 2))
    more = z**2 / 2 if 0 in (right, missed, wrong, spared) else 0.0  # Mercaldo's adjusted interval, as logits need > 0
    right_, missed_, wrong_, spared_ = (count + more for count in (right, missed, wrong, spared))
    hits, alarms = right_ + missed_, wrong_ + spared_
    centre = np.log(right_ / hits) - np.log(wrong_ / alarms) + logit(share)
    error = (missed_ / right_ / hits + spared_ / wrong_ / alarms) ** 0.5
    low, high = expit(centre - z * error), expit(centre + z * error)
    return PredictiveValue(value, np.minimum(low, value), np.maximum(high, value))  # the adjusted one may miss 0 or 1
