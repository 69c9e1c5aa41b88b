"""The model list: radiomics scores, then every model's probabilities, out-of-fold for training cases."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from fusion.config.harmonise import Combat
from fusion.config.heads import Heads
from fusion.heads import vectors
from fusion.heads.calibrate import calibration
from fusion.heads.logistic import fusion_head, probability
from fusion.heads.parts import FINAL, Fitted, folds, in_order, kept, parts, word
from fusion.heads.vectors import Vectors, log_odds_of

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
DEEP = tuple(model for model in MODEL_OF.values() if model.endswith("_DL"))
"""Models that are a network's score and nothing else."""
WITH_CLINICAL = ("Clinical", "Combined")
RADIOMICS = "radiomics scores"
"""What fitting them is called."""
CALIBRATION = ("model", "fold", "factor", "offset")
"""Columns of calibration.csv: a network's calibrated log-odds are factor x log-odds + offset."""
INNER, DEEP_INNER = "features/scores_inner.parquet", "features/deep_scores_inner.parquet"
"""Where a run keeps the scores that its regressions on scores learn from, of all sources and of heads on deep vectors;
absent where folds are too small for them, or where the scores are those of trained networks."""
Judge = Callable[[str, int, pd.DataFrame, pd.DataFrame, pd.DataFrame], Fitted]
"""Probabilities of one model in one fold, from its name, the fold, its predictors, the same as they may be learned
from, and the cohort; rows of all three tables are those of the cohort."""


def radiomics_scores(
    tables: Mapping[str, pd.DataFrame], cohort: pd.DataFrame, heads: Heads, seed: int, jobs: int = 0,
    models: tuple[str, ...] = tuple(SOURCES), keep: Path | None = None,
) -> Fitted:  # fmt: skip
    """Radiomics scores of tumour, ring and both together (``heads.regions``: one selection on all columns, or two).

    Args:
        tables: radiomics table by region, index ``case``.
        cohort: columns case, set, fold, event.
        heads: selection and penalty.
        seed: of LASSO's folds.
        jobs: worker processes; does not change a number.
        models: those that will read the scores.
        keep: folder of what heads found that were fitted before, and are fitted now.

    Returns:
        Rows case, source, set, fold, score (log-odds): training cases by the head that did not see their fold, all
        others by the head of the whole training set; ``inner`` as ``predict`` wants it for ``models``; the selection as
        in selection.csv; the final heads' LASSO as in lasso_errors.csv and lasso_path.csv.

    Raises:
        HeadError: nothing varies, or too few cases of a class for LASSO's folds.
    """
    return vectors.scores(radiomics_vectors(tables, cohort, heads, seed, models), jobs, RADIOMICS, keep)


def radiomics_vectors(
    tables: Mapping[str, pd.DataFrame], cohort: pd.DataFrame, heads: Heads, seed: int,
    models: tuple[str, ...] = tuple(SOURCES),
) -> Vectors:  # fmt: skip
    """What the heads of ``radiomics_scores`` are fitted on."""
    inputs, both = radiomics_inputs(tables), "+".join(tables) + "_RAD"
    widths = {both: tuple(table.shape[1] for table in tables.values())}
    return vectors_of(inputs, cohort, heads, seed, widths, heads.harmonise, models)


def radiomics_inputs(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Radiomics by source: each region's table, and all regions' columns in one, prefixed by region."""
    joined = pd.concat([table.add_prefix(f"{region}:") for region, table in tables.items()], axis=1)
    return {**{f"{region}_RAD": table for region, table in tables.items()}, "+".join(tables) + "_RAD": joined}


def vectors_of(
    inputs: Mapping[str, pd.DataFrame], cohort: pd.DataFrame, heads: Heads, seed: int,
    widths: Mapping[str, tuple[int, ...]] | None = None, harmonise: Combat | None = None,
    models: tuple[str, ...] = tuple(SOURCES), sources: Mapping[str, tuple[str, ...]] = SOURCES, fill: bool = False,
) -> Vectors:  # fmt: skip
    """``inputs``, a table a source, index ``case``, as what the heads of ``models`` are fitted on.

    ``sources`` are the scores that each model reads; the other arguments are those of ``Vectors``.
    """
    tables = {source: table.loc[cohort["case"]] for source, table in inputs.items()}
    names = {own[0]: model for model, own in sources.items() if own and not stacked(model, sources)}
    read = {source for model in models if stacked(model, sources) for source in sources[model]}
    return Vectors(tables, cohort, heads, seed, names, read, widths or {}, harmonise, fill)


def predict(
    scores: pd.DataFrame, clinical: pd.DataFrame, cohort: pd.DataFrame, models: tuple[str, ...], heads: Heads,
    inner: pd.DataFrame | None = None, sources: Mapping[str, tuple[str, ...]] = SOURCES,
    networks: Collection[str] = DEEP,
) -> Fitted:  # fmt: skip
    """Probabilities of every model in ``models``.

    A model of one score is that score as a probability, calibrated first where the score is a trained network's own
    log-odds (``heads.calibration``). A model of several predictors is a logistic regression on the scores as they are
    and the clinical predictors. Calibration and regression are fitted for a training case on the out-of-fold scores of
    the other folds, and for all others on the out-of-fold scores of the whole training set. A regression that judges a
    fold reads ``inner`` where it is given, as plain out-of-fold scores of the other folds come from heads that saw it.

    Args:
        scores: rows case, source, set, fold, score.
        clinical: encoded clinical predictors, index ``case``.
        cohort: columns case, set, fold, event.
        models: names from ``sources``.
        heads: penalty, stacking, calibration.
        inner: rows case, source, fold, without, score, by heads that saw neither of the two folds; sources it lacks
            (trained networks) are read as they are.
        sources: scores that each model reads.
        networks: models that are a network's score and nothing else.

    Returns:
        Rows as in predictions.csv, the heads' coefficients as in selection.csv, the networks' calibration as in
        calibration.csv.
    """
    judge = partial(_probabilities, heads=heads, sources=sources, networks=networks)
    return judged(scores, clinical, cohort, models, judge, inner, sources)


def judged(
    scores: pd.DataFrame, clinical: pd.DataFrame, cohort: pd.DataFrame, models: tuple[str, ...], judge: Judge,
    inner: pd.DataFrame | None, sources: Mapping[str, tuple[str, ...]],
) -> Fitted:  # fmt: skip
    """What ``judge`` finds for every model and fold, the other arguments being those of ``predict``."""
    wide = scores.pivot(index="case", columns="source", values="score")
    fitted: dict[tuple[str, int], Fitted] = {}
    for model in models:
        inputs = predictors(model, wide, clinical, sources).loc[cohort["case"]]
        for fold in folds(cohort):
            fitted[model, fold] = judge(model, fold, inputs, _learned(inputs, inner, fold), cohort)
    return in_order(fitted, list(fitted))


def stacked(model: str, sources: Mapping[str, tuple[str, ...]] = SOURCES) -> bool:
    """Whether a model is a regression on several predictors.

    >>> stacked("Tumor_RAD"), stacked("Combined")
    (False, True)
    """
    return model in WITH_CLINICAL or len(sources[model]) > 1


def predictors(
    model: str, wide: pd.DataFrame, clinical: pd.DataFrame, sources: Mapping[str, tuple[str, ...]] = SOURCES
) -> pd.DataFrame:  # fmt: skip
    """The scores and clinical predictors that ``model`` reads."""
    known = wide[[source for source in sources[model] if source in wide]]
    if model not in WITH_CLINICAL:
        return known
    return known.join(clinical) if len(known.columns) else clinical


def _learned(inputs: pd.DataFrame, inner: pd.DataFrame | None, fold: int) -> pd.DataFrame:
    """``inputs`` as the judge of ``fold`` may learn from them."""
    if inner is None or fold == FINAL:
        return inputs
    own = inner[(inner["without"] == fold) & inner["source"].isin(inputs.columns)]
    columns = {str(source): rows.set_index("case")["score"] for source, rows in own.groupby("source")}
    return inputs.assign(**{source: scores.reindex(inputs.index) for source, scores in columns.items()})


def _probabilities(
    model: str, fold: int, inputs: pd.DataFrame, learned: pd.DataFrame, cohort: pd.DataFrame, heads: Heads,
    sources: Mapping[str, tuple[str, ...]], networks: Collection[str],
) -> Fitted:  # fmt: skip
    fit, apart = parts(cohort, fold)
    selection = calibrations = pd.DataFrame()
    if stacked(model, sources):
        head = fusion_head(heads).fit(learned.to_numpy()[fit], cohort["event"].to_numpy()[fit])
        odds, selection = log_odds_of(head, inputs, apart), kept(head, model, fold, list(inputs.columns))
    else:
        odds = inputs.to_numpy()[:, 0]
        if model in networks and uncalibrated(heads):
            own = calibration(heads, odds[fit], cohort["event"].to_numpy()[fit])
            calibrations = pd.DataFrame([(model, word(fold), own.factor, own.offset)], columns=list(CALIBRATION))
            odds = own(odds)
        odds = odds[apart]
    rows = cohort.loc[apart, ["case", "fold", "event"]].assign(model=model, probability=probability(odds))
    rows["set"] = cohort.loc[apart, "set"].replace({"train": "train_oof"})
    return Fitted(rows[["model", "set", "case", "fold", "probability", "event"]], selection, calibration=calibrations)


def uncalibrated(heads: Heads) -> bool:
    """Whether networks' scores are their own, not those of a head fitted on their vectors, and are to be calibrated."""
    return heads.stacking in ("oof_score", "paper_literal") and heads.calibration != "none"
