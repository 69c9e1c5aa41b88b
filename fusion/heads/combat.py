"""ComBat: features of several scanners brought to one mean and one spread, learned from some cases, applied to any."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Shaped
from numpy import ndarray
from sklearn.base import BaseEstimator

from fusion.errors import Fault, HeadError

Table = Float[ndarray, "case feature"]
Covariates = Float[ndarray, "case covariate"]
OneHot = Float[ndarray, "case scanner"]
Names = Shaped[ndarray, " case"]
PerFeature = Float[ndarray, " feature"]
LEAST = 2
"""Cases from which a scanner's mean and spread can be learned."""
ROUNDING = 1e-10
"""A feature whose spread within a scanner is below this share of its largest magnitude does not vary there."""
TOLERANCE, STEPS = 1e-9, 10_000
"""Largest change of a variance's logarithm at which the estimates stand; steps at most."""


class ComBat(BaseEstimator):
    """Empirical Bayes adjustment of location and scale by scanner, with parametric priors.

    Johnson 2007, doi:10.1093/biostatistics/kxj037; for imaging Fortin 2018, doi:10.1016/j.neuroimage.2017.11.024. A
    feature is modelled as mean + covariates + scanner mean + scanner spread x noise. A scanner's mean and spread are
    drawn towards those that it has over all features, the more the fewer its cases. A feature that does not vary within
    some scanner tells nothing of that scanner's spread and is left as it is.

    Args:
        mean_only: align means and leave spreads alone; a mean then weighs as one case, as in R's sva.
        unseen: what becomes of scanners with fewer than two cases when fitted, or none: ``refuse``, or ``as_is``.
    """

    def __init__(self, mean_only: bool = False, unseen: Literal["refuse", "as_is"] = "refuse") -> None:
        self.mean_only = mean_only
        self.unseen = unseen

    def fit(self, X: Table, scanner: Names, covariates: Covariates | None = None) -> "ComBat":
        """Learn means and spreads.

        Args:
            X: features of the cases to learn from, and from no others.
            scanner: where each case was scanned.
            covariates: columns whose effect is kept; never the outcome, which a new case does not have.

        Raises:
            HeadError: fewer than two scanners with two cases each, a scanner with one case (unless ``as_is``),
                covariates that cannot be told from the scanners, or fewer than two features that vary.
        """
        self.n_features_in_ = X.shape[1]
        names, counts = np.unique(scanner, return_counts=True)
        self.scanners_ = names[counts >= LEAST]
        if (counts < LEAST).any() and self.unseen == "refuse":
            raise HeadError(unlearned(names[counts < LEAST], "the cases that ComBat is fitted on"))
        if len(self.scanners_) < 2:
            found = f"{len(self.scanners_)} scanners with {LEAST} cases or more"
            raise HeadError(Fault(found, "two to align", "set heads.harmonise=null"))
        known = np.isin(scanner, self.scanners_)
        self._learn(X[known], _one_hot(scanner[known], self.scanners_), _columns(covariates, len(X))[known])
        return self

    def transform(self, X: Table, scanner: Names, covariates: Covariates | None = None) -> Table:
        """``X`` as if every case came from the average scanner.

        Raises:
            HeadError: a scanner that was not learned, unless ``unseen`` is ``as_is``: its rows then stay as they are.
        """
        known = np.isin(scanner, self.scanners_)
        if not known.all() and self.unseen == "refuse":
            raise HeadError(unlearned(np.unique(scanner[~known]), "the cases that ComBat was fitted on"))
        rows, one_hot = np.ix_(known, self.varies_), _one_hot(scanner[known], self.scanners_)
        expected = self.mean_ + _columns(covariates, len(X))[known] @ self.effects_
        standard = (X[rows] - expected) / self.spread_
        aligned = X.copy()
        aligned[rows] = self.spread_ * (standard - one_hot @ self.shift_) / (one_hot @ self.scale_) + expected
        return aligned

    def fit_transform(self, X: Table, scanner: Names, covariates: Covariates | None = None) -> Table:
        """``fit``, then ``transform`` of the same cases."""
        return self.fit(X, scanner, covariates).transform(X, scanner, covariates)

    def _learn(self, X: Table, one_hot: OneHot, covariates: Covariates) -> None:
        self.varies_ = _varies(X, one_hot)
        if self.varies_.sum() < 2:
            found = f"{self.varies_.sum()} features that vary within every scanner"
            raise HeadError(Fault(found, "two or more, as ComBat reads them together", "set heads.harmonise=null"))
        design = np.concatenate([one_hot, covariates], axis=1)
        if confounded(design):
            raise HeadError(CONFOUNDED)
        values = X[:, self.varies_]
        fitted = np.linalg.lstsq(design, values, rcond=None)[0]
        own = len(self.scanners_)
        self.mean_, self.effects_ = one_hot.mean(axis=0) @ fitted[:own], fitted[own:]
        self.spread_ = np.sqrt(((values - design @ fitted) ** 2).mean(axis=0))
        standard = (values - self.mean_ - covariates @ self.effects_) / self.spread_
        parts = [_moments(standard[column > 0]) for column in one_hot.T]
        pairs = [_mean_only(part) if self.mean_only else _posterior(part) for part in parts]
        self.shift_ = np.stack([shift for shift, _ in pairs])
        self.scale_ = np.sqrt(np.stack([variance for _, variance in pairs]))


CONFOUNDED = Fault(
    "covariates that cannot be told from each other or from the scanners",
    "fewer of them than cases, each varying within scanners",
    "change heads.harmonise.covariates",
)


def unlearned(scanners: Names, place: str) -> Fault:
    """Scanners of which ``place`` holds too few cases."""
    found = f"fewer than {LEAST} cases of scanner {', '.join(map(str, scanners))} in {place}"
    remedy = "set heads.harmonise.unseen=as_is, merge scanners in the table, or add cases"
    return Fault(found, f"{LEAST} or more, from which ComBat can learn it", remedy)


def confounded(design: Float[ndarray, "case column"]) -> bool:
    """Whether the columns of a design cannot be told apart, or leave no case to measure noise by."""
    return len(design) <= design.shape[1] or int(np.linalg.matrix_rank(design)) < design.shape[1]


@dataclass(frozen=True)
class _Moments:
    """Cases of one scanner, with mean, variance and sum of squares about the mean of every standardised feature."""

    cases: int
    mean: PerFeature
    variance: PerFeature
    squares: PerFeature


def _moments(standard: Table) -> _Moments:
    squares = ((standard - standard.mean(axis=0)) ** 2).sum(axis=0)
    return _Moments(len(standard), standard.mean(axis=0), squares / (len(standard) - 1), squares)


def _posterior(own: _Moments) -> tuple[PerFeature, PerFeature]:
    """Posterior mean and variance of a scanner: Johnson 2007, section 3, priors by the method of moments."""
    centre, width = own.mean.mean(), own.mean.var(ddof=1)
    m, s = own.variance.mean(), own.variance.var(ddof=1)
    shape, rate = (2 * s + m**2) / s, (m * s + m**3) / s
    variance = own.variance
    for _ in range(STEPS):
        mean = (own.cases * width * own.mean + variance * centre) / (own.cases * width + variance)
        squares = own.squares + own.cases * (own.mean - mean) ** 2
        after = (squares / 2 + rate) / (own.cases / 2 + shape - 1)
        change, variance = np.abs(np.log(after / variance)).max(), after
        if change < TOLERANCE:
            return mean, variance
    found = f"estimates that still move after {STEPS} steps"
    raise HeadError(Fault(found, "estimates that settle", "set heads.harmonise.mean_only=true"))


def _mean_only(own: _Moments) -> tuple[PerFeature, PerFeature]:
    centre, width = own.mean.mean(), own.mean.var(ddof=1)
    return (width * own.mean + centre) / (width + 1), np.ones_like(own.mean)


def _varies(X: Table, one_hot: OneHot) -> Bool[ndarray, " feature"]:
    """Features that vary within every scanner."""
    spreads = np.stack([X[column > 0].std(axis=0) for column in one_hot.T])
    return (spreads > ROUNDING * np.abs(X).max(axis=0)).all(axis=0)


def _one_hot(scanner: Names, scanners: Shaped[ndarray, " scanner"]) -> OneHot:
    return (scanner[:, None] == scanners).astype(float)


def _columns(covariates: Covariates | None, cases: int) -> Covariates:
    return np.empty((cases, 0)) if covariates is None else covariates
