"""How predictions are judged."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fusion.config.odds import Odds
from fusion.config.part import Fraction, Part, Positive
from fusion.config.validation import Validation


class Youden(Part):
    """Threshold with the largest sensitivity + specificity - 1 (Youden 1950)."""

    kind: Literal["youden"] = "youden"


class FixedThreshold(Part):
    """A threshold chosen beforehand."""

    kind: Literal["fixed"] = "fixed"
    probability: Fraction = 0.5


class FixedSensitivity(Part):
    """The largest threshold that reaches a sensitivity."""

    kind: Literal["sensitivity"] = "sensitivity"
    sensitivity: Fraction = 0.9


class FixedSpecificity(Part):
    """The smallest threshold that reaches a specificity."""

    kind: Literal["specificity"] = "specificity"
    specificity: Fraction = 0.9


class LeastCost(Part):
    """The threshold with the least expected cost of its errors (Zweig & Campbell 1993)."""

    kind: Literal["cost"] = "cost"
    false_negative: Positive = 1
    """Cost of a missed event, in any unit."""
    false_positive: Positive = 1
    """Cost of a non-event called positive, in the same unit."""
    prevalence: Fraction | None = None
    """Share of events where the model will be used; null for the training set's."""


class Reclassification(Part):
    """Two models whose probabilities are compared case by case (IDI, NRI)."""

    old: str = "Clinical"
    """The model without what is to be judged."""
    new: str = "Combined"
    """The model with it."""
    cutoffs: tuple[Fraction, ...] | None = None
    """Probabilities that part the risk categories, rising; null for one, the training set's share of events."""

    @model_validator(mode="after")
    def _rising(self) -> "Reclassification":
        if self.cutoffs is not None and (not self.cutoffs or list(self.cutoffs) != sorted(set(self.cutoffs))):
            raise ValueError("cutoffs that rise from each to the next, at least one")
        if self.old == self.new:
            raise ValueError(f"two models, not {self.old} twice")
        return self


class Evaluate(Part):
    """How predictions are judged."""

    threshold: Annotated[
        Youden | FixedThreshold | FixedSensitivity | FixedSpecificity | LeastCost, Field(discriminator="kind")
    ] = Youden()
    """Rule for the threshold, always read from training out-of-fold predictions."""
    bootstrap: Annotated[int, Field(ge=200)] = 2000
    """Stratified bootstrap samples behind an AUC interval."""
    confidence: Fraction = 0.95
    prevalence: Fraction | None = None
    """Share of events where the models will be used, for predictive values there; null for the set's own only."""
    reclassification: Reclassification = Reclassification()
    odds: Odds = Odds()
    validation: Validation | None = Validation()
    """Optimism, learning curve and permutation test of the training set; null for none."""
