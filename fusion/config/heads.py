"""From features and scores to probabilities: selection, penalties, stacking."""

from typing import Annotated, Literal

from pydantic import Field

from fusion.config.harmonise import Combat, Icc
from fusion.config.part import Count, Part, Positive


class Heads(Part):
    """From features and scores to probabilities; everything here is fitted inside the fold."""

    stacking: Literal["oof_score", "frozen_backbone", "nested_vector", "paper_literal"] = "oof_score"
    """What a network hands on: `oof_score` its log-odds for cases it never saw; `frozen_backbone` the vectors of the
    untrained ImageNet pyramid and `nested_vector` those of a network trained on two thirds, both read by a head fitted
    on cases the network never saw; `paper_literal` as `oof_score`, and beside it the paper's plain reading, which
    leaks, with its optimism."""
    calibration: Literal["none", "temperature", "platt"] = "temperature"
    """Of the networks' own models, on out-of-fold log-odds: one factor (Guo 2017, arXiv:1706.04599), or factor and
    offset (Platt 1999)."""
    correlation: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Of two features with a larger absolute Pearson correlation the later one is dropped."""
    lasso_folds: Annotated[int, Field(ge=2)] = 10
    """Cross-validation folds that choose LASSO's penalty."""
    top: Count = 20
    """Features kept at most, by absolute LASSO coefficient."""
    c: Positive = 0.03
    """Inverse ridge penalty of the radiomics score's logistic regression on standardised features."""
    fusion_c: Positive = 1.0
    """Inverse ridge penalty of the logistic regression on standardised scores and clinical predictors."""
    clinical: tuple[str, ...] | None = None
    """Clinical predictors of Clinical and Combined; null takes every column of `cohort.clinical`."""
    icc: Icc | None = None
    """Keep features on which readings agree; null keeps all. Needs second masks in the cohort."""
    harmonise: Combat | None = None
    """Align radiomics features between scanners, inside the fold; null leaves them as they are."""
