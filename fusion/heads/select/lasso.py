"""Features that a penalised regression keeps, its penalty chosen by cross-validation."""

from typing import Literal

import numpy as np
from jaxtyping import Float
from sklearn.linear_model import ElasticNetCV, enet_path
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from fusion.errors import Fault, HeadError
from fusion.heads.select.ranked import Ranked
from fusion.heads.select.support import Table
from fusion.types import Events

SETTINGS = {"eps": 1e-2, "tol": 1e-3, "max_iter": 20_000}
"""60 penalties down to 1 % of the largest: scikit-learn's default features in a thirtieth of the time."""
ALPHAS = 60


class LassoTop(Ranked):
    """Keeps the ``top`` features with the largest absolute coefficient of a LASSO or elastic net on the outcome.

    Expects standardised columns. The loss is (1/2n) |y - Xb|^2 + penalty (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2), the
    path runs from the smallest penalty that keeps nothing, max |X'(y - mean y)| / (n l1_ratio), downwards as in glmnet
    (Friedman, Hastie & Tibshirani 2010, doi:10.18637/jss.v033.i01; Tibshirani 1996; Zou & Hastie 2005).
    Where the chosen penalty keeps nothing, the largest that keeps something is taken, so that noise too has a model.

    Args:
        top: features kept at most; None for all with a coefficient.
        folds: stratified cross-validation folds; equal rows stay together.
        seed: of the folds.
        rule: `min` takes the penalty with the smallest cross-validated squared error; `one_se` the largest whose error
            is within one standard error of it, over folds of equal weight (Friedman 2010).
        l1_ratio: 1 for LASSO, less for elastic net.
        events_per_variable: as in ``Ranked``.
    """

    def __init__(
        self, top: int | None = 20, folds: int = 10, seed: int = 0, rule: Literal["min", "one_se"] = "min",
        l1_ratio: float = 1.0, events_per_variable: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(top, events_per_variable)
        self.folds = folds
        self.seed = seed
        self.rule = rule
        self.l1_ratio = l1_ratio

    def _scores(self, X: Table, y: Events) -> Float[np.ndarray, " feature"]:
        smallest = int(np.bincount(y, minlength=2).min())
        if smallest < self.folds:
            found = f"{smallest} cases of the smaller class in a training part"
            raise HeadError(Fault(found, f"one a LASSO fold ({self.folds})", "lower heads.lasso_folds or add cases"))
        if not X.std(axis=0).any():
            raise HeadError(self._nothing(X))
        self._follow(X, y)
        return np.abs(self.coef_)

    def _follow(self, X: Table, y: Events) -> None:
        """alphas_, mse_path_ (penalty x fold), alpha_ and coef_."""
        gram = X.shape[1] <= 2 * len(X)  # quicker there; slower beyond; the same numbers
        found = ElasticNetCV(
            l1_ratio=self.l1_ratio, alphas=ALPHAS, cv=self._parts(X, y), precompute=gram, **SETTINGS
        ).fit(X, y)
        self.alphas_, self.mse_path_ = found.alphas_, found.mse_path_
        options = {key: SETTINGS[key] for key in ("tol", "max_iter")}
        _, path, _ = enet_path(X - X.mean(axis=0), y - y.mean(), l1_ratio=self.l1_ratio, alphas=self.alphas_,
                               precompute=gram, **options)  # fmt: skip
        at = chosen(self.mse_path_, self.rule)
        if not path[:, at].any():
            if not path.any():
                raise HeadError(self._nothing(X))
            at = int(np.flatnonzero(path.any(axis=0))[0])
        self.alpha_, self.coef_, self.path_ = float(self.alphas_[at]), path[:, at], path

    def _parts(self, X: Table, y: Events) -> list[tuple[np.ndarray, np.ndarray]]:
        """The folds; equal rows, as a bootstrap sample holds them, share one, so that no case judges its own copy."""
        if len(np.unique(X[:, 0])) == len(X) or len(np.unique(X, axis=0)) == len(X):
            return list(StratifiedKFold(self.folds, shuffle=True, random_state=self.seed).split(X, y))
        _, copies = np.unique(X, axis=0, return_inverse=True)
        return list(StratifiedGroupKFold(self.folds, shuffle=True, random_state=self.seed).split(X, y, copies))


def chosen(errors: Float[np.ndarray, "penalty fold"], rule: Literal["min", "one_se"]) -> int:
    """The position of the penalty that ``rule`` takes, penalties from large to small.

    >>> chosen(np.array([[5.0, 3.0], [3.0, 2.0], [2.5, 1.5]]), "one_se")
    1
    """
    mean = errors.mean(axis=1)
    best = int(mean.argmin())
    if rule == "min":
        return best
    spread = errors[best].std(ddof=1) / np.sqrt(errors.shape[1])
    return int(np.flatnonzero(mean <= mean[best] + spread)[0])
