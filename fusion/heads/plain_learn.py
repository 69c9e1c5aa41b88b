"""What reads scaled features, in plain numbers: a regression, or trees."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.config.part import Part

Scaled = Float[ndarray, " column"]
Numbers = tuple[float, ...]


class Linear(Part):
    """A regression: log-odds are intercept + sum of coefficient x scaled value."""

    kind: Literal["linear"] = "linear"
    intercept: float
    coefficients: Numbers

    def log_odds(self, scaled: Scaled) -> float:
        """Log-odds of the positive class."""
        return self.intercept + float(np.dot(np.array(self.coefficients, dtype=float), scaled))


class Tree(Part):
    """A binary tree: node n goes to left[n] where column[n] <= threshold[n], else to right[n]; -1 ends.

    Values are rounded to single precision before they are compared, as scikit-learn's trees read them.
    """

    column: tuple[int, ...]
    threshold: Numbers
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: Numbers

    def __call__(self, rounded: Sequence[float]) -> float:
        """The value of the leaf that the case falls into.

        Args:
            rounded: scaled values in single precision.
        """
        node = 0
        while self.left[node] >= 0:
            below = rounded[self.column[node]] <= self.threshold[node]
            node = self.left[node] if below else self.right[node]
        return self.value[node]


class Boosting(Part):
    """Log-odds are start + rate x sum of the trees' values."""

    kind: Literal["boosting"] = "boosting"
    start: float
    rate: float
    trees: tuple[Tree, ...]

    def log_odds(self, scaled: Scaled) -> float:
        """Log-odds of the positive class."""
        rounded = _rounded(scaled)
        return self.start + self.rate * sum(tree(rounded) for tree in self.trees)


class Forest(Part):
    """The probability is the mean of the trees' values."""

    kind: Literal["forest"] = "forest"
    lowest: float
    """Probabilities are kept this far from 0 and 1 before their log-odds are taken."""
    trees: tuple[Tree, ...]

    def log_odds(self, scaled: Scaled) -> float:
        """Log-odds of the positive class."""
        rounded = _rounded(scaled)
        mean = sum(tree(rounded) for tree in self.trees) / len(self.trees)
        kept = min(max(mean, self.lowest), 1 - self.lowest)
        return float(np.log(kept / (1 - kept)))


def _rounded(scaled: Scaled) -> list[float]:
    return [float(value) for value in scaled.astype(np.float32)]
