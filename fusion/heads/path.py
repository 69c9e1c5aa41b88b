"""How a fitted head's LASSO came to its features: errors by penalty, coefficients by penalty."""

from typing import Any

import numpy as np
import pandas as pd

from fusion.heads.average import MeanLogOdds
from fusion.heads.select import LassoTop

ERRORS = ("model", "penalty", "error", "error_se", "features", "chosen")
"""Columns of lasso_errors.csv: mean squared error over the inner folds and its standard error, features with a
coefficient at this penalty (before the cap), and whether the penalty was taken."""
PATH = ("model", "penalty", "feature", "coefficient")
"""Columns of lasso_path.csv: coefficients on standardised features, of features that have one somewhere."""


def lasso_path(head: Any, model: str, names: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of lasso_errors.csv and lasso_path.csv, both empty where the head has no LASSO over all its columns."""
    lasso, offered = _lasso(head, np.asarray(names, dtype=object))
    if lasso is None:
        return pd.DataFrame(), pd.DataFrame()
    folds = lasso.mse_path_.shape[1]
    errors = pd.DataFrame(
        {"model": model, "penalty": lasso.alphas_, "error": lasso.mse_path_.mean(axis=1),
         "error_se": lasso.mse_path_.std(axis=1, ddof=1) / np.sqrt(folds), "features": (lasso.path_ != 0).sum(axis=0),
         "chosen": lasso.alphas_ == lasso.alpha_}
    )  # fmt: skip
    some = lasso.path_.any(axis=1)
    wide = pd.DataFrame(lasso.path_[some].T, index=lasso.alphas_, columns=offered[some])
    long = wide.rename_axis("penalty").reset_index().melt("penalty", var_name="feature", value_name="coefficient")
    return errors, long.assign(model=model)[list(PATH)]


def _lasso(head: Any, names: np.ndarray) -> tuple[LassoTop | None, np.ndarray]:
    """The first LASSO (or elastic net) among the steps, and the names of the columns that it was offered."""
    if isinstance(head, MeanLogOdds):
        found = [_lasso(own, names) for own in head.heads_]
        return next((one for one in found if one[0] is not None), (None, names))
    for _, step in head.steps:
        if isinstance(step, LassoTop):
            return step, names
        if hasattr(step, "get_support"):
            names = names[step.get_support()]
    return None, names
