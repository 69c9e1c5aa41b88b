"""Columns that do not vary."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin

from fusion.errors import Fault, HeadError
from fusion.heads.select.support import Kept, Table
from fusion.types import Events


class DropFlat(SelectorMixin, BaseEstimator):
    """Keeps features that vary beyond rounding.

    Radiomics tables hold many constant columns (PyRadiomics' lbp-3D-m1 has one grey level at bin width 25).

    Args:
        relative: smallest standard deviation of a kept column, as a share of its largest magnitude.
    """

    def __init__(self, relative: float = 1e-10) -> None:
        self.relative = relative

    def fit(self, X: Table, y: Events | None = None) -> "DropFlat":
        """Find the columns that vary.

        Raises:
            HeadError: none does.
        """
        self.n_features_in_ = X.shape[1]
        self.kept_: Kept = X.std(axis=0) > self.relative * np.abs(X).max(axis=0)
        if not self.kept_.any():
            found = f"{X.shape[1]} features, all constant over {len(X)} cases"
            raise HeadError(Fault(found, "a feature that varies", "check images and masks"))
        return self

    def _get_support_mask(self) -> Kept:
        return self.kept_
