"""Grey values through a curve that keeps the crop's largest size: square, square root, logarithm, exponential.

The curves are PyRadiomics' (van Griethuysen et al. 2017, doi:10.1158/0008-5472.CAN-17-0339). Their scale is taken from
the whole crop, so a bright voxel far from the region changes them; a crop of zeros gives nan.
"""

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from fusion.types import Mask, Volume

Values = Float64[ndarray, " voxel"]


def square(image: Volume, where: Mask) -> Values:
    """x² / m at ``image[where]``, with m the largest |x| of the image.

    >>> crop, everywhere = np.array([[[2.0, -4.0]]]), np.ones((1, 1, 2), bool)
    >>> square(crop, everywhere)
    array([1., 4.])
    """
    with np.errstate(all="ignore"):
        return ((1 / np.sqrt(_largest(image))) * _values(image, where)) ** 2


def squareroot(image: Volume, where: Mask) -> Values:
    """√(m |x|) with the sign of x at ``image[where]``, with m the largest |x| of the image."""
    values = _values(image, where)
    with np.errstate(all="ignore"):
        return np.copysign(np.sqrt(np.abs(values) * _largest(image)), values)


def logarithm(image: Volume, where: Mask) -> Values:
    """m log(|x| + 1) / log(m + 1) with the sign of x at ``image[where]``, with m the largest |x| of the image."""
    values, largest = _values(image, where), _largest(image)
    with np.errstate(all="ignore"):
        return np.copysign(np.log(np.abs(values) + 1), values) * (largest / np.log(largest + 1))


def exponential(image: Volume, where: Mask) -> Values:
    """m ** (x / m) at ``image[where]``, with m the largest |x| of the image."""
    largest = _largest(image)
    with np.errstate(all="ignore"):
        return np.exp((np.log(largest) / largest) * _values(image, where))


def _values(image: Volume, where: Mask) -> Values:
    return image[where].astype(np.float64)


def _largest(image: Volume) -> np.float64:
    return max(np.float64(image.max()), -np.float64(image.min()))
