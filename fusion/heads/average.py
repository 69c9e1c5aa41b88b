"""Several heads as one: the mean of their log-odds."""

from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from fusion.heads.odds import log_odds, probability
from fusion.heads.select import Table
from fusion.types import Events


class MeanLogOdds(ClassifierMixin, BaseEstimator):
    """Fits every head on the same cases and averages their log-odds.

    Args:
        heads: unfitted, each with ``decision_function`` or ``predict_proba``.
    """

    def __init__(self, heads: tuple[Any, ...]) -> None:
        self.heads = heads

    def fit(self, X: Table, y: Events) -> "MeanLogOdds":
        """Fit all."""
        self.classes_ = np.unique(y)
        self.n_features_in_ = X.shape[1]
        self.heads_ = [clone(head).fit(X, y) for head in self.heads]
        return self

    def decision_function(self, X: Table) -> Float[np.ndarray, " case"]:
        """Mean log-odds of the second class."""
        return np.mean([log_odds(head, X) for head in self.heads_], axis=0)

    def predict_proba(self, X: Table) -> Float[np.ndarray, "case two"]:
        """Probabilities of both classes."""
        positive = probability(self.decision_function(X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Table) -> np.ndarray:
        """The class whose mean log-odds are above 0."""
        return self.classes_[(self.decision_function(X) > 0).astype(int)]
