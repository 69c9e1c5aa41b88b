"""One selection a region, so that each region gives its own features."""

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline

from fusion.errors import Fault, HeadError
from fusion.heads.select.support import Kept, Table, support
from fusion.types import Events


class ByRegion(SelectorMixin, BaseEstimator):
    """Keeps what each region's own selection keeps of the region's columns.

    Args:
        selection: a pipeline of transformers, fitted once a region.
        widths: columns of each region, which stand side by side in the table.
    """

    def __init__(self, selection: Pipeline, widths: tuple[int, ...]) -> None:
        self.selection = selection
        self.widths = widths

    def fit(self, X: Table, y: Events) -> "ByRegion":
        """Fit the selection on each region's columns.

        Raises:
            HeadError: the regions have other columns than the table, or a selection keeps nothing.
        """
        self.n_features_in_ = X.shape[1]
        if sum(self.widths) != X.shape[1]:
            found = f"regions of {', '.join(map(str, self.widths))} features in a table of {X.shape[1]}"
            raise HeadError(Fault(found, "regions that make up the table", "give the table of these regions"))
        parts = np.split(X, np.cumsum(self.widths)[:-1], axis=1)
        self.selections_ = [clone(self.selection).fit(part, y) for part in parts]
        self.kept_: Kept = np.concatenate(
            [support(fitted, width) for fitted, width in zip(self.selections_, self.widths, strict=True)]
        )
        return self

    def _get_support_mask(self) -> Kept:
        return self.kept_
