"""Columns on one scale, learned from the cases that a head is fitted on."""

from typing import Any, Literal

from sklearn.preprocessing import QuantileTransformer, StandardScaler

from fusion.heads.select import Table
from fusion.types import Events


def scaler(kind: Literal["zscore", "quantile_normal"]) -> Any:
    """`zscore`: mean 0, standard deviation 1. `quantile_normal`: ranks on the normal curve."""
    return StandardScaler() if kind == "zscore" else QuantileNormal()


class QuantileNormal(QuantileTransformer):
    """scikit-learn's ``QuantileTransformer`` to the normal curve with a quantile for every case it is fitted on.

    A value beyond all of them is put at the end of the curve, at 5.2 standard deviations.
    """

    def __init__(self) -> None:
        super().__init__(output_distribution="normal", subsample=None)

    def fit(self, X: Table, y: Events | None = None) -> "QuantileNormal":
        """Learn the columns' quantiles."""
        self.n_quantiles = len(X)
        return super().fit(X, y)
