"""Logistic regression that stays finite under separation: Firth's penalised likelihood."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import chi2

from fusion.errors import Fault, HeadError
from fusion.types import Events

Design = Float[ndarray, "case term"]
Terms = Float[ndarray, " term"]
ITERATIONS, HALVINGS = 500, 60
TOLERANCE = 1e-20
"""Newton stops where a step promises to raise the log-likelihood by less than about half of this."""
ROUNDING = 1e-13
"""A likelihood this much lower, relatively, may be the same one rounded."""
REACH = 60
"""Times that the search for an interval's end doubles its step."""


@dataclass(frozen=True)
class Firth:
    """Coefficients (log odds ratios) of every column, their profile intervals, penalised likelihood-ratio P."""

    coefficient: Terms
    low: Terms
    high: Terms
    p: Terms
    log_likelihood: float


@dataclass(frozen=True)
class Point:
    """Where a maximisation ended."""

    beta: Terms
    log_likelihood: float


def firth(design: Design, events: Events, confidence: float = 0.95) -> Firth:
    """Firth 1993, doi:10.1093/biomet/80.1.27, with the intervals of Heinze & Schemper 2002, doi:10.1002/sim.1047.

    The likelihood is multiplied by the root of the information's determinant. An interval's ends are where the
    penalised profile likelihood has fallen by half the chi-square quantile; P compares with the coefficient at zero,
    the penalty being that of the whole model, as in R's logistf.

    Args:
        design: one column a term, with a column of ones where an intercept is wanted.
        events: 1 for an event, 0 otherwise.
        confidence: of the intervals.

    Raises:
        HeadError: a column is a combination of others, or the search did not settle.
    """
    _full_rank(design)
    best = maximise(design, events)
    ends = [_interval(design, events, best, term, confidence) for term in range(design.shape[1])]
    tests = [joint_p(design, events, best, np.arange(design.shape[1]) == term) for term in range(design.shape[1])]
    return Firth(best.beta, np.array([end[0] for end in ends]), np.array([end[1] for end in ends]), np.array(tests),
                 best.log_likelihood)  # fmt: skip


def joint_p(design: Design, events: Events, best: Point, terms: Bool[ndarray, " term"]) -> float:
    """P of the penalised likelihood-ratio test that the coefficients of ``terms`` are all zero."""
    without = maximise(design, events, np.where(terms, 0.0, best.beta), ~terms)
    return float(chi2.sf(max(2 * (best.log_likelihood - without.log_likelihood), 0.0), int(terms.sum())))


def maximise(
    design: Design, events: Events, start: Terms | None = None, free: Bool[ndarray, " term"] | None = None
) -> Point:
    """The largest penalised likelihood over the ``free`` coefficients, the others held at ``start``.

    Newton's method with Firth's modified score; a step that loses is halved.

    Raises:
        HeadError: no maximum was found.
    """
    beta = np.zeros(design.shape[1]) if start is None else start.copy()
    free = np.ones(design.shape[1], bool) if free is None else free
    value, score, root = _penalised(design, events, beta)
    if not free.any():
        return Point(beta, value)
    for _ in range(ITERATIONS):
        step = np.zeros_like(beta)
        step[free] = np.linalg.lstsq(root[:, free].T @ root[:, free], score[free])[0]
        if float(step @ score) < TOLERANCE:
            return Point(beta, value)
        for _ in range(HALVINGS):
            tried = _penalised(design, events, beta + step)
            if tried[0] >= value - ROUNDING * abs(value):
                break
            step = step / 2
        beta, (value, score, root) = beta + step, tried
    found = f"no maximum of the penalised likelihood after {ITERATIONS} steps"
    raise HeadError(Fault(found, "a maximum", "name fewer variables in evaluate.odds.variables"))


def _penalised(design: Design, events: Events, beta: Terms) -> tuple[float, Terms, Float[ndarray, "term term"]]:
    """Penalised log-likelihood, modified score, and a root of the information (R with R'R = X'WX)."""
    odds = design @ beta
    probability = expit(odds)
    q, root = np.linalg.qr(np.sqrt(probability * expit(-odds))[:, None] * design)
    diagonal = np.abs(np.diag(root))
    if not (diagonal > 0).all():
        return -np.inf, np.zeros_like(beta), root
    likelihood = float(events @ odds - np.logaddexp(0, odds).sum())
    leverage = (q**2).sum(axis=1)
    score = design.T @ (events - probability + leverage * (0.5 - probability))
    return likelihood + float(np.log(diagonal).sum()), score, root


def _interval(design: Design, events: Events, best: Point, term: int, confidence: float) -> tuple[float, float]:
    limit = best.log_likelihood - chi2.ppf(confidence, 1) / 2
    free = np.arange(design.shape[1]) != term

    def above(value: float) -> float:
        start = np.where(free, best.beta, value)
        return maximise(design, events, start, free).log_likelihood - limit

    root = _penalised(design, events, best.beta)[2]
    error = float(np.linalg.norm(np.linalg.inv(root)[term]))
    centre = float(best.beta[term])
    return _end(above, centre, -error), _end(above, centre, error)


def _end(above: Callable[[float], float], centre: float, step: float) -> float:
    """Where the profile crosses the limit, from the estimate in the direction of ``step``."""
    inner, outer = centre, centre + step
    for _ in range(REACH):
        if above(outer) < 0:
            return float(brentq(above, inner, outer, xtol=1e-9 * max(1.0, abs(outer)), rtol=1e-10))
        inner, outer = outer, centre + 2 * (outer - centre)
    found = "a penalised profile likelihood that does not fall"
    raise HeadError(Fault(found, "an interval with two ends", "leave the variable out of evaluate.odds.variables"))


def _full_rank(design: Design) -> None:
    scaled = design / np.maximum(np.abs(design).max(axis=0), 1e-300)
    rank = int(np.linalg.matrix_rank(scaled))
    if rank < design.shape[1]:
        found = f"{design.shape[1]} terms of which {design.shape[1] - rank} are combinations of the others"
        raise HeadError(Fault(found, "terms that say different things", "name fewer in evaluate.odds.variables"))
