"""The model list: radiomics scores, then every model's probabilities, out-of-fold for training cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.pipeline import Pipeline

from fusion.config.run import Heads
from fusion.heads.logistic import coefficients, fusion_head, log_odds, probability, radiomics_head
from fusion.progress import each

FINAL = -1
"""Stands for the fold of a head that was fitted on the whole training set."""
SOURCES: dict[str, tuple[str, ...]] = {
    "Tumor_RAD": ("tumour_RAD",),
    "External2_RAD": ("external2_RAD",),
    "Tumor+External2_RAD": ("tumour+external2_RAD",),
    "Tumor_DL": ("tumour_DL",),
    "External2_DL": ("external2_DL",),
    "Tumor+External2_DL": ("tumour+external2_DL",),
    "Tumor_RAD+DL": ("tumour_RAD", "tumour_DL"),
    "External2_RAD+DL": ("external2_RAD", "external2_DL"),
    "Tumor+External2_RAD+DL": ("tumour+external2_RAD", "tumour+external2_DL"),
    "Clinical": (),
    "Combined": ("tumour+external2_RAD", "tumour+external2_DL"),
}
"""Scores that a model reads; Clinical and Combined read the clinical predictors too."""
MODEL_OF = {sources[0]: model for model, sources in SOURCES.items() if len(sources) == 1}
"""The model that is one score."""
WITH_CLINICAL = ("Clinical", "Combined")


@dataclass(frozen=True)
class Fitted:
    """A long score or prediction table, and the features that each fitted head kept."""

    rows: pd.DataFrame
    selection: pd.DataFrame


def radiomics_scores(
    tables: Mapping[str, pd.DataFrame], cohort: pd.DataFrame, heads: Heads, seed: int, jobs: int = 0
) -> Fitted:
    """Radiomics scores of tumour, ring and both together (LASSO jointly on all columns).

    Args:
        tables: radiomics table by region, index ``case``.
        cohort: columns case, set, fold, event.
        heads: selection and penalty.
        seed: of LASSO's folds.
        jobs: worker processes; does not change a number.

    Returns:
        Rows case, source, set, fold, score (log-odds): training cases by the head that did not see their fold, all
        others by the head of the whole training set; and the selection as in selection.csv.

    Raises:
        HeadError: nothing varies, or too few cases of a class for LASSO's folds.
    """
    inputs = {f"{region}_RAD": table for region, table in tables.items()}
    inputs["+".join(tables) + "_RAD"] = _joined(tables)
    inputs = {source: table.loc[cohort["case"]] for source, table in inputs.items()}
    items = [(source, fold) for source in inputs for fold in _folds(cohort)]
    score = partial(_score, inputs=inputs, cohort=cohort, heads=heads, seed=seed)
    return _in_order(dict(each(score, items, "radiomics scores", jobs)), items)


def predict(
    scores: pd.DataFrame, clinical: pd.DataFrame, cohort: pd.DataFrame, models: tuple[str, ...], heads: Heads
) -> Fitted:
    """Probabilities of every model in ``models``.

    A model of one score is that score as a probability. A model of several predictors is a logistic regression,
    fitted for a training case on the out-of-fold scores of the other folds, and for all others on the out-of-fold
    scores of the whole training set.

    Args:
        scores: rows case, source, set, fold, score.
        clinical: encoded clinical predictors, index ``case``.
        cohort: columns case, set, fold, event.
        models: names from ``SOURCES``.
        heads: penalty.

    Returns:
        Rows as in predictions.csv, and the heads' coefficients as in selection.csv.
    """
    wide = scores.pivot(index="case", columns="source", values="score")
    fitted: dict[tuple[str, int], Fitted] = {}
    for model in models:
        inputs = _predictors(model, wide, clinical).loc[cohort["case"]]
        for fold in _folds(cohort):
            fitted[model, fold] = _probabilities(model, fold, inputs, cohort, heads)
    return _in_order(fitted, list(fitted))


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([table.add_prefix(f"{region}:") for region, table in tables.items()], axis=1)


def _folds(cohort: pd.DataFrame) -> list[int]:
    return [*sorted(set(cohort["fold"]) - {FINAL}), FINAL]


def _parts(cohort: pd.DataFrame, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Cases to fit on and cases to score: the other folds and this one, or the training set and all others."""
    train = (cohort["set"] == "train").to_numpy()
    apart = (cohort["fold"] == fold).to_numpy() if fold != FINAL else ~train
    return train & ~apart, apart


def _score(
    item: tuple[str, int], inputs: Mapping[str, pd.DataFrame], cohort: pd.DataFrame, heads: Heads, seed: int
) -> Fitted:
    source, fold = item
    fit, apart = _parts(cohort, fold)
    table = inputs[source]
    head = radiomics_head(heads, seed).fit(table.to_numpy()[fit], cohort["event"].to_numpy()[fit])
    rows = cohort.loc[apart, ["case", "set", "fold"]].assign(source=source, score=_log_odds(head, table, apart))
    return Fitted(rows[["case", "source", "set", "fold", "score"]], _selection(head, MODEL_OF[source], fold, table))


def _probabilities(model: str, fold: int, inputs: pd.DataFrame, cohort: pd.DataFrame, heads: Heads) -> Fitted:
    fit, apart = _parts(cohort, fold)
    rows = cohort.loc[apart, ["case", "fold", "event"]].assign(model=model)
    rows["set"] = cohort.loc[apart, "set"].replace({"train": "train_oof"})
    if model not in WITH_CLINICAL and len(SOURCES[model]) == 1:
        odds, selection = inputs.to_numpy()[apart, 0], pd.DataFrame()
    else:
        head = fusion_head(heads).fit(inputs.to_numpy()[fit], cohort["event"].to_numpy()[fit])
        odds, selection = _log_odds(head, inputs, apart), _selection(head, model, fold, inputs)
    rows["probability"] = probability(odds)
    return Fitted(rows[["model", "set", "case", "fold", "probability", "event"]], selection)


def _predictors(model: str, wide: pd.DataFrame, clinical: pd.DataFrame) -> pd.DataFrame:
    known = wide[[source for source in SOURCES[model] if source in wide]]
    return known.join(clinical) if model in WITH_CLINICAL else known


def _log_odds(head: Pipeline, table: pd.DataFrame, apart: np.ndarray) -> Float[np.ndarray, " case"]:
    return log_odds(head, table.to_numpy()[apart]) if apart.any() else np.empty(0)


def _selection(head: Pipeline, model: str, fold: int, table: pd.DataFrame) -> pd.DataFrame:
    kept = coefficients(head, list(table.columns))
    kept.insert(0, "fold", "final" if fold == FINAL else str(fold))
    kept.insert(0, "model", model)
    return kept


def _in_order(fitted: Mapping[tuple[str, int], Fitted], items: list[tuple[str, int]]) -> Fitted:
    rows = pd.concat([fitted[item].rows for item in items if len(fitted[item].rows)], ignore_index=True)
    return Fitted(rows, pd.concat([fitted[item].selection for item in items], ignore_index=True))
