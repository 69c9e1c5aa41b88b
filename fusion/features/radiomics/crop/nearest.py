"""Region masks on another grid by nearest neighbour, voxel by voxel as ITK decides."""

from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk
from jaxtyping import Bool, Int, Shaped
from numpy import ndarray

from fusion.data.image import Geometry
from fusion.features.radiomics.crop.placement import Box, Grid
from fusion.types import Mask

TIE = 1e-6
"""Voxels: a position this near to the border between two voxels is on one side or the other by rounding alone."""
MARGIN = 32
"""Voxels kept beyond the last one read, for interpolators that see their neighbours."""
OUTSIDE = -1
"""Stands for the voxel nearest to a position beyond the image."""


@dataclass(frozen=True)
class Moved:
    """A region on its crop's grid."""

    mask: Mask
    outside: Mask | None
    """The crop's voxels beyond the image, where there are any; PyRadiomics' images are 0 there."""


def move(mask: Bool[ndarray, "Z Y X"], grid: Grid, geometry: Geometry) -> Moved:
    """``mask``, which lies on the image's ``geometry``, on ``grid``.

    Half-way positions are common (0.5 mm to 1 mm has no other), and the rounding of ITK's coordinates decides them.
    Where the image's axes are those of its coordinates, ITK is asked once an axis; else it resamples the mask.
    """
    tied = [bool((np.abs(at - np.floor(at) - 0.5) < TIE).any()) for at in grid.positions(geometry)]
    if any(tied) and not _upright(geometry):
        values = mask[from_origin(grid, geometry)].view(np.uint8)
        found = resample_by_itk(values, grid, geometry, sitk.sitkNearestNeighbor, outside=2)
        return Moved(found == 1, found == 2 if (found == 2).any() else None)
    z, y, x = (_by_itk(grid, geometry, axis) if tied[axis] else _nearest(grid, geometry, axis) for axis in range(3))
    found = mask[z[:, None, None], y[:, None], x]  # voxel -1, the last, where a position is outside
    outside = (z[:, None, None] == OUTSIDE) | (y[:, None] == OUTSIDE) | (x == OUTSIDE)
    return Moved(found & ~outside, outside) if outside.any() else Moved(found, None)


def from_origin(grid: Grid, geometry: Geometry) -> Box:
    """The part of the image that decides the values on ``grid``, and all up to the image's first voxel."""
    z, y, x = (
        slice(0, min(int(at[-1]) + 2 + MARGIN, size))
        for at, size in zip(grid.positions(geometry), geometry.size, strict=True)
    )
    return z, y, x


def resample_by_itk(
    values: Shaped[ndarray, "z y x"], grid: Grid, geometry: Geometry, interpolator: int, outside: int = 0
) -> Shaped[ndarray, "Z Y X"]:
    """``values`` on ``grid`` through SimpleITK.

    Args:
        values: the image's part ``from_origin``: with its origin, every coordinate keeps its rounding.
        grid: where values are asked for.
        geometry: the image's grid.
        interpolator: SimpleITK's number.
        outside: the value beyond the image.
    """
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(geometry.spacing_mm[::-1])
    image.SetOrigin(geometry.origin_mm)
    image.SetDirection(geometry.direction)
    resampler = sitk.ResampleImageFilter()
    resampler.SetNumberOfThreads(1)
    resampler.SetOutputSpacing(grid.spacing_mm[::-1])
    resampler.SetOutputDirection(geometry.direction)
    resampler.SetOutputOrigin(grid.origin_mm(geometry))
    resampler.SetSize(grid.size[::-1])
    resampler.SetInterpolator(interpolator)
    resampler.SetDefaultPixelValue(outside)
    return sitk.GetArrayFromImage(resampler.Execute(image))


def _nearest(grid: Grid, geometry: Geometry, axis: int) -> Int[ndarray, " n"]:
    index = np.rint(grid.positions(geometry)[axis]).astype(np.intp)
    return np.where(index < geometry.size[axis], index, OUTSIDE)


def _by_itk(grid: Grid, geometry: Geometry, axis: int) -> Int[ndarray, " n"]:
    """The same as ITK decides: it reads the numbers of the voxels off one line along ``axis``."""
    numbers = np.arange(geometry.size[axis], dtype=np.int32).reshape([-1 if a == axis else 1 for a in range(3)])
    return resample_by_itk(numbers, grid.row(axis, geometry), geometry, sitk.sitkNearestNeighbor, OUTSIDE).ravel()


def _upright(geometry: Geometry) -> bool:
    """Whether each axis of the image is one of its coordinates, in ITK's matrices to the last bit.

    ITK inverts the matrix, and after some permutations of axes leaves 1e-17 where 0 belongs.
    """
    voxel = replace(geometry, size=(1, 1, 1), origin_mm=(0.0, 0.0, 0.0)).blank()
    inverse = [voxel.TransformPhysicalPointToContinuousIndex(unit) for unit in np.eye(3).tolist()]
    matrices = np.array(geometry.direction).reshape(3, 3), np.array(inverse)
    return all(bool(((matrix != 0).sum(axis=axis) == 1).all()) for matrix in matrices for axis in (0, 1))
