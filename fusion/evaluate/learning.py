"""Would more cases help: the AUC of models that learned from growing parts of the training set."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from fusion.errors import HeadError
from fusion.evaluate.discrimination import auc, delong, delong_test
from fusion.evaluate.draws import subset
from fusion.heads.refit import Material, out_of_fold
from fusion.progress import each
from fusion.types import Vector

SHARES = (0.4, 0.55, 0.7, 0.85)
"""Of the training patients; the whole is the run's own."""
DRAWS = 5
COLUMNS = ("model", "share", "draw", "patients", "cases", "auc", "error", "gain", "gain_error")


def learning(
    known: Material, models: Sequence[str], seed: int, jobs: int = 0, shares: Sequence[float] = SHARES,
    draws: int = DRAWS,
) -> pd.DataFrame:  # fmt: skip
    """One row a model, size and draw, and one a model for the whole training set.

    Whatever a model learned from, it judges the same cases: every training case, by heads that learned from the drawn
    patients outside its fold. So the sizes differ in what was learned alone.

    Args:
        known: what the models are refitted from.
        models: names from ``combine.SOURCES`` without networks' own.
        seed: of the draws.
        jobs: worker processes; does not change a number.
        shares: of the patients of each outcome, below 1.
        draws: subsets of each size.

    Returns:
        Columns ``COLUMNS``: patients and cases drawn, of which each head saw those outside a fold; ``auc`` with its
        standard error (DeLong); ``gain`` of the whole training set over this draw, with the standard error of DeLong's
        paired comparison. All nan in a draw too small for one of the models, so that all have
        the same draws.

    Raises:
        HeadError: the training set itself cannot be fitted on.
    """
    whole = out_of_fold(models, known.train, known)
    items = [(share, draw) for share in shares for draw in range(draws)]
    verb = partial(_draw, known=known, models=tuple(models), seed=seed, whole=whole)
    found = dict(each(verb, items, "learning curve", jobs))
    full = [_row(model, 1.0, 0, known.train, whole[model], whole[model], known) for model in models]
    return pd.DataFrame([row for item in items for row in found[item]] + full, columns=list(COLUMNS))


def summary(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """By share: fitted draws, mean patients, auc and gain, each with a standard error that counts both judged cases and
    draws.

    The variance is the mean over draws of DeLong's, plus the variance between draws over their number.
    """
    own = table[table["model"] == model]
    rows = []
    for share, drawn in own.groupby("share"):
        kept = drawn.dropna(subset="auc")
        row = {"share": share, "draws": len(drawn), "fitted": len(kept), "patients": drawn["patients"].mean()}
        for name, error in (("auc", "error"), ("gain", "gain_error")):
            between = kept[name].var() / len(kept) if len(kept) > 1 else 0.0
            row |= {name: kept[name].mean(), error: float(np.sqrt((kept[error] ** 2).mean() + between))}
        rows.append(row)
    return pd.DataFrame(rows)


def _draw(
    item: tuple[float, int], known: Material, models: tuple[str, ...], seed: int, whole: dict[str, Vector]
) -> list[dict[str, object]]:
    share, draw = item
    generator = np.random.default_rng([seed, round(1000 * share), draw])
    members = subset(known.cohort, share, generator)
    try:
        found = out_of_fold(models, members, known)
    except HeadError:  # a row without an AUC, which the report counts
        found = {}
    return [_row(model, share, draw, members, found.get(model), whole[model], known) for model in models]


def _row(
    model: str, share: float, draw: int, members: np.ndarray, found: Vector | None, whole: Vector, known: Material
) -> dict[str, object]:
    row: dict[str, object] = {
        "model": model, "share": share, "draw": draw, "cases": len(members),
        "patients": known.cohort["patient"].iloc[members].nunique(),
    }  # fmt: skip
    if found is None:
        return row
    events = known.events[known.train]
    gain = delong_test(whole, found, events)
    error = float(np.sqrt(delong(found[None], events)[1][0, 0]))
    return {**row, "auc": auc(found, events), "error": error, "gain": gain.difference, "gain_error": gain.error}
