"""IBSI's grid: the old one's centre, the fewest new voxels that cover it (reference manual, arXiv:1612.07003, 2.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy import ndimage

from fusion.features.radiomics.crop.placement import Box, Index
from fusion.types import Mask, Spacing, Volume

Order = Literal[1, 3]
MARGIN = 16
"""Voxels around the region that are read: a cubic spline forgets a voxel by a factor .27 a step, so 7e-10 is lost."""
HALF = 0.5 - 1e-6
"""Voxels of the interpolated mask from here on are inside; a half that rounding made smaller still is one."""


@dataclass(frozen=True)
class Moved:
    """Part of image and mask on the new grid."""

    image: Volume
    region: Mask
    first: Index
    """The part's first voxel on the new grid."""
    corner: tuple[float, float, float]
    """Where its centre lies, in voxels of the old grid along (z, y, x)."""


@dataclass(frozen=True)
class _Axis:
    """Which old voxels are read along one axis, and where the new ones from ``first`` on lie among them."""

    read: slice
    first: int
    position: Float[ndarray, " new"]


def interpolate(image: Volume, region: Mask, box: Box, spacing_mm: Spacing, fine_mm: Spacing, *,
                order: Order, pad: int) -> Moved:  # fmt: skip
    """The region and what surrounds it on the new grid, in float64.

    Args:
        image: grey values, axes (z, y, x).
        region: True inside the region, same shape.
        box: the region's bounding box.
        spacing_mm: voxel size of both, along (z, y, x).
        fine_mm: voxel size of the new grid.
        order: 1 is trilinear, 3 a cubic spline; the mask is always trilinear, and inside from one half on.
        pad: new voxels to keep around the region, at least; the image's border ends them.
    """
    axes = [_axis(*axis, pad) for axis in zip(region.shape, spacing_mm, fine_mm, box, strict=True)]
    crop = tuple(axis.read for axis in axes)
    values = _along_axes(image[crop].astype(np.float64), axes, order)
    inside = _along_axes(region[crop].astype(np.float64), axes, 1) >= HALF
    z, y, x = axes
    corner = [axis.read.start + float(axis.position[0]) for axis in axes]
    return Moved(values, inside, (z.first, y.first, x.first), (corner[0], corner[1], corner[2]))


def _axis(size: int, spacing_mm: float, fine_mm: float, box: slice, pad: int) -> _Axis:
    count = int(np.ceil(round(size * spacing_mm / fine_mm, 3)))  # a spacing kept in float32 adds no voxel
    position = (size - 1) / 2 + (np.arange(count) - (count - 1) / 2) * (fine_mm / spacing_mm)
    near = np.flatnonzero((position > box.start - 1) & (position < box.stop))
    if not len(near):
        near = np.array([np.abs(position - (box.start + box.stop - 1) / 2).argmin()])
    first = max(int(near[0]) - pad, 0)
    position = position[first : near[-1] + pad + 1]
    start = max(int(position[0]) - MARGIN, 0)
    return _Axis(slice(start, min(int(position[-1]) + MARGIN + 2, size)), first, position - start)


def _along_axes(values: Volume, axes: Sequence[_Axis], order: Order) -> Float[ndarray, "new_z new_y new_x"]:
    """Linear or cubic along one axis after the other, which is the same as along all at once."""
    for n, axis in enumerate(axes):
        if np.array_equal(axis.position, np.round(axis.position)):
            values = np.take(values, axis.position.astype(int), n)
        else:
            weights = _weights(axis.position, values.shape[n], order)
            values = np.moveaxis(np.tensordot(weights, values, (1, n)), 0, n)
    return values


def _weights(position: Float[ndarray, " new"], size: int, order: Order) -> Float[ndarray, "new old"]:
    """What each old voxel gives to each new one; beyond the last voxel the image goes on as it ends."""
    grid = np.broadcast_arrays(position[:, None], np.arange(size)[None])
    return ndimage.map_coordinates(np.eye(size), grid, order=order, mode="nearest")
