"""Gradient magnitude by central differences, as ITK computes it."""

from typing import no_type_check

import numpy as np
from jaxtyping import Float32
from numba import njit
from numpy import ndarray

from fusion.types import Mask, Spacing, Volume


def gradient(
    image: Volume, where: Mask, spacing_mm: Spacing, *, use_spacing: bool = True
) -> Float32[ndarray, " voxel"]:
    """Length of the gradient at ``image[where]``; at the image's border the value outside is the one at the border.

    Args:
        image: grey values, axes (z, y, x).
        where: True where values are wanted.
        spacing_mm: voxel size along (z, y, x), in millimetres.
        use_spacing: grey values a millimetre if true, a voxel if false.

    >>> ramp = np.arange(3.0).reshape(1, 1, 3) * np.ones((3, 3, 1))
    >>> gradient(ramp, ramp == 1, (1.0, 1.0, 0.5)).max()
    np.float32(2.0)
    """
    weights = tuple(0.5 * (1.0 / mm) if use_spacing else 0.5 for mm in spacing_mm)
    values = np.empty(np.count_nonzero(where), np.float32)
    _gradient(np.ascontiguousarray(image), np.ascontiguousarray(where), weights, values)
    return values


@no_type_check
@njit(cache=True, nogil=True)
def _gradient(image, where, weights, values):
    depth, height, width = image.shape
    wz, wy, wx = weights
    n = 0
    for z in range(depth):
        below, above = image[max(z - 1, 0)], image[min(z + 1, depth - 1)]
        for y in range(height):
            row, front, back = image[z, y], image[z, max(y - 1, 0)], image[z, min(y + 1, height - 1)]
            for x in range(width):
                if where[z, y, x]:
                    dx = wx * row[min(x + 1, width - 1)] - wx * row[max(x - 1, 0)]
                    dy = wy * back[x] - wy * front[x]
                    dz = wz * above[y, x] - wz * below[y, x]
                    values[n] = np.sqrt(dx * dx + dy * dy + dz * dz)
                    n += 1
