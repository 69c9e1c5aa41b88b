"""The interval of one case's probability, from regressions fitted again: what a deployed model needs of them."""

from collections.abc import Mapping, Sequence

import numpy as np

from fusion.heads.odds import probability
from fusion.heads.plain import AsItIs, Calibrated, Head, Linear, Question, Regression, Scores

Draws = tuple[tuple[float, ...], ...]
"""A row a resample: intercept (or offset), then a coefficient a predictor (or the factor)."""


def interval(
    question: Question, model: str, draws: Draws, known: Mapping[str, Scores], clinical: Mapping[str, float],
    features: Mapping[str, float], confidence: float = 0.95,
) -> tuple[float, float] | None:  # fmt: skip
    """Percentiles over ``draws`` of the probability of the positive class; None where there are no draws.

    Everything before the last regression (features kept, networks, scores) is held as it is, so it tells how far
    chance in the training patients moves the last step, and no more.

    Args:
        question: with two classes.
        model: one of its models.
        draws: as ``regressions`` gives them.
        known: scores by source.
        clinical: encoded clinical predictors.
        features: by name, as the radiomics head reads them.
        confidence: share of the draws between the two ends.
    """
    if not draws:
        return None
    table = np.array(draws)
    odds = table[:, 0] + table[:, 1:] @ np.array(read(question, model, known, clinical, features))
    low, high = np.quantile(probability(odds), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def read(
    question: Question, model: str, known: Mapping[str, Scores], clinical: Mapping[str, float],
    features: Mapping[str, float],
) -> Sequence[float]:  # fmt: skip
    """What the model's last regression reads of a case, in the order of its coefficients."""
    own = question.models[model]
    if isinstance(own, Regression):
        return [predictor.value(known, clinical) for predictor in own.predictors]
    if isinstance(own, Calibrated):
        return [float(known[own.source][0])]
    head = last_head(question, own)
    return [] if head is None else [column(features[column.name]) for column in head.columns]


def last_head(question: Question, model: AsItIs) -> Head | None:
    """The radiomics head that the model is, if it is one regression."""
    heads = question.radiomics.get(model.source, ())
    only = heads[0] if len(heads) == 1 else None
    return only if isinstance(only, Head) and isinstance(only.learner, Linear) else None
