"""Features that two readers measure alike."""

from collections.abc import Sequence

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

    def between(self, start: int, stop: int) -> "IccFilter":
        """The same filter for the columns from ``start`` up to ``stop``."""
        return IccFilter(None if self.icc is None else self.icc[start:stop], self.minimum)

    def _get_support_mask(self) -> Kept:
        return self.kept_


def side_by_side(filters: Sequence[IccFilter]) -> IccFilter:
    """One filter for tables that are put side by side, with the filters' common minimum.

    Raises:
        HeadError: filters of several minima, or some with correlations and some without.
    """
    minima, known = {own.minimum for own in filters}, [own.icc for own in filters if own.icc is not None]
    if len(minima) > 1 or 0 < len(known) < len(filters):
        found = f"minima {sorted(minima)} and correlations of {len(known)} of {len(filters)} tables"
        raise HeadError(Fault(found, "one minimum, and correlations of all or none", "give all regions the same"))
    return IccFilter(np.concatenate(known) if known else None, filters[0].minimum)
