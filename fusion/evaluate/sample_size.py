"""How many cases a model needs to be developed, and a test set to judge it by: before the first is fitted."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_expit, logit
from scipy.stats import norm

SHRINKAGE, SMALL, MARGIN = 0.9, 0.05, 0.05
"""Wanted of a development: predictor effects shrunk by 10 % at most, apparent and adjusted R2 within .05 of another,
overall risk known within .05 (Riley 2019, doi:10.1002/sim.7992)."""


@dataclass(frozen=True)
class Needed:
    """Cases that a development needs, by criterion, and events a candidate predictor with as many as the largest.

    ``r2`` is the Cox-Snell R2 that was expected.
    """

    shrinkage: int
    optimism: int
    risk: int
    r2: float
    events_per_predictor: float

    @property
    def cases(self) -> int:
        """The largest of the three."""
        return max(self.shrinkage, self.optimism, self.risk)


def needed(predictors: int, prevalence: float, r2: float) -> Needed:
    """Cases to develop a logistic model with ``predictors`` candidate parameters.

    Riley 2020, doi:10.1136/bmj.m441, with the criteria of Riley 2019, doi:10.1002/sim.7992: expected shrinkage .9,
    difference of apparent and adjusted Nagelkerke R2 .05, overall risk within .05. Candidates are all that were looked
    at, not those kept.

    Args:
        predictors: candidate parameters.
        prevalence: share of events.
        r2: Cox-Snell R2 expected of the model, in (0, ``largest_r2``).

    >>> needed(24, prevalence=0.174, r2=0.288).cases
    662
    """
    small = r2 / (r2 + SMALL * largest_r2(prevalence))
    by_shrinkage, by_optimism = (_cases(predictors, r2, wanted) for wanted in (SHRINKAGE, small))
    by_risk = math.ceil((1.96 / MARGIN) ** 2 * prevalence * (1 - prevalence))
    events = max(by_shrinkage, by_optimism, by_risk) * prevalence
    return Needed(by_shrinkage, by_optimism, by_risk, r2, events / predictors)


def shrinkage(cases: int, predictors: int, r2: float) -> float:
    """Shrinkage to expect of a model with so many cases and candidates: 1 none; the lower, the more it overfits.

    The first criterion of Riley 2019 read the other way round. 0 where there are so many candidates that it has no
    solution.
    """
    low = r2 * (1 + 1e-9)
    if _cases(predictors, r2, low) > cases:
        return 0.0
    return float(brentq(lambda wanted: _exact(predictors, r2, wanted) - cases, low, 1 - 1e-12))


def largest_r2(prevalence: float) -> float:
    """Largest Cox-Snell R2 that an outcome of this prevalence allows (Riley 2019, equation 23).

    >>> round(largest_r2(0.5), 2)
    0.75
    """
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    return 1 - math.exp(2 * null)


def r2_of(c: float, prevalence: float) -> float:
    """Cox-Snell R2 that goes with a C statistic, for log-odds that are normal in both classes with one variance.

    The assumption of Riley 2021, doi:10.1002/sim.8806, who simulates; here the likelihood is integrated.

    Args:
        c: expected AUC, in (0.5, 1).
        prevalence: share of events.
    """
    shift = math.sqrt(2) * float(norm.ppf(c))
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    offset = float(logit(prevalence)) - shift**2 / 2
    events = (weights * log_expit(offset + shift * (nodes + shift))).sum()
    others = (weights * log_expit(-(offset + shift * nodes))).sum()
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    return float(1 - math.exp(-2 * (prevalence * events + (1 - prevalence) * others - null)))


def hanley_error(auc: float, events: int | float, others: int | float) -> float:
    """Standard error of an AUC (Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747).

    >>> round(hanley_error(0.765, events=27, others=81), 4)
    0.0578
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (events - 1) * (q1 - auc**2) + (others - 1) * (q2 - auc**2)
    return math.sqrt(spread / (events * others))


def detectable(auc: float, events: int, others: int, correlation: float, power: float = 0.8) -> float:
    """Smallest gap below ``auc`` that a paired two-sided test at .05 finds with ``power``.

    Hanley & McNeil 1983, doi:10.1148/radiology.148.3.6878708, each AUC with its own standard error.

    Args:
        auc: of the better model.
        events: of the test set.
        others: non-events of the test set.
        correlation: of the two AUCs, in [0, 1).
        power: chance to find the gap, in (0, 1).

    Returns:
        The gap, or nan where no gap down to an AUC of one half would be found.
    """
    reach = float(norm.ppf(0.975) + norm.ppf(power))
    first = hanley_error(auc, events, others)

    def lacks(gap: float) -> float:
        second = hanley_error(auc - gap, events, others)
        return reach * math.sqrt(first**2 + second**2 - 2 * correlation * first * second) - gap

    widest = auc - 0.5
    return float(brentq(lacks, 1e-9, widest)) if widest > 0 and lacks(widest) < 0 else float("nan")


def cases_for_width(auc: float, prevalence: float, width: float = 0.1) -> int:
    """Cases of a test set whose 95 % interval of the AUC is no wider than ``width`` (Hanley & McNeil 1982)."""

    def wide(cases: float) -> float:
        events = prevalence * cases
        return 2 * 1.96 * hanley_error(auc, events, cases - events) - width

    return math.ceil(brentq(wide, 4 / min(prevalence, 1 - prevalence), 1e9))


def _cases(predictors: int, r2: float, wanted: float) -> int:
    return math.ceil(_exact(predictors, r2, wanted))


def _exact(predictors: int, r2: float, wanted: float) -> float:
    """Cases at which the expected shrinkage is ``wanted``."""
    return predictors / ((wanted - 1) * math.log(1 - r2 / wanted))
