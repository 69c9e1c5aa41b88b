"""One model in two cells over the same cases: the difference of its AUCs, with interval and P."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import norm

from fusion.evaluate import metrics, patient_draws
from fusion.evaluate.classes import PerSample
from fusion.evaluate.discrimination import UNDEFINED, delong_test
from fusion.evaluate.sweep.alike import apart
from fusion.evaluate.sweep.cell import Cell
from fusion.evaluate.sweep.scores import Drawn, Scores, draw, mean_auc, repeats, sampled_auc

DELONG = "DeLong"
BOOTSTRAP = "bootstrap of patients"
NONE = "none: "
"""Begins the reason why there is no test."""


@dataclass(frozen=True)
class Paired:
    """AUC of one cell minus that of the other, and how it was tested; unknown numbers are nan."""

    difference: float
    low: float
    high: float
    p: float
    test: str


def paired(own: Cell, first: Cell, model: str, set_: str) -> Paired:
    """``own`` minus ``first`` in one model and set.

    DeLong's test where each case has one probability of an event. Where rounds repeat each other, and for more than
    two classes, patients are drawn for both cells together: percentile interval, and P from the difference over its
    bootstrap standard error (as roc.test(method="bootstrap") of R's pROC, Robin 2011, doi:10.1186/1471-2105-12-77).
    """
    if reason := _untestable(own, first, model, set_):
        return Paired(np.nan, *UNDEFINED, np.nan, f"{NONE}{reason}")
    one, two = (repeats(cell.scores(model, set_).values()) for cell in (own, first))
    if len(one) == 1 and one[0].binary:
        return _delong(one[0], two[0], own.run.evaluate.confidence)
    drawn, of_first = _drawn(first, model, set_)
    samples = sampled_auc(one, drawn) - of_first
    return _bootstrap(mean_auc(one) - mean_auc(two), samples, first.run.evaluate.confidence)


@lru_cache(maxsize=1)  # every cell is compared with the first in a model and set before the next
def _drawn(first: Cell, model: str, set_: str) -> tuple[Drawn, PerSample]:
    """Samples of patients, and the first cell's mean AUC in each."""
    parts = repeats(first.scores(model, set_).values())
    generator = metrics.stream(first.run.seed, "sweep", model, set_)
    found = draw(parts, first.patient, generator, first.run.evaluate.bootstrap)
    return found, sampled_auc(parts, found)


def _untestable(own: Cell, first: Cell, model: str, set_: str) -> str:
    if not first.scores(model, set_):
        return f"{first.name} has no {model} there"
    if reason := apart(own, first, model, set_):
        return reason
    if any(np.isnan(part.auc) for part in repeats(own.scores(model, set_).values())):
        return "a class without a case"
    return ""


def _delong(one: Scores, two: Scores, confidence: float) -> Paired:
    test = delong_test(one.probability[:, 1], two.probability[:, 1], one.label, confidence)
    return Paired(test.difference, test.low, test.high, test.p, DELONG)


def _bootstrap(difference: float, samples: np.ndarray, confidence: float) -> Paired:
    low, high = patient_draws.percentiles(samples, confidence)
    error = float(np.nanstd(samples, ddof=1)) if not np.isnan(low) else np.nan
    p = 1.0 if difference == 0 else float(2 * norm.sf(abs(difference) / error)) if error > 1e-12 else np.nan
    return Paired(difference, float(low), float(high), p, BOOTSTRAP)
