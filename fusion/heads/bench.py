"""The flow's radiomics heads for anyone's table: ``make(seed)``, with ``fit`` and ``predict_proba`` on plain arrays."""

from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from fusion.config.heads import Heads
from fusion.errors import Fault, HeadError
from fusion.heads.logistic import radiomics_head
from fusion.heads.odds import log_odds, probability

SMALLEST = 2
"""Cases of a class without which no penalty can be cross-validated."""


def make(seed: int) -> "TableHead":
    """The default head: the steps of Shen 2026 with a penalised regression."""
    return TableHead("default", seed)


def make_paper(seed: int) -> "TableHead":
    """The recipe of Shen 2026 to the letter, its regression without penalty."""
    return TableHead("paper", seed)


def make_robust(seed: int) -> "TableHead":
    """The mean log-odds of the default's steps and a ridge regression on all features."""
    return TableHead("robust", seed)


class TableHead(ClassifierMixin, BaseEstimator):
    """A preset of ``heads`` as a scikit-learn classifier of two classes, on rows of cases and columns of features.

    A run refuses a training part with fewer cases of a class than LASSO's folds; here, where there is no config to
    change, a small class lowers the folds to its size.

    Args:
        preset: of ``Heads``.
        seed: of folds.

    >>> table = np.random.default_rng(0).normal(size=(40, 6))
    >>> make(0).fit(table, table[:, 2] > 0).predict_proba(table).shape
    (40, 2)
    """

    def __init__(self, preset: Literal["default", "paper", "robust"] = "default", seed: int = 0) -> None:
        self.preset = preset
        self.seed = seed

    def fit(self, X: Any, y: Any) -> "TableHead":
        """Fit the preset's pipeline.

        Args:
            X: finite numbers, cases x features; columns may be constant.
            y: two classes, of any kind that sorts; the second is the positive one.

        Raises:
            HeadError: not two classes, a class of one case, or nothing varies.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.classes_, events, counts = np.unique(y, return_inverse=True, return_counts=True)
        if len(counts) != 2 or counts.min() < SMALLEST:
            found = f"{len(counts)} classes of {', '.join(map(str, counts))} cases"
            raise HeadError(Fault(found, f"two, of {SMALLEST} cases or more each", "add cases"))
        usual = Heads(preset=self.preset).lasso_folds
        heads = Heads(preset=self.preset, lasso_folds=min(usual, int(counts.min())))
        self.head_ = radiomics_head(heads, self.seed).fit(X, events.astype(np.int64))
        return self

    def decision_function(self, X: Any) -> Float[np.ndarray, " case"]:
        """Log-odds of the positive class."""
        check_is_fitted(self)
        return log_odds(self.head_, validate_data(self, X, dtype=np.float64, reset=False))

    def predict_proba(self, X: Any) -> Float[np.ndarray, "case two"]:
        """Probabilities, a column a class, in the order of ``classes_``."""
        positive = probability(self.decision_function(X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> np.ndarray:
        """The likelier class."""
        return self.classes_[(self.decision_function(X) > 0).astype(int)]
