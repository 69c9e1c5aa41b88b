"""What a model says of the cases of a set in one round, and its AUC over all rounds or in samples of patients."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray

from fusion.evaluate import class_ranks, discrimination, patient_draws
from fusion.evaluate.classes import PerSample, Weights
from fusion.types import Indices, Vector


@dataclass(frozen=True, eq=False)
class Scores:
    """Probabilities and true classes, by case name; of two classes the second is the event."""

    case: ndarray
    fold: Indices
    probability: Float[ndarray, "case class"]
    label: Indices

    @property
    def binary(self) -> bool:
        """Whether there is an event to tell, so that there is one AUC."""
        return self.probability.shape[1] == 2

    @property
    def auc(self) -> float:
        """AUC of the event; of more classes the mean of one against the rest; unknown where a class has no case."""
        if len(np.unique(self.label)) < self.probability.shape[1]:
            return float("nan")
        if self.binary:
            return discrimination.auc(self.probability[:, 1], self.label)
        return float(class_ranks.one_vs_rest(self.probability, self.label).mean())

    def sampled(self, weights: Weights) -> PerSample:
        """The AUC in each sample of weights."""
        if self.binary:
            return class_ranks.weighted_auc(self.probability[:, 1], self.label == 1, weights)
        return class_ranks.one_vs_rest(self.probability, self.label, weights).mean(axis=1)


def repeats(rounds: Iterable[Scores]) -> list[Scores]:
    """Rounds in which no case comes twice as one; a round with a case of those before it begins the next repeat.

    Outer folds thus are pooled, so that each case is judged once, and what is done over stays apart.
    """
    found: list[list[Scores]] = []
    seen: set[str] = set()
    for own in rounds:
        if not found or seen & set(own.case):
            found.append([])
            seen = set()
        found[-1].append(own)
        seen |= set(own.case)
    return [_pooled(parts) for parts in found]


def mean_auc(parts: Sequence[Scores]) -> float:
    """The mean AUC of the repeats; unknown where one of them has none."""
    return float(np.mean([own.auc for own in parts]))


@dataclass(frozen=True, eq=False)
class Drawn:
    """Samples of patients: how often each case counts in each, and where a case stands in ``weights``."""

    place: pd.Series
    weights: Weights


def draw(parts: Sequence[Scores], patient: pd.Series, generator: np.random.Generator, samples: int) -> Drawn:
    """Samples of the patients of all cases in ``parts``; nan where a class has one patient: its spread is unknown.

    Args:
        parts: the repeats of a model.
        patient: whose a case is, by its name.
        generator: of the draws.
        samples: how many.
    """
    label = pd.concat([pd.Series(own.label, index=own.case) for own in parts])
    label = label[~label.index.duplicated()].sort_index()
    whose, place = patient.loc[label.index].to_numpy(str), pd.Series(np.arange(len(label)), index=label.index)
    if label.groupby(whose).min().value_counts().min() < 2:
        return Drawn(place, np.full((len(label), samples), np.nan))
    return Drawn(place, patient_draws.weights(whose, label.to_numpy(int), generator, samples))


def sampled_auc(parts: Sequence[Scores], drawn: Drawn) -> PerSample:
    """The mean AUC of the repeats in each sample.

    Repeats over the same cases are added up first, so that they cost as much as one.
    """
    first = parts[0]
    if first.binary and all(np.array_equal(own.case, first.case) for own in parts):
        event, own = first.label == 1, drawn.weights[drawn.place.loc[first.case]]
        twice = sum(_wins(part.probability[:, 1], event) for part in parts)  # whole numbers, exact in any order
        won = np.einsum("ij,ij->j", own[event], twice @ own[~event]) / (2 * len(parts))
        return won / (own[event].sum(axis=0) * own[~event].sum(axis=0))
    return np.mean([own.sampled(drawn.weights[drawn.place.loc[own.case]]) for own in parts], axis=0)


def _wins(probability: Vector, event: Bool[ndarray, " case"]) -> Float[ndarray, "event other"]:
    """For each event and each other case 2 where the event ranks higher, 1 where they tie, else 0."""
    return 1 + np.sign(probability[event][:, None] - probability[~event][None, :])


def _pooled(parts: Sequence[Scores]) -> Scores:
    case = np.concatenate([own.case for own in parts])
    order = np.argsort(case, kind="stable")
    fold, probability, label = (
        np.concatenate([getattr(own, name) for own in parts])[order] for name in ("fold", "probability", "label")
    )
    return Scores(case[order], fold, probability, label)
