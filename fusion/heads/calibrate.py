"""Calibration of a network's scores: one factor, or a factor and offsets, fitted where the network never looked."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp, softmax

from fusion.config.heads import Heads
from fusion.heads.classes import ClassScores, centred
from fusion.types import Events, Vector

BOUNDS = (1 / 20, 20.0)
"""Of the factor. It stays positive, so that a ranking is never turned round; scores that rank at chance or backwards
end at the lower bound, where all probabilities are nearly the same."""
Labels = Int[ndarray, " case"]
"""The number of each case's class."""


@dataclass(frozen=True)
class Calibration:
    """Calibrated log-odds are factor x log-odds + offset; the factor is one over the temperature."""

    factor: float
    offset: float

    def __call__(self, log_odds: Float[ndarray, " case"]) -> Float[ndarray, " case"]:
        """Calibrated log-odds."""
        return self.factor * log_odds + self.offset


@dataclass(frozen=True)
class ClassCalibration:
    """Calibrated scores of several classes are factor x score + the class's offset; the offsets sum to 0."""

    factor: float
    offsets: Float[ndarray, " class"]

    def __call__(self, scores: ClassScores) -> ClassScores:
        """Calibrated scores."""
        return self.factor * scores + self.offsets


def calibration(heads: Heads, log_odds: Vector, events: Events) -> Calibration:
    """The factor (and with `platt` the offset) of the smallest log loss, the factor within ``BOUNDS``.

    `temperature` after Guo 2017 (arXiv:1706.04599); `platt` after Platt 1999, with his targets (N+1)/(N+2) and 1/(N+2)
    in place of 1 and 0, so that perfect scores do not ask for infinite odds. `none` gives factor 1 and offset 0.

    Args:
        heads: which kind.
        log_odds: of cases that the network never saw.
        events: 1 for the positive class.
    """
    if heads.calibration == "none":
        return Calibration(1.0, 0.0)
    platt = heads.calibration == "platt"
    targets = _softened(events) if platt else events.astype(float)
    fixed = (None, None) if platt else (0.0, 0.0)
    found = minimize(
        _loss, np.array([1.0, 0.0]), (log_odds, targets), "L-BFGS-B", jac=True, bounds=[BOUNDS, fixed],
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000},
    )  # fmt: skip
    return Calibration(float(found.x[0]), float(found.x[1]))


def class_calibration(heads: Heads, scores: ClassScores, labels: Labels) -> ClassCalibration:
    """The factor, and with `platt` an offset a class, of the smallest log loss, the factor within ``BOUNDS``.

    `temperature` is one for all classes (Guo 2017, arXiv:1706.04599); with offsets it is the bias-corrected temperature
    of Alexandari 2020 (arXiv:1901.06852). For `platt` a case of a class of N counts as (N+1)/(N+C) of it and 1/(N+C) of
    each other, C being the number of classes; of two classes these are Platt's targets, and all is as ``calibration``.

    Args:
        heads: which kind.
        scores: of cases that the network never saw.
        labels: the number of each case's class.
    """
    classes = scores.shape[1]
    if heads.calibration == "none":
        return ClassCalibration(1.0, np.zeros(classes))
    platt = heads.calibration == "platt"
    targets = _softened_classes(labels, classes) if platt else np.eye(classes)[labels]
    fixed = (None, None) if platt else (0.0, 0.0)
    found = minimize(
        _class_loss, np.array([1.0, *np.zeros(classes)]), (scores, targets), "L-BFGS-B", jac=True,
        bounds=[BOUNDS, *[fixed] * classes], options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000},
    )  # fmt: skip
    return ClassCalibration(float(found.x[0]), centred(found.x[None, 1:])[0])


def _softened(events: Events) -> Vector:
    positives = int(events.sum())
    return np.where(events == 1, (positives + 1) / (positives + 2), 1 / (len(events) - positives + 2))


def _loss(at: Float[ndarray, "2"], log_odds: Vector, targets: Vector) -> tuple[float, Float[ndarray, "2"]]:
    """Mean log loss and its gradient in factor and offset."""
    odds = at[0] * log_odds + at[1]
    apart = expit(odds) - targets
    return float((np.logaddexp(0, odds) - targets * odds).mean()), np.array([(apart * log_odds).mean(), apart.mean()])


def _softened_classes(labels: Labels, classes: int) -> ClassScores:
    counts = np.bincount(labels, minlength=classes)[labels][:, None]
    return (np.eye(classes)[labels] * counts + 1) / (counts + classes)


def _class_loss(
    at: Float[ndarray, " parameter"], scores: ClassScores, targets: ClassScores
) -> tuple[float, Float[ndarray, " parameter"]]:  # fmt: skip
    """Mean log loss and its gradient in the factor and each offset."""
    odds = at[0] * scores + at[1:]
    apart = softmax(odds, axis=1) - targets
    loss = (logsumexp(odds, axis=1) - (targets * odds).sum(axis=1)).mean()
    return float(loss), np.array([(apart * scores).sum(axis=1).mean(), *apart.mean(axis=0)])
