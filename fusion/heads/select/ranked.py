"""The strongest few: what all selections have in common that give every column a score."""

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin

from fusion.errors import Fault, HeadError
from fusion.heads.select.support import Kept, Table
from fusion.types import Events


def limit(top: int | None, events_per_variable: float | None, y: Events, features: int) -> int:
    """How many features are kept at most: ``top``, and no more than the smaller class has ``events_per_variable`` for.

    The rule of ten events a variable is Peduzzi 1996, doi:10.1016/S0895-4356(96)00236-3. One feature is always allowed.

    >>> limit(20, 10.0, np.array([0] * 187 + [1] * 62), 1874)
    6
    """
    smaller = min(int(y.sum()), len(y) - int(y.sum()))
    allowed = features if events_per_variable is None else max(1, int(smaller / events_per_variable))
    return min(allowed, features if top is None else top, features)


class Ranked(SelectorMixin, BaseEstimator):
    """Keeps the ``top`` columns with the largest positive score; of equal ones the earlier.

    Args:
        top: features kept at most; None for all with a positive score.
        events_per_variable: cases of the smaller class a kept feature must have; None for no such cap.
    """

    def __init__(self, top: int | None = 20, events_per_variable: float | None = None) -> None:
        self.top = top
        self.events_per_variable = events_per_variable

    def fit(self, X: Table, y: Events) -> "Ranked":
        """Score every column, keep the best.

        Raises:
            HeadError: no column has a positive score.
        """
        self.n_features_in_ = X.shape[1]
        self.scores_ = self._scores(X, y)
        ranked = np.argsort(-self.scores_, kind="stable")[: limit(self.top, self.events_per_variable, y, X.shape[1])]
        self.kept_: Kept = np.zeros(X.shape[1], dtype=bool)
        self.kept_[ranked[self.scores_[ranked] > 0]] = True
        if not self.kept_.any():
            raise HeadError(self._nothing(X))
        return self

    def _scores(self, X: Table, y: Events) -> Float[np.ndarray, " feature"]:
        raise NotImplementedError

    def _nothing(self, X: Table) -> Fault:
        found = f"no feature that has to do with the outcome among {X.shape[1]} over {len(X)} cases"
        return Fault(found, "one", "check the table, or choose another heads.selector")

    def _get_support_mask(self) -> Kept:
        return self.kept_
