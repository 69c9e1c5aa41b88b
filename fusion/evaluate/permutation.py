"""Could the same pipeline have found as much in labels that mean nothing: a permutation test of the whole of it."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from fusion.errors import HeadError
from fusion.evaluate.discrimination import auc
from fusion.evaluate.draws import permuted
from fusion.heads.refit import Material, out_of_fold
from fusion.progress import each

OBSERVED = 0
"""The number of the run's own labels among the permutations."""
COLUMNS = ("model", "permutation", "auc")


def permutation(known: Material, models: Sequence[str], count: int, seed: int, jobs: int = 0) -> pd.DataFrame:
    """Out-of-fold AUC with the true outcome (``OBSERVED``) and with ``count`` permuted ones, a row a model and outcome.

    The outcome is exchanged between training patients and everything is fitted again, selection too. A model into which
    a trained network's score enters has no place here: that score still knows the true outcome.

    Args:
        known: what the models are refitted from.
        models: names from ``combine.SOURCES``, without networks.
        count: permutations.
        seed: of the permutations; the first ones do not depend on how many there are.
        jobs: worker processes; does not change a number.

    Returns:
        Columns ``COLUMNS``; ``auc`` is nan where a permuted outcome could not be fitted.

    Raises:
        HeadError: the true outcome cannot be fitted.
    """
    truth = _aucs(known, models)
    verb = partial(_permuted, known=known, models=tuple(models), seed=seed)
    found = {OBSERVED: truth, **dict(each(verb, list(range(1, count + 1)), "permutations", jobs))}
    return pd.DataFrame(
        [(model, number, found[number][model]) for model in models for number in range(count + 1)],
        columns=list(COLUMNS),
    )


def p_value(observed: float, null: Sequence[float]) -> float:
    """Chance of an AUC of ``observed`` or more without information, (1 + b) / (1 + m).

    Phipson & Smyth 2010, doi:10.2202/1544-6115.1585: with the observed among its m permutations P is never 0. Those
    that could not be fitted (nan) do not count.

    >>> p_value(0.8, [0.5, 0.9, 0.4])
    0.5
    """
    made = np.asarray(null, dtype=float)
    made = made[~np.isnan(made)]
    return float((1 + (made >= observed - 1e-12).sum()) / (1 + len(made)))


def _permuted(number: int, known: Material, models: tuple[str, ...], seed: int) -> dict[str, float]:
    events = permuted(known.cohort, np.random.default_rng([seed, number]))
    try:
        return _aucs(known.with_events(events), models)
    except HeadError:  # a row without an AUC, which the report counts
        return dict.fromkeys(models, float("nan"))


def _aucs(known: Material, models: Sequence[str]) -> dict[str, float]:
    events = known.events[known.train]
    return {model: auc(own, events) for model, own in out_of_fold(models, known.train, known).items()}
