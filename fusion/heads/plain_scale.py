"""Features on the scale that a head reads them on, in plain numbers: one by one, and thousands at once."""

from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from pydantic import Field
from scipy.special import ndtri

from fusion.config.part import Part

Values = Float[ndarray, " column"]
Numbers = tuple[float, ...]
NEAR = 1e-7
"""scikit-learn's: a value that is nearer to the smallest or largest quantile than this counts as beyond it."""
LOWEST, HIGHEST = ndtri(NEAR - np.spacing(1)), ndtri(1 - (NEAR - np.spacing(1)))
"""The ends of the normal curve, 5.2 standard deviations."""


class ZScore(Part):
    """Less the training cases' mean, over their standard deviation."""

    kind: Literal["zscore"] = "zscore"
    mean: float
    scale: float

    def __call__(self, value: float) -> float:
        """The scaled value."""
        return (value - self.mean) / self.scale


class QuantileNormal(Part):
    """The rank among the training cases' quantiles, on the normal curve; ends at 5.2 standard deviations."""

    kind: Literal["quantile_normal"] = "quantile_normal"
    quantiles: Annotated[Numbers, Field(min_length=2)]
    """Equally spaced, from the smallest value to the largest."""

    def __call__(self, value: float) -> float:
        """The scaled value, as scikit-learn's QuantileTransformer gives it."""
        return float(_on_the_normal_curve(np.array([value]), np.array([self.quantiles]))[0])


class Column(Part):
    """A feature that a head reads, and how it is scaled before."""

    name: str
    mean: float
    """Of the training cases, unscaled, an empty cell counted as what fills it; contributions are counted from here."""
    fill: float | None = None
    """What stands for an empty cell: the training cases' median. None: a cell is never empty."""
    scales: tuple[Annotated[ZScore | QuantileNormal, Field(discriminator="kind")], ...]

    def __call__(self, value: float) -> float:
        """The scaled value."""
        if np.isnan(value) and self.fill is not None:
            value = self.fill
        for scale in self.scales:
            value = scale(value)
        return value


class Scaling:
    """The scaling of many columns as arrays: a case of thousands of features takes a millisecond.

    >>> column = Column(name="volume", mean=3.0, fill=3.0, scales=(ZScore(mean=3.0, scale=2.0),))
    >>> scaling = Scaling((column,))
    >>> scaling(scaling.read({"volume": 7.0})).tolist(), scaling(np.array([np.nan])).tolist()
    ([2.0], [0.0])
    """

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._names = tuple(own.name for own in columns)
        self._fill = np.array([np.nan if own.fill is None else own.fill for own in columns], dtype=float)
        alike: dict[tuple[str | int, ...], list[int]] = {}
        for number, own in enumerate(columns):
            alike.setdefault(tuple(part for scale in own.scales for part in _shape(scale)), []).append(number)
        self._groups = [(np.array(own), _steps([columns[n].scales for n in own])) for own in alike.values()]

    def read(self, row: Mapping[str, float]) -> Values:
        """The columns' values of a case, from features by name."""
        return np.array([row[name] for name in self._names], dtype=float)

    def __call__(self, values: Values) -> Values:
        """The scaled values."""
        scaled = np.where(np.isnan(values), self._fill, values)
        for group, steps in self._groups:
            own = scaled[group]
            for first, second in steps:
                own = _on_the_normal_curve(own, first) if second is None else (own - first) / second
            scaled[group] = own
        return scaled


def _shape(scale: ZScore | QuantileNormal) -> tuple[str | int, ...]:
    """Scales of one shape are computed together."""
    return (scale.kind, len(scale.quantiles)) if isinstance(scale, QuantileNormal) else (scale.kind,)


def _steps(
    scales: list[tuple[ZScore | QuantileNormal, ...]],
) -> list[tuple[Float[ndarray, "column *quantile"], Values | None]]:
    """For each scale in turn means and standard deviations of all columns, or their quantiles and None."""
    return [
        (np.array([own.quantiles for own in step]), None)
        if isinstance(step[0], QuantileNormal)
        else (np.array([own.mean for own in step]), np.array([own.scale for own in step]))
        for step in zip(*scales, strict=True)
    ]


def _on_the_normal_curve(values: Values, quantiles: Float[ndarray, "column quantile"]) -> Values:
    """Each value's share of its column's quantiles, a tie's being the mean over its quantiles, as a normal deviate."""
    last = quantiles.shape[1] - 1
    shares, rows = np.linspace(0, 1, last + 1), np.arange(len(values))
    low = np.clip(_place(values, quantiles, "right") - 1, 0, last - 1)
    high = np.clip(_place(values, quantiles, "left"), 1, last)
    with np.errstate(divide="ignore", invalid="ignore"):  # beyond the quantiles, where the ends below stand instead
        up = (shares[low + 1] - shares[low]) / (quantiles[rows, low + 1] - quantiles[rows, low])
        down = (shares[high] - shares[high - 1]) / (quantiles[rows, high] - quantiles[rows, high - 1])
        rising = up * (values - quantiles[rows, low]) + shares[low]
        falling = down * (values - quantiles[rows, high]) + shares[high]
    share = np.where(values + NEAR > quantiles[:, -1], 1.0, 0.5 * (rising + falling))
    share = np.where(values - NEAR < quantiles[:, 0], 0.0, share)
    return np.clip(ndtri(share), LOWEST, HIGHEST)


def _place(
    values: Values, quantiles: Float[ndarray, "column quantile"], side: Literal["left", "right"]
) -> Int[ndarray, " column"]:  # fmt: skip
    """Each value's place in its column's quantiles, as ``numpy.searchsorted`` finds it, all columns at once."""
    rows, low = np.arange(len(values)), np.zeros(len(values), dtype=int)
    high = np.full(len(values), quantiles.shape[1])
    for _ in range(quantiles.shape[1].bit_length()):
        middle = (low + high) // 2
        at = quantiles[rows, np.minimum(middle, quantiles.shape[1] - 1)]
        above = (at < values if side == "left" else at <= values) & (middle < high)
        low, high = np.where(above, middle + 1, low), np.where(above, high, middle)
    return low
