"""Grey values as z-scores of the whole image: PyRadiomics 3.0.1's rule (imageoperations.normalizeImage)."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from fusion.types import Volume


@dataclass(frozen=True)
class ZScore:
    """What turns grey values into z-scores."""

    mean: float
    deviation: float
    scale: float
    outliers: float | None

    def __call__(self, values: Num[ndarray, "z y x"]) -> Float[ndarray, "z y x"]:
        """``values`` in standard deviations from the mean, clipped at ``outliers``, times ``scale``; float64."""
        scores = (values.astype(np.float64) - self.mean) * (1 / self.deviation)
        if self.outliers is not None:
            np.clip(scores, -self.outliers, self.outliers, out=scores)
        return scores * self.scale


def z_score(image: Volume, scale: float, outliers: float | None) -> ZScore:
    """The mean and the standard deviation (n - 1) of every voxel of ``image``, which is read twice.

    Args:
        image: finite grey values, axes (z, y, x).
        scale: factor on the z-scores.
        outliers: z-scores are clipped to this many standard deviations; None does not.
    """
    mean = math.fsum(plane.sum(dtype=np.float64) for plane in image) / image.size
    squares = math.fsum(float(np.square(plane.astype(np.float64) - mean).sum()) for plane in image)
    return ZScore(mean, math.sqrt(squares / (image.size - 1)), scale, outliers)
