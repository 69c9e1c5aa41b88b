"""From features and scores to probabilities: selection, penalties, stacking."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from fusion.config.harmonise import Combat, Icc
from fusion.config.part import Positive
from fusion.config.presets import STEPS, filled
from fusion.config.recipe import (
    Average,
    ElasticNetSelector,
    LassoSelector,
    Learner,
    Logistic,
    Penalty,
    Recipe,
    StabilitySelector,
    Steps,
)


class Heads(Steps):
    """From features and scores to probabilities; everything here is fitted inside the fold."""

    preset: Literal["default", "paper", "robust"] = "default"
    """Values of the fields that are not given: `paper` is the recipe of Shen 2026 to the letter, with regressions
    without penalty; `default` has the same steps and penalised regressions; `robust` is the mean log-odds of those
    steps and of a ridge regression on all features, put on the normal curve."""
    stacking: Literal["oof_score", "frozen_backbone", "nested_vector", "paper_literal"] = "oof_score"
    """What a network hands on: `oof_score` its log-odds for cases it never saw; `frozen_backbone` the vectors of the
    untrained ImageNet pyramid and `nested_vector` those of a network trained on two thirds, both read by a head fitted
    on cases the network never saw; `paper_literal` as `oof_score`, and beside it the paper's plain reading, which
    leaks, with its optimism."""
    calibration: Literal["none", "temperature", "platt"] = "temperature"
    """Of the networks' own models, on out-of-fold log-odds: one factor (Guo 2017, arXiv:1706.04599), or factor and
    offset (Platt 1999)."""
    lasso_folds: Annotated[int, Field(ge=2)] = 10
    """Cross-validation folds that choose the penalty of the selectors lasso and elastic_net."""
    regions: Literal["joint", "union"] = "joint"
    """Radiomics of tumour and ring together: one selection on the columns of both, or a selection a region and one
    regression on what both kept (up to twice `top`)."""
    learner: Learner = Logistic()
    """What reads the kept features; `average` has recipes of its own, and takes from here what they do not say."""
    c: Penalty = 0.03
    """Inverse penalty of the radiomics score's regression on standardised features; null for no penalty."""
    fusion_c: Positive | None = 1.0
    """Inverse ridge penalty of the regression on standardised scores and clinical predictors; null for no penalty."""
    clinical: tuple[str, ...] | None = None
    """Clinical predictors of Clinical and Combined; null takes every column of `cohort.clinical`."""
    icc: Icc | None = None
    """Keep features on which readings agree; null keeps all. Needs second masks in the cohort."""
    harmonise: Combat | None = None
    """Align radiomics features between scanners, inside the fold; null leaves them as they are."""

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        return filled(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _nothing_in_vain(self) -> "Heads":
        """An average's fields here are those that its members take; one that none takes would do nothing."""
        for name in STEPS if isinstance(self.learner, Average) else ():
            if all(getattr(own, name) != getattr(self, name) for own in self.recipes):
                raise ValueError(f"heads.{name} as one of heads.learner.of has it (each of them says its own)")
        return self

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What is fitted: the members of an average, or the one recipe that the fields describe."""
        if isinstance(self.learner, Average):
            return self.learner.of
        return (Recipe(learner=self.learner, **{name: getattr(self, name) for name in STEPS}),)

    @property
    def folded(self) -> bool:
        """Whether a penalty is chosen in ``lasso_folds``."""
        return any(isinstance(own.selector, LassoSelector | ElasticNetSelector) for own in self.recipes)

    @property
    def fewest(self) -> int:
        """Cases of a class that a training part needs."""
        halved = any(isinstance(own.selector, StabilitySelector) for own in self.recipes)
        return max(self.lasso_folds if self.folded else 1, 2 if halved else 1)
