"""Fitted heads in plain numbers: what a reader can check by hand, and a deployed model computes with.

Every model here is frozen and refuses unknown names, so that its JSON says all and nothing else.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from pydantic import Field

from fusion.config.part import Part
from fusion.heads.classes import chances, judged_classes, together
from fusion.heads.odds import probability
from fusion.heads.plain_learn import Boosting, Forest, Linear, Numbers, Scaled, Tree
from fusion.heads.plain_scale import Column, QuantileNormal, Scaling, ZScore

__all__ = ["AsItIs", "Boosting", "Calibrated", "Column", "Forest", "Head", "Linear", "MeanHead", "Model", "Predictor",
           "QuantileNormal", "Question", "Regression", "Scores", "Tree", "ZScore"]  # fmt: skip

Scores = Float[ndarray, " judged"]
"""What a source says of a case: one log-odds of two classes, otherwise a score a class."""


class Head(Part):
    """Columns, scaled, read by a learner."""

    columns: tuple[Column, ...]
    learner: Annotated[Linear | Boosting | Forest, Field(discriminator="kind")]

    def log_odds(self, row: Mapping[str, float]) -> float:
        """Log-odds of the positive class, from features by name."""
        return self.learner.log_odds(self.scaled(row))

    def scaled(self, row: Mapping[str, float]) -> Scaled:
        """What the learner reads of a case, in the order of ``columns``."""
        return self._scaling(self._scaling.read(row))

    def contributions(self, row: Mapping[str, float]) -> dict[str, float]:
        """By feature coefficient x (scaled value - scaled training mean), in log-odds; none of trees."""
        if not isinstance(self.learner, Linear):
            return {}
        parts = np.array(self.learner.coefficients, dtype=float) * (self.scaled(row) - self._scaled_means)
        return {own.name: part for own, part in zip(self.columns, parts.tolist(), strict=True)}

    @cached_property
    def _scaling(self) -> Scaling:
        return Scaling(self.columns)

    @cached_property
    def _scaled_means(self) -> Scaled:
        return self._scaling(np.array([own.mean for own in self.columns], dtype=float))


class MeanHead(Part):
    """The mean of several heads' log-odds."""

    heads: tuple[Head, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every feature that one of the heads reads."""
        return tuple({own.name: own for head in self.heads for own in head.columns}.values())

    def log_odds(self, row: Mapping[str, float]) -> float:
        """Log-odds of the positive class, from features by name."""
        return float(np.mean([head.log_odds(row) for head in self.heads]))

    def contributions(self, row: Mapping[str, float]) -> dict[str, float]:
        """Means over the heads that are regressions; none where there is none."""
        told = [head.contributions(row) for head in self.heads if isinstance(head.learner, Linear)]
        names = dict.fromkeys(name for own in told for name in own)
        return {name: sum(own.get(name, 0.0) for own in told) / len(told) for name in names}


class AsItIs(Part):
    """A model that is one source's score."""

    kind: Literal["as_it_is"] = "as_it_is"
    source: str

    def scores(self, known: Mapping[str, Scores], clinical: Mapping[str, float]) -> Scores:
        """The source's score."""
        return known[self.source]


class Calibrated(Part):
    """A network's score, calibrated: factor x score + offset, an offset a judged class."""

    kind: Literal["calibrated"] = "calibrated"
    source: str
    factor: float
    offsets: Numbers

    def scores(self, known: Mapping[str, Scores], clinical: Mapping[str, float]) -> Scores:
        """The calibrated score."""
        return self.factor * known[self.source] + np.array(self.offsets)


class Predictor(Part):
    """What a regression reads: a source's score (of ``judged`` class number), or an encoded clinical column."""

    name: str
    """As in selection.csv: a source, ``source:class``, or a clinical column such as ``margin=unclear``."""
    source: str | None
    judged: int = 0
    mean: float
    scale: float
    coefficients: Numbers
    """On the standardised predictor, one a judged class."""

    def value(self, known: Mapping[str, Scores], clinical: Mapping[str, float]) -> float:
        """The predictor's value of a case."""
        return clinical[self.name] if self.source is None else float(known[self.source][self.judged])


class Regression(Part):
    """A logistic regression on scores and clinical predictors; of several classes multinomial."""

    kind: Literal["regression"] = "regression"
    intercepts: Numbers
    """One a judged class."""
    predictors: tuple[Predictor, ...]

    def scores(self, known: Mapping[str, Scores], clinical: Mapping[str, float]) -> Scores:
        """Log-odds, or scores of every class."""
        return np.array(self.intercepts) + np.sum(list(self.contributions(known, clinical).values()), axis=0)

    def contributions(self, known: Mapping[str, Scores], clinical: Mapping[str, float]) -> dict[str, Scores]:
        """By predictor coefficient x (value - training mean) / scale, one a judged class."""
        return {
            own.name: np.array(own.coefficients) * (own.value(known, clinical) - own.mean) / own.scale
            for own in self.predictors
        }


Model = Annotated[AsItIs | Calibrated | Regression, Field(discriminator="kind")]


class Question(Part):
    """Everything that answers one question, fitted on the whole training set."""

    name: str
    """The task's; empty for tumour and ring."""
    classes: tuple[str, ...]
    """Of two the second is the positive one."""
    radiomics: dict[str, tuple[Head | MeanHead, ...]]
    """By source, a head a judged class; of several classes their probabilities are made to sum to 1."""
    networks: tuple[str, ...]
    """Sources that are networks' scores: means of log-odds, or of logits less their mean over the classes."""
    models: dict[str, Model]
    """Without the task's name."""

    def radiomics_scores(self, source: str, row: Mapping[str, float]) -> Scores:
        """A radiomics source's score from features by name."""
        odds = np.array([head.log_odds(row) for head in self.radiomics[source]])
        return odds if len(odds) == 1 else together(odds[None])[0]

    def chances(self, model: str, known: Mapping[str, Scores], clinical: Mapping[str, float]) -> dict[str, float]:
        """Probabilities by class.

        Args:
            model: a key of ``models``.
            known: the scores that the model reads, by source.
            clinical: encoded clinical predictors by name, as ``fusion.features.clinical.encode`` names them.
        """
        scores = self.models[model].scores(known, clinical)
        if len(self.classes) == 2:
            positive = float(probability(scores)[0])
            return dict(zip(self.classes, (1 - positive, positive), strict=True))
        return dict(zip(self.classes, chances(scores[None])[0].tolist(), strict=True))

    def reads(self, model: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Sources and clinical columns that ``model`` reads."""
        own = self.models[model]
        if not isinstance(own, Regression):
            return (own.source,), ()
        sources = dict.fromkeys(p.source for p in own.predictors if p.source is not None)
        return tuple(sources), tuple(p.name for p in own.predictors if p.source is None)

    @property
    def judged(self) -> Sequence[str]:
        """The classes that a score speaks of."""
        return judged_classes(self.classes)
