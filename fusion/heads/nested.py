"""Vectors that may be read like any feature: the network learns from two thirds of a training part, the head from one.

Nobody then fits on what a network has seen: neither the head its coefficients, nor anyone the scores of the outer fold.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from fusion.config.heads import Heads
from fusion.heads.combine import MODEL_OF
from fusion.heads.logistic import radiomics_head
from fusion.heads.parts import Fitted, folds, in_order, kept, parts
from fusion.heads.vectors import log_odds_of
from fusion.types import Events

HEAD, NETWORK, APART = 0, 1, -1
"""An inner fold: the third that the network leaves out for the head, the two thirds it learns from, all others."""
THIRDS = 3


def inner_folds(cohort: pd.DataFrame, fold: int, seed: int) -> Events:
    """``HEAD``, ``NETWORK`` or ``APART`` for every case, drawn by patient, stratified by outcome.

    Args:
        cohort: columns case, patient, set, fold, event.
        fold: the outer fold, which stays apart with the other sets; or ``FINAL`` for the whole training set.
        seed: of the draw.
    """
    fit, _ = parts(cohort, fold)
    patients = cohort[fit].groupby("patient", sort=True)["event"].max()
    draw = StratifiedKFold(THIRDS, shuffle=True, random_state=seed)
    _, third = next(draw.split(np.zeros(len(patients)), patients))
    head = fit & cohort["patient"].isin(patients.index[third]).to_numpy()
    return np.where(head, HEAD, np.where(fit, NETWORK, APART))


def nested_scores(
    vectors: Mapping[int, Mapping[str, pd.DataFrame]],
    inner: Mapping[int, Events],
    cohort: pd.DataFrame,
    heads: Heads,
    seed: int,
) -> Fitted:
    """Scores of networks whose vectors a LASSO head reads; the mean log-odds over the networks' seeds.

    Args:
        vectors: by outer fold and source, columns d000... and seed (others are left alone), index case: the rows of the
            head's third and of the cases apart.
        inner: by outer fold, as ``inner_folds`` gives it.
        cohort: columns case, set, fold, event.
        heads: selection and penalty.
        seed: of LASSO's folds.

    Returns:
        As ``radiomics_scores``.

    Raises:
        HeadError: nothing varies, or too few cases of a class in a third for LASSO's folds.
    """
    items = [(source, fold) for source in vectors[folds(cohort)[0]] for fold in folds(cohort)]
    return in_order(
        {(source, fold): _scored(source, fold, vectors[fold][source], inner[fold], cohort, heads, seed)
         for source, fold in items}, items
    )  # fmt: skip


def _scored(
    source: str, fold: int, vectors: pd.DataFrame, inner: Events, cohort: pd.DataFrame, heads: Heads, seed: int
) -> Fitted:
    _, apart = parts(cohort, fold)
    columns = vectors.filter(regex=r"^d\d+$").columns.to_list()
    odds, selections = [], []
    for number, own in vectors.groupby("seed"):
        table = own[columns].reindex(cohort["case"])
        head = radiomics_head(heads, seed).fit(
            table.to_numpy(float)[inner == HEAD], cohort["event"].to_numpy()[inner == HEAD]
        )
        odds.append(log_odds_of(head, table, apart))
        named = [f"seed{number}:{column}" for column in columns]
        selections.append(kept(head, MODEL_OF[source], fold, named))
    rows = cohort.loc[apart, ["case", "set", "fold"]].assign(source=source, score=np.mean(odds, axis=0))
    return Fitted(rows[["case", "source", "set", "fold", "score"]], pd.concat(selections, ignore_index=True))
