"""The paper's plain reading, which leaks: heads fitted on vectors that a network gives for its own training cases."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from fusion.config.heads import Heads
from fusion.heads.combine import MODEL_OF, SOURCES, WITH_CLINICAL, radiomics_inputs
from fusion.heads.logistic import fusion_head, log_odds, probability
from fusion.heads.parts import FINAL, folds, parts, word
from fusion.progress import each


def literal_models(models: tuple[str, ...]) -> tuple[str, ...]:
    """Those of ``models`` that read a network."""
    return tuple(model for model in models if any(source.endswith("_DL") for source in SOURCES[model]))


def literal_predictions(
    radiomics: Mapping[str, pd.DataFrame], selection: pd.DataFrame, deep: Mapping[str, pd.DataFrame],
    clinical: pd.DataFrame, cohort: pd.DataFrame, models: tuple[str, ...], heads: Heads, jobs: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Probabilities of every model that reads a network, fitted in-sample.

    For each fold and seed one logistic regression: on the network's vectors of its own training cases, with the
    radiomics features that LASSO kept on the same cases and the clinical predictors where the model has them. Shen 2026
    does not say that its deep features are out-of-fold; this is the plain reading.

    Args:
        radiomics: table by region, index case.
        selection: of the radiomics scores, as in selection.csv.
        deep: by source, columns d000..., fold, seed, index case: all cases from all networks (``embed.vectors``, seen).
        clinical: encoded clinical predictors, index case.
        cohort: columns case, set, fold, event.
        models: the run's models.
        heads: penalty (``fusion_c``).
        jobs: worker processes; does not change a number.

    Returns:
        Columns as predictions.csv. Set ``train`` is in-sample (mean log-odds over the networks that saw the case),
        ``train_oof`` from the network that did not, other sets the mean log-odds over folds and seeds.
    """
    tables = {source: table.loc[cohort["case"]] for source, table in radiomics_inputs(radiomics).items()}
    items = [(model, fold) for model in literal_models(models) for fold in folds(cohort) if fold != FINAL]
    ask = partial(_log_odds, radiomics=tables, selection=selection, deep=deep, clinical=clinical, cohort=cohort,
                  heads=heads)  # fmt: skip
    odds = dict(each(ask, items, "plain reading", jobs))
    return pd.concat(
        [_rows(model, {fold: odds[own, fold] for own, fold in items if own == model}, cohort)
         for model in literal_models(models)], ignore_index=True,
    )  # fmt: skip


def _log_odds(
    item: tuple[str, int], radiomics: Mapping[str, pd.DataFrame], selection: pd.DataFrame,
    deep: Mapping[str, pd.DataFrame], clinical: pd.DataFrame, cohort: pd.DataFrame, heads: Heads,
) -> np.ndarray:  # fmt: skip
    """Of every case, by the head that was fitted on the training cases outside the fold."""
    model, fold = item
    fit, _ = parts(cohort, fold)
    known = [_lasso_kept(source, fold, radiomics, selection) for source in SOURCES[model] if source in radiomics]
    known += [clinical.loc[cohort["case"]]] if model in WITH_CLINICAL else []
    (source,) = (source for source in SOURCES[model] if source in deep)
    vectors = deep[source][deep[source]["fold"] == fold]
    odds = []
    for _, own in vectors.groupby("seed"):
        vector = own.drop(columns=["fold", "seed", "seen", "set"]).loc[cohort["case"]]
        table = np.concatenate([part.to_numpy(float) for part in (*known, vector)], axis=1)
        head = fusion_head(heads).fit(table[fit], cohort["event"].to_numpy()[fit])
        odds.append(log_odds(head, table))
    return np.mean(odds, axis=0)


def _lasso_kept(
    source: str, fold: int, radiomics: Mapping[str, pd.DataFrame], selection: pd.DataFrame
) -> pd.DataFrame:  # fmt: skip
    own = selection[(selection["model"] == MODEL_OF[source]) & (selection["fold"] == word(fold))]
    return radiomics[source][list(own["feature"])]


def _rows(model: str, odds: Mapping[int, np.ndarray], cohort: pd.DataFrame) -> pd.DataFrame:
    train, fold = (cohort["set"] == "train").to_numpy(), cohort["fold"].to_numpy()
    every = np.stack(list(odds.values()))
    unseen = np.stack([fold == number for number in odds])
    seen = np.where(train, (every * ~unseen).sum(0) / (len(odds) - 1), every.mean(0))
    sets = [
        cohort.assign(odds=seen)[train].assign(set="train"),
        cohort.assign(odds=(every * unseen).sum(0))[train].assign(set="train_oof"),
        cohort.assign(odds=every.mean(0))[~train],
    ]
    rows = pd.concat(sets, ignore_index=True)
    rows = rows.assign(model=model, probability=probability(rows["odds"].to_numpy()))
    return rows[["model", "set", "case", "fold", "probability", "event"]]
