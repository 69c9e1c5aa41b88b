"""Several classes: calls, confusion matrix, and how good the calls and the probabilities of each class are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.types import Indices

Probability = Float[ndarray, "case class"]
Weights = Float[ndarray, "case sample"]
"""How often each case counts in each sample."""
Counts = Float[ndarray, "sample truth call"]
PerClass = Float[ndarray, "sample class"]
PerSample = Float[ndarray, " sample"]


def calls(probability: Probability, threshold: float | None = None) -> Indices:
    """The place of the class with the largest probability, the first of equals.

    Args:
        probability: of each class.
        threshold: of two classes, the second is called at this probability or more, the first otherwise.
    """
    if threshold is None:
        return probability.argmax(axis=1)
    return (probability[:, 1] >= threshold).astype(int)


def confusion(label: Indices, call: Indices, count: int, weights: Weights | None = None) -> Counts:
    """Cases by true class (rows) and called class (columns), in each sample.

    Args:
        label: place of the true class.
        call: place of the called class.
        count: classes.
        weights: none for one sample of all cases.

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)[0].tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    cells = (label * count + call)[:, None] == np.arange(count**2)
    counted = (np.ones((len(label), 1)) if weights is None else weights).T @ cells.astype(float)
    return counted.reshape(-1, count, count)


@dataclass(frozen=True, eq=False)
class Rates:
    """How good the calls of each class against all others are; a ratio without cases below the line is nan."""

    sensitivity: PerClass
    specificity: PerClass
    ppv: PerClass
    npv: PerClass
    f1: PerClass
    accuracy: PerSample

    def macro(self, name: str) -> PerSample:
        """The mean over all classes, each with the same weight; F1 is the mean of the classes' own (as Kaba 2025).

        A predictive value of a class that has cases but no call (ppv), or no call of another class (npv), is unknown,
        yet counts as 0 here, as its F1 does: leaving the class out would reward never calling it. A class without
        cases leaves the mean unknown: nan.
        """
        values = getattr(self, name)
        if name in ("ppv", "npv"):
            seen = ~np.isnan(self.sensitivity if name == "ppv" else self.specificity)
            values = np.where(np.isnan(values) & seen, 0.0, values)
        return values.mean(axis=1)


def rates(counts: Counts) -> Rates:
    """Rates of each class from confusion matrices.

    F1 is 2 TP / (2 TP + FP + FN): 0 where a class has cases but no true positive.

    >>> rates(np.array([[[8.0, 2.0], [1.0, 9.0]]])).sensitivity.tolist()
    [[0.8, 0.9]]
    """
    tp = np.diagonal(counts, axis1=1, axis2=2)
    fn, fp, total = counts.sum(axis=2) - tp, counts.sum(axis=1) - tp, counts.sum(axis=(1, 2))
    tn = total[:, None] - tp - fn - fp
    return Rates(
        sensitivity=_share(tp, tp + fn), specificity=_share(tn, tn + fp), ppv=_share(tp, tp + fp),
        npv=_share(tn, tn + fn), f1=_share(2 * tp, 2 * tp + fp + fn), accuracy=_share(tp.sum(axis=1), total),
    )  # fmt: skip


def never_called(counts: Counts) -> ndarray:
    """Classes of each sample that have cases but no call."""
    return ((counts.sum(axis=2) > 0) & (counts.sum(axis=1) == 0)).sum(axis=1)


def brier(probability: Probability, label: Indices) -> float:
    """Half the mean squared distance of the probabilities to the truth (Brier 1950, halved), from 0 to 1.

    Halved it equals the Brier score of the event where there are two classes.

    >>> brier(np.array([[0.5, 0.5]]), np.array([1]))
    0.25
    """
    truth = label[:, None] == np.arange(probability.shape[1])
    return float(((probability - truth) ** 2).sum(axis=1).mean() / 2)


def log_loss(probability: Probability, label: Indices) -> float:
    """Mean of -log of the true class's probability; infinite where one of them is 0.

    >>> round(log_loss(np.array([[0.5, 0.5]]), np.array([1])), 4)
    0.6931
    """
    of_truth = probability[np.arange(len(label)), label]
    return float(-np.log(of_truth).mean()) if of_truth.min() > 0 else float("inf")


def _share(part: ndarray, whole: ndarray) -> ndarray:
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
