"""Feature selection as scikit-learn transformers: correlation filter, then LASSO's strongest."""

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.linear_model import LassoCV, lasso_path
from sklearn.model_selection import StratifiedKFold

from fusion.errors import Fault, HeadError
from fusion.types import Events

Table = Float[np.ndarray, "case feature"]
Kept = Bool[np.ndarray, " feature"]


class DropFlat(SelectorMixin, BaseEstimator):
    """Keeps features that vary beyond rounding.

    Radiomics tables hold many constant columns (PyRadiomics' lbp-3D-m1 has one grey level at bin width 25).
    """

    def fit(self, X: Table, y: Events | None = None) -> "DropFlat":
        """Find the columns whose standard deviation exceeds 1e-10 of their largest magnitude."""
        self.n_features_in_ = X.shape[1]
        self.kept_: Kept = X.std(axis=0) > 1e-10 * np.abs(X).max(axis=0)
        if not self.kept_.any():
            found = f"{X.shape[1]} features, all constant over {len(X)} cases"
            raise HeadError(Fault(found, "a feature that varies", "check images and masks"))
        return self

    def _get_support_mask(self) -> Kept:
        return self.kept_


class DropCorrelated(SelectorMixin, BaseEstimator):
    """Of two features with |Pearson r| above ``threshold`` drops the later column.

    Which one goes depends on the column order alone, so it is the same in every run.
    """

    def __init__(self, threshold: float = 0.95) -> None:
        self.threshold = threshold

    def fit(self, X: Table, y: Events | None = None) -> "DropCorrelated":
        """Walk the columns in order; a kept column drops every later one too correlated with it."""
        self.n_features_in_ = X.shape[1]
        centred = X - X.mean(axis=0)
        norms = np.linalg.norm(centred, axis=0)
        unit = centred / np.where(norms > 0, norms, 1)
        kept = np.ones(X.shape[1], dtype=bool)
        for column in range(X.shape[1] - 1):
            if kept[column]:
                kept[column + 1 :] &= np.abs(unit[:, column] @ unit[:, column + 1 :]) <= self.threshold
        self.kept_: Kept = kept
        return self

    def _get_support_mask(self) -> Kept:
        return self.kept_


class LassoTop(SelectorMixin, BaseEstimator):
    """Keeps the ``top`` features with the largest absolute LASSO coefficient.

    The penalty is the one with the smallest ``folds``-fold cross-validated error (Tibshirani 1996) among those that
    keep at least one feature. Expects standardised columns.

    Args:
        top: features kept at most.
        folds: stratified cross-validation folds.
        seed: of the folds.
    """

    def __init__(self, top: int = 20, folds: int = 10, seed: int = 0) -> None:
        self.top = top
        self.folds = folds
        self.seed = seed

    def fit(self, X: Table, y: Events) -> "LassoTop":
        """Choose the penalty, then rank."""
        self.n_features_in_ = X.shape[1]
        smallest = int(np.bincount(y, minlength=2).min())
        if smallest < self.folds:
            found = f"{smallest} cases of the smaller class in a training part"
            raise HeadError(Fault(found, f"one a LASSO fold ({self.folds})", "lower heads.lasso_folds or add cases"))
        self.coef_ = self._coefficients(X, y)
        ranked = np.argsort(-np.abs(self.coef_), kind="stable")[: self.top]
        self.kept_: Kept = np.zeros(X.shape[1], dtype=bool)
        self.kept_[ranked[self.coef_[ranked] != 0]] = True
        return self

    def _coefficients(self, X: Table, y: Events) -> Float[np.ndarray, " feature"]:
        parts = StratifiedKFold(self.folds, shuffle=True, random_state=self.seed)
        # 60 penalties down to 1 % of the largest: scikit-learn's default features in a thirtieth of the time
        lasso = LassoCV(eps=1e-2, alphas=60, cv=parts, precompute=True, tol=1e-3, max_iter=20_000).fit(X, y)
        self.alpha_ = float(lasso.alpha_)
        if lasso.coef_.any():
            return lasso.coef_
        alphas, path, _ = lasso_path(X, y - y.mean(), alphas=lasso.alphas_, precompute=True, tol=1e-3, max_iter=20_000)
        first = int(np.flatnonzero(path.any(axis=0))[0])
        self.alpha_ = float(alphas[first])
        return path[:, first]

    def _get_support_mask(self) -> Kept:
        return self.kept_
