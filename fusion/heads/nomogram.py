"""A nomogram: a logistic regression told as points that add up to a total, and the total as a probability."""

from collections.abc import Mapping

import pandas as pd
from sklearn.pipeline import Pipeline

from fusion.config.cohort import Category, Number
from fusion.config.run import Run
from fusion.data.cohort import level_word
from fusion.errors import Fault, HeadError
from fusion.features.clinical import encode
from fusion.heads.combine import predictors
from fusion.heads.logistic import fusion_head
from fusion.heads.parts import FINAL, parts
from fusion.heads.points import FULL, Choice, Nomogram, Scale, clean, round_range


def of_run(model: str, scores: pd.DataFrame, cohort: pd.DataFrame, run: Run) -> Nomogram:
    """The nomogram of ``model``, its final head fitted again as ``combine.predict`` fits it: on the training cases.

    Args:
        model: one that reads several predictors, such as Combined or Clinical.
        scores: rows case, source, set, fold, score.
        cohort: columns case, set, fold, event and the clinical columns.
        run: clinical variables, predictors and penalty.

    Raises:
        HeadError: no predictor moves the probability.
    """
    wide = scores.pivot(index="case", columns="source", values="score")
    encoded = encode(cohort.set_index("case"), run.cohort.clinical, run.predictors)
    inputs = predictors(model, wide, encoded).loc[cohort["case"]]
    fit, _ = parts(cohort, FINAL)
    head = fusion_head(run.heads).fit(inputs.to_numpy()[fit], cohort["event"].to_numpy()[fit])
    return nomogram(model, head, values(scores, cohort)[fit], list(inputs.columns), run.cohort.clinical)


def values(scores: pd.DataFrame, cohort: pd.DataFrame) -> pd.DataFrame:
    """What a nomogram reads of every case, in the cohort's order: its scores by source and its clinical values."""
    return cohort.set_index("case").join(scores.pivot(index="case", columns="source", values="score"))


def nomogram(
    model: str, head: Pipeline, training: pd.DataFrame, columns: list[str], clinical: Mapping[str, Number | Category]
) -> Nomogram:
    """Points from a fitted head: the predictor with the largest effect over its range spans 0 to 100.

    After Kattan 1998 (doi:10.1093/jnci/90.10.766) and Harrell's rms: points are proportional to log-odds, and each
    predictor starts at 0 where it weighs least.

    Args:
        model: its name.
        head: standardisation and logistic regression, fitted.
        training: scores and clinical values of the training cases, as ``values`` joins them.
        columns: the head's columns: a score, a number, or ``variable=level``.
        clinical: the clinical variables by name.

    Raises:
        HeadError: no predictor moves the probability.
    """
    equation = _equation(head, columns)
    effects = [_effect(name, kind, equation, training) for name, kind in _variables(columns, clinical).items()]
    unit = max(effect.most for effect in effects) / FULL
    if unit == 0:
        found = f"{model}, whose {len(columns)} coefficients over the training ranges are 0"
        raise HeadError(Fault(found, "a predictor that moves the probability", "check scores and clinical columns"))
    constant = equation["intercept"] + sum(_least(effect, equation) for effect in effects)
    scaled = sorted((_in_points(effect, unit) for effect in effects), key=lambda own: -own.most)
    return Nomogram(model, tuple(scaled), constant, unit, equation)


def _equation(head: Pipeline, columns: list[str]) -> dict[str, float]:
    """Intercept and coefficients on the predictors' own scales: the standardisation undone."""
    scaler, regression = head.named_steps["standardscaler"], head.named_steps["logisticregression"]
    raw = regression.coef_[0] / scaler.scale_
    intercept = float(regression.intercept_[0] - raw @ scaler.mean_)
    return {"intercept": intercept, **dict(zip(columns, map(float, raw), strict=True))}


def _variables(columns: list[str], clinical: Mapping[str, Number | Category]) -> dict[str, Category | None]:
    """The head's predictors in order: a category with its kind, a number or a score with None."""
    owner = {
        f"{name}={level_word(level)}": name
        for name, kind in clinical.items() if isinstance(kind, Category)
        for level in kind.values[1:]
    }  # fmt: skip
    names = dict.fromkeys(owner.get(column, column) for column in columns)
    return {name: kind if isinstance(kind := clinical.get(name), Category) else None for name in names}


def _effect(name: str, kind: Category | None, equation: dict[str, float], training: pd.DataFrame) -> Scale | Choice:
    """A predictor with log-odds in the place of points."""
    known = training[name]
    if kind is None:
        low, high, step = round_range(float(known.min()), float(known.max()))
        fine = step / 10
        median = clean(round(float(known.median()) / fine) * fine)
        return Scale(name, low, high, step, median, equation[name])
    levels = [level_word(level) for level in kind.values]
    odds = _by_level(name, levels, equation)
    least = min(odds)
    frequent = max(levels, key=lambda level: int((known == level).sum()))
    return Choice(name, {level: own - least for level, own in zip(levels, odds, strict=True)}, frequent)


def _least(effect: Scale | Choice, equation: dict[str, float]) -> float:
    """Log-odds that the predictor adds where it has 0 points."""
    if isinstance(effect, Choice):
        return min(_by_level(effect.name, list(effect.levels), equation))
    return equation[effect.name] * effect.zero


def _by_level(name: str, levels: list[str], equation: dict[str, float]) -> list[float]:
    return [0.0, *(equation[f"{name}={level}"] for level in levels[1:])]


def _in_points(effect: Scale | Choice, unit: float) -> Scale | Choice:
    if isinstance(effect, Choice):
        return Choice(effect.name, {level: odds / unit for level, odds in effect.levels.items()}, effect.start)
    return Scale(effect.name, effect.low, effect.high, effect.step, effect.start, effect.slope / unit)
