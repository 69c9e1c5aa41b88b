"""The heads that judge new cases, fitted on the whole training set as the run fitted them, in plain numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from fusion.config.heads import Heads
from fusion.errors import Fault, HeadError
from fusion.heads.calibrate import calibration, class_calibration
from fusion.heads.classes import PROBABILITY, judged_classes
from fusion.heads.combine import stacked, uncalibrated
from fusion.heads.logistic import fusion_head
from fusion.heads.parts import FINAL, parts
from fusion.heads.plain import AsItIs, Calibrated, Head, MeanHead, Model, Predictor, Question, Regression
from fusion.heads.to_plain import plain
from fusion.heads.training import Predictors, Training
from fusion.heads.vectors import fitted_head

TOLERANCE = 1e-9
"""Largest difference of a probability that is rounding."""


def question(known: Training, models: Sequence[str], name: str = "") -> Question:
    """The final heads of ``models``, fitted again: nothing in them is drawn, so they are those of the run.

    Args:
        known: what they are fitted on.
        models: without the task's name.
        name: of the task; empty for tumour and ring.

    Raises:
        HeadError: ``heads`` that judge by more than the scores and features of a case; or nothing to fit on.
    """
    _bundled(known.heads)
    sources = dict.fromkeys(source for model in models for source in known.sources[model])
    judged = judged_classes(known.classes)
    return Question(
        name=name,
        classes=known.classes,
        radiomics={
            source: tuple(_radiomics(source, known, own) for own in judged)
            for source in sources if source in known.radiomics
        },
        networks=tuple(source for source in sources if source not in known.radiomics),
        models={model: _model(model, known) for model in models},
    )  # fmt: skip


def regions(
    tables: Mapping[str, pd.DataFrame], scores: pd.DataFrame, clinical: pd.DataFrame, cohort: pd.DataFrame,
    heads: Heads, seed: int, models: Sequence[str], classes: tuple[str, ...],
) -> Question:  # fmt: skip
    """``question`` of ``Training.of_regions``."""
    return question(Training.of_regions(tables, scores, clinical, cohort, heads, seed, classes), models)


def task(
    tables: Mapping[str, pd.DataFrame], scores: pd.DataFrame, clinical: pd.DataFrame, rows: pd.DataFrame, heads: Heads,
    seed: int, models: Sequence[str], classes: tuple[str, ...], views: Mapping[str, tuple[int, ...]], name: str,
) -> Question:  # fmt: skip
    """``question`` of ``Training.of_task``."""
    return question(Training.of_task(tables, scores, clinical, rows, heads, seed, classes, views), models, name)


def agree(own: Question, known: Training, predictions: pd.DataFrame) -> list[Fault]:
    """Faults, one a model, where ``own`` does not say of new cases what the run said of them; none where it does.

    Args:
        own: the question.
        known: with the scores of all cases.
        predictions: predictions.csv; training cases in it were judged by other heads and are not looked at.
    """
    found = []
    prefix = f"{own.name}/" if own.name else ""
    for model in own.models:
        rows = predictions[(predictions["model"] == prefix + model) & (predictions["set"] != "train_oof")]
        apart = [float(np.abs(_again(own, model, known, row) - _told(row, own)).max()) for _, row in rows.iterrows()]
        wrong = [str(case) for case, far in zip(rows["case"], apart, strict=True) if not far <= TOLERANCE]
        if wrong:
            found.append(_fault(prefix + model, wrong, len(rows), max(apart)))
    return found


def _bundled(heads: Heads) -> None:
    faults = []
    if heads.stacking in ("frozen_backbone", "nested_vector"):
        faults.append(Fault(f"heads.stacking={heads.stacking}", "oof_score or paper_literal", "run with one of these"))
    if heads.harmonise is not None:
        found = "heads.harmonise, which knows the scanners of the cohort and not a new case's"
        faults.append(Fault(found, "features as they are", "run with heads.harmonise=null"))
    if faults:
        raise HeadError(faults)


def _radiomics(source: str, known: Training, positive: str) -> Head | MeanHead:
    """One class against all others, on the cases that the run has a score of."""
    rows = known.scored((source,)).reset_index(drop=True)
    rows = rows.assign(event=(rows["label"] == known.classes.index(positive)).astype(int))
    table, (fit, _) = known.radiomics[source].loc[rows["case"]], parts(rows, FINAL)
    empty = bool(table.isna().to_numpy().any())
    head, read = fitted_head(source, fit, {source: table}, rows, known.heads, known.seed, known.widths, None, empty)
    return plain(head, list(read.columns), read.to_numpy()[fit])


def _model(model: str, known: Training) -> Model:
    read = known.predictors(model)
    if stacked(model, known.sources):
        return _regression(read, known.heads)
    (source,) = known.sources[model]
    if model not in known.networks or not uncalibrated(known.heads):
        return AsItIs(source=source)
    scores = read.table.to_numpy()
    if len(known.classes) == 2:
        two = calibration(known.heads, scores[:, 0], read.labels)
        return Calibrated(source=source, factor=two.factor, offsets=(two.offset,))
    many = class_calibration(known.heads, scores, read.labels)
    return Calibrated(source=source, factor=many.factor, offsets=tuple(many.offsets.tolist()))


def _regression(read: Predictors, heads: Heads) -> Regression:
    scaler, learner = (step for _, step in fusion_head(heads).fit(read.table.to_numpy(), read.labels).steps)
    clinical: list[tuple[str | None, int]] = [(None, 0)] * (read.table.shape[1] - len(read.scores))
    return Regression(
        intercepts=tuple(learner.intercept_.tolist()),
        predictors=tuple(
            Predictor(name=str(name), source=source, judged=number, mean=float(mean), scale=float(scale),
                      coefficients=tuple(weights.tolist()))
            for name, (source, number), mean, scale, weights in zip(
                read.table.columns, [*read.scores, *clinical], scaler.mean_, scaler.scale_, learner.coef_.T,
                strict=True)
        ),
    )  # fmt: skip


def _again(own: Question, model: str, known: Training, row: pd.Series) -> np.ndarray:
    """Probabilities of a case by ``own``, in the order of its classes."""
    case = str(row["case"])
    sources, columns = own.reads(model)
    scores = known.known(case, tuple(source for source in sources if source in own.networks))
    for source in (source for source in sources if source in own.radiomics):
        scores[source] = own.radiomics_scores(source, _row(known.radiomics[source], case))
    clinical = _row(known.clinical[list(columns)], case)
    return np.array(list(own.chances(model, scores, clinical).values()))


def _row(table: pd.DataFrame, case: str) -> dict[str, float]:
    return dict(zip(table.columns.astype(str), table.loc[case].to_numpy(float).tolist(), strict=True))


def _told(row: pd.Series, own: Question) -> np.ndarray:
    """Probabilities of a case in predictions.csv."""
    if f"{PROBABILITY}{own.classes[0]}" in row:
        return row[[f"{PROBABILITY}{name}" for name in own.classes]].to_numpy(float)
    return np.array([1 - row["probability"], row["probability"]])


def _fault(model: str, wrong: list[str], cases: int, far: float) -> Fault:
    found = f"probabilities of {model} up to {far:.1e} away from predictions.csv, in {len(wrong)} of {cases} cases"
    remedy = "run again in an empty folder with the same versions; if it stays so, tell the developers"
    return Fault(found, "the same", remedy)
