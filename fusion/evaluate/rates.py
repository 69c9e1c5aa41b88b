"""Accuracy, sensitivity, specificity and predictive values, each with its counts and interval."""

from dataclasses import dataclass

import numpy as np

from fusion.evaluate.calibration import wilson
from fusion.evaluate.threshold import Confusion


@dataclass(frozen=True)
class Rate:
    """A share ``part`` of ``whole`` with Wilson's interval; all nan where ``whole`` is 0."""

    part: int
    whole: int
    value: float
    low: float
    high: float


def rates(counts: Confusion, confidence: float = 0.95) -> dict[str, Rate]:
    """The five rates behind four counts, with Wilson's interval (1927, doi:10.1080/01621459.1927.10502953).

    >>> found = rates(Confusion(tp=21, fn=6, fp=7, tn=74))["sensitivity"]
    >>> f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}), {found.part} of {found.whole}"
    '0.778 (0.592 to 0.894), 21 of 27'
    """
    tp, fn, fp, tn = counts.tp, counts.fn, counts.fp, counts.tn
    shares = {
        "accuracy": (tp + tn, tp + fn + fp + tn), "sensitivity": (tp, tp + fn), "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp), "npv": (tn, tn + fn),
    }  # fmt: skip
    return {name: _rate(part, whole, confidence) for name, (part, whole) in shares.items()}


def _rate(part: int, whole: int, confidence: float) -> Rate:
    if not whole:
        return Rate(part, whole, *3 * [float("nan")])
    low, high = wilson(np.array([part / whole]), np.array([whole]), confidence)
    return Rate(part, whole, part / whole, float(low[0]), float(high[0]))
