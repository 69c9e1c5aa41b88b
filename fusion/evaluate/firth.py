"""Logistic regression that stays finite under separation: Firth's penalised likelihood."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import chi2

from fusion.errors import Fault, HeadError
from fusion.types import Events

Design = Float[ndarray, "case term"]
Terms = Float[ndarray, " term"]
Square = Float[ndarray, "term term"]
ITERATIONS, HALVINGS = 200, 60
TOLERANCE, SETTLED = 1e-20, 1e-12
"""A search ends where the next step promises less than about half of this; where rounding stops it, at the second."""
ROUNDING = 1e-12
"""A likelihood this much lower may be the same one rounded."""
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
    without = maximise(design, events, free=~terms)
    return float(chi2.sf(max(2 * (best.log_likelihood - without.log_likelihood), 0.0), int(terms.sum())))


def maximise(
    design: Design, events: Events, start: Terms | None = None, free: Bool[ndarray, " term"] | None = None
) -> Point:
    """The largest penalised likelihood over the ``free`` coefficients, the others held at ``start``.

    Newton's method; a step that loses is halved.

    Raises:
        HeadError: no maximum was found.
    """
    beta = np.zeros(design.shape[1]) if start is None else start.copy()
    free = np.ones(design.shape[1], bool) if free is None else free
    here = _look(design, events, beta)
    for _ in range(ITERATIONS if free.any() else 0):
        step = np.zeros_like(beta)
        step[free] = _direction(here, free)
        gain = float(step @ here.score)
        if gain < TOLERANCE:
            return Point(beta, here.value)
        for _ in range(HALVINGS):
            there = _look(design, events, beta + step)
            if there.value >= here.value - ROUNDING * (1 + abs(here.value)):
                break
            step = step / 2
        else:
            break
        beta, here = beta + step, there
    if not free.any() or gain < SETTLED:
        return Point(beta, here.value)
    found = "a penalised likelihood whose maximum was not found"
    raise HeadError(Fault(found, "a maximum", "name fewer variables in evaluate.odds.variables"))


@dataclass(frozen=True)
class Look:
    """The penalised log-likelihood at one place, its slope (Firth's modified score), curvature and information."""

    value: float
    score: Terms
    curvature: Square
    information: Square


def _look(design: Design, events: Events, beta: Terms) -> Look:
    """The curvature counts the penalty's too, whose leverages change with the coefficients."""
    odds = design @ beta
    weight = expit(odds) * expit(-odds)
    q, root = np.linalg.qr(np.sqrt(weight)[:, None] * design)
    diagonal = np.abs(np.diag(root))
    if not (diagonal > 0).all():
        return Look(-np.inf, np.zeros_like(beta), -np.eye(len(beta)), np.eye(len(beta)))
    leverage, lean = (q**2).sum(axis=1), 0.5 - expit(odds)
    value = float(events @ odds - np.logaddexp(0, odds).sum() + np.log(diagonal).sum())
    score = design.T @ (events - expit(odds) + leverage * lean)
    pairs = np.einsum("ct,ca,cb->tab", design * lean[:, None], q, q, optimize=True).reshape(len(beta), -1)
    own = 2 * lean**2 * leverage - weight * (1 + leverage)
    return Look(value, score, (design.T * own) @ design - 2 * pairs @ pairs.T, root.T @ root)


def _direction(here: Look, free: Bool[ndarray, " term"]) -> Float[ndarray, " free"]:
    """Newton's step where the likelihood is concave, Fisher's scoring elsewhere."""
    block = np.ix_(free, free)
    try:
        return cho_solve(cho_factor(-here.curvature[block]), here.score[free])
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(here.information[block], here.score[free])[0]


def _interval(design: Design, events: Events, best: Point, term: int, confidence: float) -> tuple[float, float]:
    """The profile is followed outwards, every point from its nearest neighbour along the information's slope."""
    limit = best.log_likelihood - chi2.ppf(confidence, 1) / 2
    free, known = np.arange(design.shape[1]) != term, [best]

    def above(value: float) -> float:
        near = min(known, key=lambda point: abs(point.beta[term] - value))
        slope = np.linalg.inv(_look(design, events, near.beta).information)[term]
        start = near.beta + (value - near.beta[term]) * slope / slope[term]
        known.append(maximise(design, events, start, free))
        return known[-1].log_likelihood - limit

    centre = float(best.beta[term])
    error = float(np.sqrt(np.linalg.inv(_look(design, events, best.beta).information)[term, term]))
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
