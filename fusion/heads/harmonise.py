"""Harmonisation in the fold: ComBat fitted on the cases that the fold's head is fitted on, applied to all."""

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from fusion.config.harmonise import Combat
from fusion.heads.combat import ComBat, Covariates


def harmonised(
    table: pd.DataFrame, cohort: pd.DataFrame, fit: Bool[ndarray, " case"], choice: Combat | None
) -> pd.DataFrame:  # fmt: skip
    """``table`` as if every case came from the average scanner, learned from the cases ``fit`` alone.

    Args:
        table: features, one row a case in the order of ``cohort``.
        cohort: a column ``scanner``, and those of ``choice.covariates``; the outcome is not read.
        fit: cases to learn from.
        choice: null gives ``table`` back.

    Raises:
        HeadError: a scanner that cannot be learned, unless ``choice.unseen`` is ``as_is``.
    """
    if choice is None:
        return table
    values, scanner, covariates = table.to_numpy(float), cohort["scanner"].to_numpy(str), columns(cohort, choice)
    own = ComBat(choice.mean_only, choice.unseen).fit(values[fit], scanner[fit], covariates[fit])
    return pd.DataFrame(own.transform(values, scanner, covariates), table.index, table.columns)


def columns(cohort: pd.DataFrame, choice: Combat) -> Covariates:
    """The covariates as numbers: a number as it is, a category as one 0/1 column a level but the first.

    >>> cohort = pd.DataFrame({"age": [40.0, 61.0, 50.0], "sex": ["F", "M", "F"]})
    >>> columns(cohort, Combat(covariates=("age", "sex"))).tolist()
    [[40.0, 0.0], [61.0, 1.0], [50.0, 0.0]]
    """
    if not choice.covariates:
        return np.empty((len(cohort), 0))
    return pd.get_dummies(cohort[list(choice.covariates)], drop_first=True, dtype=float).to_numpy(float)
