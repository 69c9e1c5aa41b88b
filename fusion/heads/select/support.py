"""Which columns of a table came through a fitted pipeline."""

import numpy as np
from jaxtyping import Bool, Float
from sklearn.pipeline import Pipeline

Table = Float[np.ndarray, "case feature"]
Kept = Bool[np.ndarray, " feature"]


def support(fitted: Pipeline, features: int) -> Kept:
    """True for each of ``features`` columns that all selecting steps of ``fitted`` kept; other steps keep all."""
    kept = np.arange(features)
    for _, step in fitted.steps:
        if hasattr(step, "get_support"):
            kept = kept[step.get_support()]
    return np.isin(np.arange(features), kept)
