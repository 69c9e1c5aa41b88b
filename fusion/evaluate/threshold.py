"""From probabilities to yes or no: the rule that finds a threshold, and the four counts behind it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from fusion.config.evaluate import FixedSensitivity, FixedThreshold, Youden
from fusion.types import Events, Vector

Rule = Youden | FixedThreshold | FixedSensitivity


@dataclass(frozen=True)
class Confusion:
    """Counts of true positives, false negatives, false positives and true negatives.

    A ratio without cases below the line is unknown (nan), not zero.

    >>> round(Confusion(tp=21, fn=6, fp=7, tn=74).accuracy, 3)
    0.88
    """

    tp: int
    fn: int
    fp: int
    tn: int

    @property
    def sensitivity(self) -> float:
        """Share of events called positive."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float:
        """Share of non-events called negative."""
        return _share(self.tn, self.tn + self.fp)

    @property
    def ppv(self) -> float:
        """Share of positive calls that are events."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def npv(self) -> float:
        """Share of negative calls that are non-events."""
        return _share(self.tn, self.tn + self.fn)

    @property
    def f1(self) -> float:
        """Harmonic mean of sensitivity and positive predictive value."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def accuracy(self) -> float:
        """Share of correct calls."""
        return _share(self.tp + self.tn, self.tp + self.fn + self.fp + self.tn)


def confusion(probability: Vector, events: Events, threshold: float) -> Confusion:
    """The four counts when a case counts as positive at a probability of ``threshold`` or more."""
    positive = probability >= threshold
    tp, fp = int((positive & (events == 1)).sum()), int((positive & (events == 0)).sum())
    return Confusion(tp, int((events == 1).sum()) - tp, fp, int((events == 0).sum()) - fp)


def choose(rule: Rule, probability: Vector, events: Events) -> float:
    """The threshold that ``rule`` finds; one of the probabilities unless it is fixed.

    Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3: the largest sensitivity +
    specificity - 1; of equal ones the lowest threshold, which misses fewer events. A fixed sensitivity is reached by
    the largest threshold that does.
    """
    if isinstance(rule, FixedThreshold):
        return rule.probability
    candidates = np.unique(probability)
    tp, fp = (_at_or_above(probability[events == kind], candidates) for kind in (1, 0))
    positives, negatives = int(events.sum()), int((1 - events).sum())
    if isinstance(rule, Youden):
        return float(candidates[np.argmax(tp * negatives - fp * positives)])  # in whole numbers, so ties are ties
    enough = tp >= rule.sensitivity * positives - 1e-9
    return float(candidates[enough][-1])


def describe(rule: Rule) -> str:
    """The rule in words, for captions."""
    if isinstance(rule, FixedThreshold):
        return f"fixed at {rule.probability:g}"
    if isinstance(rule, FixedSensitivity):
        return f"sensitivity {rule.sensitivity:g} in out-of-fold training predictions"
    return "largest Youden index in out-of-fold training predictions"


def _at_or_above(values: Vector, candidates: Float[ndarray, " candidate"]) -> Int[ndarray, " candidate"]:
    return len(values) - np.searchsorted(np.sort(values), candidates)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
