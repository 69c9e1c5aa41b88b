"""Features that two readers measure alike."""

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin

from fusion.errors import Fault, HeadError
from fusion.heads.select.support import Kept, Table
from fusion.types import Events


class IccFilter(SelectorMixin, BaseEstimator):
    """Keeps columns whose intraclass correlation is ``minimum`` or more.

    The correlations are measured beforehand, from two contours of the same cases; no outcome has a part in them.

    Args:
        icc: one a column of the table, in its order; nan where it could not be measured, which is not enough.
            None keeps every column.
        minimum: smallest correlation of a kept column.
    """

    def __init__(self, icc: Float[np.ndarray, " feature"] | None = None, minimum: float = 0.9) -> None:
        self.icc = icc
        self.minimum = minimum

    def fit(self, X: Table, y: Events | None = None) -> "IccFilter":
        """Compare, column by column.

        Raises:
            HeadError: another number of correlations than columns, or none is high enough.
        """
        self.n_features_in_ = X.shape[1]
        icc = np.full(X.shape[1], np.inf) if self.icc is None else np.asarray(self.icc, dtype=float)
        if len(icc) != X.shape[1]:
            found = f"{len(icc)} intraclass correlations for {X.shape[1]} features"
            raise HeadError(Fault(found, "one a feature", "measure them on the table that is selected from"))
        self.kept_: Kept = icc >= self.minimum
        if not self.kept_.any():
            best = np.nanmax(icc) if np.isfinite(icc).any() else np.nan
            found = f"no feature with an ICC of {self.minimum:g} or more among {len(icc)}, the best {best:.3f}"
            raise HeadError(Fault(found, "one", "lower the smallest ICC, or check the second contours"))
        return self

    def _get_support_mask(self) -> Kept:
        return self.kept_
