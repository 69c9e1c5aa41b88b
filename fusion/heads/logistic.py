"""Scale, select, fit a logistic regression: one pipeline, refitted whole in every fold."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from fusion.config.heads import Heads
from fusion.heads.select import DropCorrelated, DropFlat, LassoTop


def radiomics_head(heads: Heads, seed: int) -> Pipeline:
    """Standardise, drop correlated features, keep LASSO's strongest, fit a ridge logistic regression (Shen 2026)."""
    return make_pipeline(
        DropFlat(),
        StandardScaler(),
        DropCorrelated(heads.correlation),
        LassoTop(heads.top, heads.lasso_folds, seed),
        LogisticRegression(C=heads.c, max_iter=1000),
    ).set_output(transform="default")


def fusion_head(heads: Heads) -> Pipeline:
    """Standardise scores and clinical predictors, fit a logistic regression on all of them."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=heads.fusion_c, max_iter=1000))


def log_odds(head: Pipeline, predictors: Float[np.ndarray, "case feature"]) -> Float[np.ndarray, " case"]:
    """The fitted head's log-odds of the positive class."""
    return head.decision_function(predictors)


def probability(log_odds: Float[np.ndarray, " case"]) -> Float[np.ndarray, " case"]:
    """Log-odds as probability.

    >>> probability(np.array([0.0])).item()
    0.5
    """
    return 1 / (1 + np.exp(-log_odds))


def coefficients(head: Pipeline, names: list[str]) -> pd.DataFrame:
    """Columns feature, coefficient (on the standardised feature) and rank of what the fitted head kept."""
    kept = np.asarray(names, dtype=object)
    for _, step in head.steps:
        if hasattr(step, "get_support"):
            kept = kept[step.get_support()]
    table = pd.DataFrame({"feature": kept, "coefficient": head.steps[-1][1].coef_[0]})
    table["rank"] = table["coefficient"].abs().rank(ascending=False, method="first").astype(int)
    return table.sort_values("rank", ignore_index=True)
