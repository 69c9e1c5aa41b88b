"""From probabilities to yes or no: the rule that finds a threshold, and the four counts behind it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from fusion.config.evaluate import FixedSensitivity, FixedSpecificity, FixedThreshold, LeastCost, Youden
from fusion.types import Events, Vector

Rule = Youden | FixedThreshold | FixedSensitivity | FixedSpecificity | LeastCost
Counts = Int[ndarray, " candidate"]


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
    """The threshold that ``rule`` finds among the probabilities, or just above them all; or the fixed one.

    Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3: the largest sensitivity +
    specificity - 1; of equal ones the lowest threshold, which misses fewer events. A fixed sensitivity is reached by
    the largest threshold that does, a fixed specificity by the smallest.
    """
    if isinstance(rule, FixedThreshold):
        return rule.probability
    candidates = np.append(np.unique(probability), np.nextafter(probability.max(), np.inf))
    tp, fp = (_at_or_above(probability[events == kind], candidates) for kind in (1, 0))
    positives, negatives = int(events.sum()), int((1 - events).sum())
    if isinstance(rule, FixedSensitivity):
        return float(candidates[tp >= rule.sensitivity * positives - 1e-9][-1])
    if isinstance(rule, FixedSpecificity):
        return float(candidates[negatives - fp >= rule.specificity * negatives - 1e-9][0])
    if isinstance(rule, Youden):
        return float(candidates[np.argmax(tp * negatives - fp * positives)])  # in whole numbers, so ties are ties
    return float(
        candidates[np.argmin(expected_cost(rule, 1 - tp / positives, fp / negatives, positives / len(events)))]
    )


def expected_cost(
    rule: LeastCost, missed: Float[ndarray, " candidate"], alarms: Float[ndarray, " candidate"], share: float
) -> Float[ndarray, " candidate"]:
    """Mean cost a case of the two errors: prevalence x FN cost x (1 - SEN) + (1 - prevalence) x FP cost x (1 - SPE).

    Its least value is where a line of slope (FP cost / FN cost) x (1 - prevalence) / prevalence touches the ROC curve
    (Zweig & Campbell 1993, doi:10.1093/clinchem/39.4.561).

    Args:
        rule: costs, and the prevalence if it is stated.
        missed: 1 - sensitivity at each threshold.
        alarms: 1 - specificity at each threshold.
        share: the prevalence if ``rule`` states none.
    """
    prevalence = share if rule.prevalence is None else rule.prevalence
    cost = prevalence * rule.false_negative * missed + (1 - prevalence) * rule.false_positive * alarms
    return np.round(cost / (rule.false_negative + rule.false_positive), 12)  # so that ties are ties


def describe(rule: Rule) -> str:
    """The rule in words, for captions.

    >>> describe(LeastCost(false_negative=5))
    'least expected cost (a miss costs 5, a false alarm 1) in out-of-fold training predictions'
    """
    where = "in out-of-fold training predictions"
    match rule:
        case FixedThreshold():
            return f"fixed at {rule.probability:g}"
        case FixedSensitivity():
            return f"sensitivity {rule.sensitivity:g} {where}"
        case FixedSpecificity():
            return f"specificity {rule.specificity:g} {where}"
        case LeastCost():
            at = "" if rule.prevalence is None else f", at a prevalence of {rule.prevalence:g}"
            costs = f"a miss costs {rule.false_negative:g}, a false alarm {rule.false_positive:g}{at}"
            return f"least expected cost ({costs}) {where}"
        case Youden():
            return f"largest Youden index {where}"


def _at_or_above(values: Vector, candidates: Float[ndarray, " candidate"]) -> Counts:
    return len(values) - np.searchsorted(np.sort(values), candidates)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
