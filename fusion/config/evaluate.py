"""How predictions are judged."""

from typing import Annotated, Literal

from pydantic import Field

from fusion.config.part import Fraction, Part


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


class Evaluate(Part):
    """How predictions are judged."""

    threshold: Annotated[Youden | FixedThreshold | FixedSensitivity, Field(discriminator="kind")] = Youden()
    """Rule for the threshold, always read from training out-of-fold predictions."""
    bootstrap: Annotated[int, Field(ge=200)] = 2000
    """Stratified bootstrap samples behind an AUC interval."""
    confidence: Fraction = 0.95
