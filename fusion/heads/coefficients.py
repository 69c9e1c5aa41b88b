"""What a fitted head kept, and how much each feature weighs."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.pipeline import Pipeline

from fusion.heads.average import MeanLogOdds
from fusion.heads.select import support


def coefficients(head: Any, names: list[str]) -> pd.DataFrame:
    """Columns feature, coefficient and rank of what the fitted head kept, the largest first.

    The coefficient is that of the scaled feature; of trees, which have none, the importance (the share of impurity that
    the feature took away, without a sign). Of an average of heads it is the mean over its regressions, 0 where one did
    not keep the feature, or of importances where no member is a regression.
    """
    weights = _weights(head, len(names))
    table = pd.DataFrame({"feature": np.asarray(names, dtype=object), "coefficient": weights})[weights != 0]
    table["rank"] = table["coefficient"].abs().rank(ascending=False, method="first").astype(int)
    return table.sort_values("rank", ignore_index=True)


def linear(head: Any) -> bool:
    """Whether the fitted head's coefficients have a sign."""
    if isinstance(head, MeanLogOdds):
        return any(linear(own) for own in head.heads_)
    return hasattr(head.steps[-1][1], "coef_")


def _weights(head: Pipeline | MeanLogOdds, features: int) -> Float[np.ndarray, " feature"]:
    """One number a column, 0 for those that were not kept."""
    if isinstance(head, MeanLogOdds):
        members = [own for own in head.heads_ if linear(own)] or head.heads_
        return np.mean([_weights(own, features) for own in members], axis=0)
    weights, learner = np.zeros(features), head.steps[-1][1]
    weights[support(head, features)] = learner.coef_[0] if linear(head) else learner.feature_importances_
    return weights
