"""One logistic regression with intervals: maximum likelihood, or Firth's where that has no finite estimate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import statsmodels.api as sm
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.stats import chi2

from fusion.errors import HeadError
from fusion.evaluate import firth
from fusion.evaluate.separation import separated
from fusion.types import Events

Design = Float[ndarray, "case term"]
Terms = Float[ndarray, " term"]
Rule = Literal["never", "always", "separation"]
ML, FIRTH, NONE = "maximum likelihood, Wald", "Firth, profile likelihood", "none"


@dataclass(frozen=True)
class Fit:
    """Log odds ratios of the columns of a design with interval and P, how they were got, and what was wrong.

    ``joint_p`` has one P for each group of columns that was asked for; nan where there is no estimate.
    """

    coefficient: Terms
    low: Terms
    high: Terms
    p: Terms
    joint_p: tuple[float, ...]
    method: str
    note: str = ""
    separated: tuple[str, ...] = ()


def fit(
    design: Design, names: Sequence[str], events: Events, rule: Rule, confidence: float, groups: Sequence[Sequence[int]]
) -> Fit:
    """The regression of ``events`` on an intercept and ``design``, whose columns are called ``names``.

    Args:
        design: one column a term, without intercept.
        names: of the columns, for what is said.
        events: 1 for an event, 0 otherwise.
        rule: when Firth's penalised likelihood is used.
        confidence: of the intervals.
        groups: columns that are tested together by the (penalised) likelihood ratio; a column alone keeps its own P.
    """
    full = np.column_stack([np.ones(len(events)), design])
    if surplus := _surplus(full, names):
        return _empty(len(names), groups, f"no estimate: {', '.join(surplus)} follows from the other terms")
    parted = tuple(np.array(names)[separated(full, events)[1:]].tolist())
    why = f"separation: no finite maximum likelihood estimate of {', '.join(parted)}" if parted else ""
    if rule == "always" or (parted and rule == "separation"):
        return _firth(full, events, confidence, groups, why, parted)
    if parted:
        return _empty(len(names), groups, why, parted)
    return _likelihood(full, events, confidence, groups)


def _likelihood(full: Design, events: Events, confidence: float, groups: Sequence[Sequence[int]]) -> Fit:
    found = sm.Logit(events, full).fit(disp=0, maxiter=200, warn_convergence=False)
    if not found.mle_retvals["converged"]:
        return _empty(full.shape[1] - 1, groups, "no estimate: Newton's method did not settle in 200 steps")
    low, high = found.conf_int(1 - confidence)[1:].T
    own = found.pvalues[1:]

    def joint(columns: Sequence[int]) -> float:
        kept = np.delete(full, [column + 1 for column in columns], axis=1)
        less = sm.Logit(events, kept).fit(disp=0, maxiter=200, warn_convergence=False)
        return float(chi2.sf(max(2 * (found.llf - less.llf), 0.0), len(columns)))

    tests = tuple(float(own[group[0]]) if len(group) == 1 else joint(group) for group in groups)
    return Fit(found.params[1:], low, high, own, tests, ML)


def _firth(
    full: Design, events: Events, confidence: float, groups: Sequence[Sequence[int]], why: str, parted: tuple[str, ...]
) -> Fit:
    try:
        found = firth.firth(full, events, confidence)
        best = firth.Point(found.coefficient, found.log_likelihood)
        tests = tuple(firth.joint_p(full, events, best, _at(group, full.shape[1])) for group in groups)
    except HeadError as error:  # told in the table, as the other variables stand
        return _empty(full.shape[1] - 1, groups, "; ".join([f"no estimate: {error.faults[0].found}", why]), parted)
    return Fit(found.coefficient[1:], found.low[1:], found.high[1:], found.p[1:], tests, FIRTH, why, parted)


def _at(columns: Sequence[int], terms: int) -> Bool[ndarray, " term"]:
    return np.isin(np.arange(terms), [column + 1 for column in columns])


def _empty(terms: int, groups: Sequence[Sequence[int]], note: str, parted: tuple[str, ...] = ()) -> Fit:
    nothing = np.full(terms, np.nan)
    return Fit(nothing, nothing, nothing, nothing, (float("nan"),) * len(groups), NONE, note, parted)


def _surplus(full: Design, names: Sequence[str]) -> list[str]:
    """Terms that add nothing to the intercept and the terms before them."""
    ranks = [int(np.linalg.matrix_rank(full[:, :count])) for count in range(1, full.shape[1] + 1)]
    return [name for name, before, after in zip(names, ranks, ranks[1:], strict=False) if after == before]
