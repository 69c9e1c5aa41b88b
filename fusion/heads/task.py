"""A task's models: probabilities of every class, out-of-fold for training cases, by the heads of the regions."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from fusion.config.heads import Heads
from fusion.errors import Fault, HeadError
from fusion.heads.classes import by_class, told
from fusion.heads.combine import WITH_CLINICAL, Judge, judged, predict, stacked, uncalibrated
from fusion.heads.multinomial import as_it_is, calibrated, regression
from fusion.heads.parts import FINAL, Fitted, folds, in_order, parts
from fusion.heads.task_radiomics import RAD


def reading(views: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[str, ...]]:
    """Scores that each model of a task reads; Clinical and Combined read the clinical predictors too.

    >>> reading({"T2-w": (0,), "ADC": (1,), "fused": (0, 1)})["RAD+DL"]
    ('RAD', 'fused')
    """
    fused = tuple(name for name, numbers in views.items() if len(numbers) > 1)[:1]
    alone = {name: (name,) for name in (*views, RAD)}
    return {**alone, "RAD+DL": (RAD, *fused), "Clinical": (), "Combined": (RAD, *fused)}


def predict_task(
    scores: pd.DataFrame, clinical: pd.DataFrame, rows: pd.DataFrame, models: tuple[str, ...],
    views: Mapping[str, tuple[int, ...]], classes: tuple[str, ...], heads: Heads, inner: pd.DataFrame | None = None,
) -> Fitted:  # fmt: skip
    """Probabilities of every class by every one of a task's ``models``.

    As ``combine.predict``, which does it where there are two classes: a view's own score is calibrated, RAD alone is
    left as it is, RAD+DL, Clinical and Combined are regressions, of several classes multinomial on the score of each.
    A model judges, and is fitted on, the cases that have all scores it reads; Combined reads those that the run has.
    The order of ``rows`` and of ``scores`` does not change a number.

    Args:
        scores: source (a view or RAD), case, set, fold, class, score, as in features/task_scores.parquet.
        clinical: encoded clinical predictors, index case.
        rows: the task's cases: case, set, fold, label (number of the class).
        models: names of views, and of RAD, RAD+DL, Clinical, Combined.
        views: numbers of the sequences that each view sees; the first that sees several is read by RAD+DL and Combined.
        classes: names in the order of ``label``; of two the second is the positive one.
        heads: penalty, calibration.
        inner: as ``rad_scores`` gives it, by heads that saw neither of two folds; None or empty where there is none.

    Returns:
        Rows model, set (train_oof and the others), case, fold, label, ``probability_<class>``; the regressions'
        coefficients as in selection.csv and the views' calibration, of several classes with a column ``class``.

    Raises:
        HeadError: no case has the scores that a model reads, or a regression's training part lacks a class.
    """
    sources = known_sources(reading(views), scores)
    own = rows.sort_values("case", ignore_index=True)
    inner = None if inner is None or inner.empty else inner
    found = {}
    for model in models:
        cases = scored_cases(own, scores, model, sources[model])
        if stacked(model, sources):
            _every_class(cases, classes, model)
        if len(classes) == 2:
            event = cases.rename(columns={"label": "event"})
            found[model, FINAL] = _of_two(
                predict(scores, clinical, event, (model,), heads, inner, sources, tuple(views)), classes
            )
        else:
            every = {model: tuple(f"{source}:{name}" for source in sources[model] for name in classes)}
            judge = _judge(stacked(model, sources), model in views, classes, heads)
            learned = None if inner is None else by_class(inner)
            found[model, FINAL] = judged(by_class(scores), clinical, cases, (model,), judge, learned, every)
    return in_order(found, list(found))


def known_sources(sources: Mapping[str, tuple[str, ...]], scores: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """``sources``, those of the models with clinical predictors without what this run has no scores of."""
    known = set(scores["source"])
    return {
        model: tuple(source for source in own if source in known or model not in WITH_CLINICAL)
        for model, own in sources.items()
    }


def scored_cases(rows: pd.DataFrame, scores: pd.DataFrame, model: str, sources: tuple[str, ...]) -> pd.DataFrame:
    """The cases that have a score of each of ``sources``."""
    for source in sources:
        rows = rows[rows["case"].isin(scores.loc[scores["source"] == source, "case"])]
    if rows.empty:
        found = f"no case with the scores of {' and '.join(sources)} that {model} reads"
        raise HeadError(Fault(found, "some", "check which sequences the cases have"))
    return rows.reset_index(drop=True)


def _every_class(rows: pd.DataFrame, classes: tuple[str, ...], model: str) -> None:
    faults = [
        Fault(f"no {name} case to fit {model} on, {_place(fold)}", "one or more", "add cases, or lower split.folds")
        for fold in folds(rows)
        for number, name in enumerate(classes)
        if not (rows["label"][parts(rows, fold)[0]] == number).any()
    ]
    if faults:
        raise HeadError(faults)


def _place(fold: int) -> str:
    return "in the whole training set" if fold == FINAL else f"outside fold {fold}"


def _of_two(found: Fitted, classes: tuple[str, ...]) -> Fitted:
    """Predictions of an event as those of two classes."""
    event = found.rows["probability"].to_numpy()
    rows = found.rows.rename(columns={"event": "label"})
    return replace(found, rows=told(rows, np.column_stack([1 - event, event]), classes))


def _judge(fused: bool, network: bool, classes: tuple[str, ...], heads: Heads) -> Judge:
    if fused:
        return partial(regression, classes=classes, heads=heads)
    if network and uncalibrated(heads):
        return partial(calibrated, classes=classes, heads=heads)
    return partial(as_it_is, classes=classes)
