"""How well the probabilities of several classes rank cases: one class against the rest, or pair by pair."""

from itertools import combinations

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from fusion.evaluate import discrimination
from fusion.evaluate.classes import PerClass, PerSample, Probability, Weights
from fusion.types import Indices, Vector


def one_vs_rest(probability: Probability, label: Indices, weights: Weights | None = None) -> PerClass:
    """AUC of each class's probability for telling its cases from all others, in each sample.

    Args:
        probability: of each class.
        label: place of the true class.
        weights: how often each case counts; none for one sample of all cases.
    """
    weights = np.ones((len(label), 1)) if weights is None else weights
    own = [weighted_auc(score, label == place, weights) for place, score in enumerate(probability.T)]
    return np.stack(own, axis=1)


def weighted_auc(score: Vector, event: Bool[ndarray, " case"], weights: Weights) -> PerSample:
    """AUC of ``score`` in each sample, ties counting one half; nan in a sample without events or without others."""
    others = np.flatnonzero(~event)[np.argsort(score[~event], kind="stable")]
    of_events, of_others = weights[event], weights[others]
    below = np.concatenate([np.zeros((1, weights.shape[1])), of_others.cumsum(axis=0)])
    left, right = (np.searchsorted(score[others], score[event], side) for side in ("left", "right"))
    wins = np.einsum("ij,ij->j", of_events, below[left] + below[right]) / 2
    pairs = of_events.sum(axis=0) * of_others.sum(axis=0)
    return np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def hand_till(probability: Probability, label: Indices) -> float:
    """Hand & Till's M: the AUC of two classes among their own cases, by either's probability, mean over all pairs.

    Unlike the mean of one-versus-rest AUCs it does not depend on how frequent the classes are. Hand & Till 2001,
    doi:10.1023/A:1010920819831. Unknown (nan) where a class has no case.
    """
    classes = range(probability.shape[1])
    if min(np.count_nonzero(label == place) for place in classes) == 0:
        return float("nan")
    return float(np.mean([_pair(probability, label, one, two) for one, two in combinations(classes, 2)]))


def _pair(probability: Probability, label: Indices, one: int, two: int) -> float:
    among = np.isin(label, (one, two))
    areas = [discrimination.auc(probability[among, place], (label[among] == place).astype(int)) for place in (one, two)]
    return float(np.mean(areas))
