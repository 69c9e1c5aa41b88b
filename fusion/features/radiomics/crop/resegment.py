"""What is left of a region between two grey values: PyRadiomics 3.0.1's rule (imageoperations.resegmentMask)."""

from typing import Any, Literal

import numpy as np
from jaxtyping import Num
from numpy import ndarray

from fusion.types import Mask, Volume

Mode = Literal["absolute", "relative", "sigma"]


def resegment(image: Volume, region: Mask, limits: tuple[float, ...], mode: Mode) -> Mask:
    """Voxels of ``region`` from the first limit on, and up to the second where there are two, ends included.

    The limits are compared in the image's own precision, as PyRadiomics does.

    Args:
        image: grey values, axes (z, y, x).
        region: True inside the region.
        limits: one or two numbers.
        mode: `absolute`: limits are grey values; `relative`: shares of the region's maximum; `sigma`: standard
            deviations from the region's mean.

    >>> image = np.arange(8.0).reshape(2, 2, 2)
    >>> int(resegment(image, image > 0, (0.5,), "relative").sum())
    4
    """
    values = image[region]
    low, *high = _in_grey_values(values, sorted(limits), mode)
    kept = values >= low
    if high:
        kept &= values <= high[0]
    left = np.zeros_like(region)
    left[region] = kept
    return left


def _in_grey_values(values: Num[ndarray, " voxel"], limits: list[float], mode: Mode) -> list[Any]:
    """Numbers of the image's type, or plain ones, which numpy rounds to it when it compares."""
    if mode == "relative":
        largest = values.max()
        return [largest * limit for limit in limits]
    if mode == "sigma":
        mean, deviation = values.mean(), values.std()
        return [mean + deviation * limit for limit in limits]
    return limits
