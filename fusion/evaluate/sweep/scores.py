"""What a model says of the cases of a set in one round, and its AUC over all rounds or in samples of patients."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from fusion.evaluate import class_ranks, discrimination, patient_draws
from fusion.evaluate.classes import PerSample, Weights
from fusion.types import Indices


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


def sampled_auc(
    several: Sequence[Sequence[Scores]], patient: pd.Series, generator: np.random.Generator, samples: int
) -> Float[ndarray, "model sample"]:
    """The mean AUC of each one's repeats, in samples of patients that all of them share.

    Args:
        several: the repeats of each model, all over the same cases.
        patient: whose a case is, by its name.
        generator: of the draws.
        samples: how many.

    Returns:
        nan everywhere where a class has one patient, as its spread is unknown.
    """
    table = pd.concat([pd.Series(own.label, index=own.case) for own in several[0]])
    table = table[~table.index.duplicated()].sort_index()
    whose, label = patient.loc[table.index].to_numpy(str), table.to_numpy(int)
    if pd.Series(label).groupby(whose).min().value_counts().min() < 2:
        return np.full((len(several), samples), np.nan)
    weights = patient_draws.weights(whose, label, generator, samples)
    place = pd.Series(np.arange(len(table)), index=table.index)
    return np.stack(
        [np.mean([own.sampled(weights[place.loc[own.case]]) for own in parts], axis=0) for parts in several]
    )


def _pooled(parts: Sequence[Scores]) -> Scores:
    case = np.concatenate([own.case for own in parts])
    order = np.argsort(case, kind="stable")
    fold, probability, label = (
        np.concatenate([getattr(own, name) for own in parts])[order] for name in ("fold", "probability", "label")
    )
    return Scores(case[order], fold, probability, label)
