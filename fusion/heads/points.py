"""What a nomogram is made of: scales and choices whose points add up to a total, which reads as a probability."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
import pandas as pd

from fusion.heads.logistic import probability
from fusion.types import Vector

FULL = 100.0
"""Points that the heaviest predictor spans."""
STEPS = (1, 2, 5, 10)
"""Times a power of ten: the distance between round numbers."""
DIVISIONS = 8
"""Round numbers in a range, about."""


@dataclass(frozen=True)
class Scale:
    """A numeric predictor: ``slope`` points a unit, 0 points at the end of its range that weighs least.

    The range is that of the training cases, widened to round numbers ``step`` apart; ``start`` is their median.
    Beyond the range the points go on along the same line, below 0 or above the most of the range.
    """

    name: str
    low: float
    high: float
    step: float
    start: float
    slope: float

    @property
    def zero(self) -> float:
        """The value with 0 points."""
        return self.low if self.slope >= 0 else self.high

    @property
    def most(self) -> float:
        """Points at the other end."""
        return abs(self.slope) * (self.high - self.low)

    @property
    def ticks(self) -> list[float]:
        """The round numbers of the range, in rising order."""
        count = round((self.high - self.low) / self.step)
        return [clean(self.low + place * self.step) for place in range(count + 1)]

    def points(self, values: "pd.Series[float]") -> Vector:
        """Points of ``values``."""
        return self.slope * (values.to_numpy(float) - self.zero)

    def outside(self, values: "pd.Series[float]") -> np.ndarray:
        """Which of ``values`` the range does not hold."""
        return ((values < self.low) | (values > self.high)).to_numpy()


@dataclass(frozen=True)
class Choice:
    """A category: points by level, the reference level first; ``start`` is the most frequent one in training."""

    name: str
    levels: Mapping[str, float]
    start: str

    @property
    def most(self) -> float:
        """Points of the level that weighs most; the lightest has 0."""
        return max(self.levels.values())

    def points(self, values: "pd.Series[str]") -> Vector:
        """Points of ``values``."""
        return values.map(self.levels).to_numpy(float)

    def outside(self, values: "pd.Series[str]") -> np.ndarray:
        """None: a level that is not described does not pass the cohort's check."""
        return np.zeros(len(values), dtype=bool)


@dataclass(frozen=True)
class Nomogram:
    """Points of every predictor, heaviest first; the log-odds are ``constant + unit * total``.

    ``equation`` is the same model as log-odds: the intercept, then what one unit, or one level against the reference,
    adds.
    """

    model: str
    predictors: tuple[Scale | Choice, ...]
    constant: float
    unit: float
    equation: Mapping[str, float]

    @property
    def most(self) -> float:
        """The largest total inside the drawn ranges."""
        return sum(predictor.most for predictor in self.predictors)

    def totals(self, rows: pd.DataFrame) -> Vector:
        """Total points of ``rows``: scores and clinical values by predictor, as ``nomogram.values`` joins them."""
        return np.sum([predictor.points(rows[predictor.name]) for predictor in self.predictors], axis=0)

    def outside(self, rows: pd.DataFrame) -> np.ndarray:
        """Rows with a value beyond a drawn range; their points are extrapolated along the line."""
        return np.any([predictor.outside(rows[predictor.name]) for predictor in self.predictors], axis=0)

    def probability(self, totals: Vector) -> Vector:
        """Probability of the positive class at total points."""
        return probability(self.constant + self.unit * totals)

    def total(self, chance: float) -> float:
        """Total points at which the probability is ``chance``, which lies between 0 and 1."""
        return (float(np.log(chance / (1 - chance))) - self.constant) / self.unit


def round_range(low: float, high: float) -> tuple[float, float, float]:
    """A range widened to round numbers, and the step between them: 1, 2 or 5 times a power of ten.

    >>> round_range(18.0, 92.0), round_range(-3.41, 2.2)
    ((10.0, 100.0, 10.0), (-4.0, 3.0, 1.0))
    """
    least = ((high - low) or 1.0) / DIVISIONS
    power = 10.0 ** floor(log10(least))
    step = clean(next(times * power for times in STEPS if times * power >= least * (1 - 1e-9)))
    first, last = floor(round(low / step, 9)), ceil(round(high / step, 9))
    return clean(first * step), clean(max(last, first + 1) * step), step


def clean(value: float) -> float:
    """Without the last digits that multiplying a decimal step leaves.

    >>> clean(3 * 0.1)
    0.3
    """
    return float(f"{value:.12g}")
