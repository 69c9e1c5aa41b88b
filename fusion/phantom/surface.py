"""The tumour's surface: a rough ellipsoid with the volume of the smooth one, as a signed distance."""

import numpy as np
import SimpleITK as sitk
from numpy.random import Generator

from fusion.phantom.field import Field, Grid
from fusion.phantom.lesion import Lesion
from fusion.types import Mask, Volume

ROUGHNESS_MM = 4.0
NEAR_MM = 1.5


def signed_distance_mm(lesion: Lesion, grid: Grid, rng: Generator) -> Volume:
    """Distance to the tumour's surface in mm, negative inside, float32.

    The rough surface is a level set of radius + noise. The level is the quantile that leaves as many voxels inside as
    the smooth ellipsoid has; a fixed level would let roughness, and so the label, leak through the volume.
    """
    radius = ellipsoid_radius(lesion, grid)
    noise = Field.draw(rng, (ROUGHNESS_MM,) * 3, half_mm=48.0).on(grid)
    rough = radius + np.float32(lesion.roughness) * noise
    inside = int((radius < 1).sum())
    level = np.partition(rough.ravel(), inside)[inside]
    return _distance(rough - level, grid)


def ellipsoid_radius(lesion: Lesion, grid: Grid) -> Volume:
    """Distance from the centre in units of the smooth ellipsoid's radius in that direction, float32."""
    z, y, x = lesion.semi_axes_mm
    cos, sin = np.cos(lesion.angle_rad), np.sin(lesion.angle_rad)
    across = (cos * grid.x[None, :] + sin * grid.y[:, None]) / x
    along = (cos * grid.y[:, None] - sin * grid.x[None, :]) / y
    plane = (across**2 + along**2).astype(np.float32)
    height = ((grid.z / z) ** 2).astype(np.float32)
    return np.sqrt(height[:, None, None] + plane)


def _distance(level: Volume, grid: Grid) -> Volume:
    """Exact voxel distances, refined below voxel size by the level set's slope near the surface."""
    steps = [abs(float(axis[1] - axis[0])) for axis in (grid.z, grid.y, grid.x)]
    coarse = _voxel_distance(level < 0, steps)
    slope = np.sqrt(sum(g * g for g in np.gradient(level, *steps)))
    fine = np.clip(level / np.maximum(slope, 1e-6), -NEAR_MM, NEAR_MM)
    return np.where(np.abs(coarse) < NEAR_MM, fine, coarse).astype(np.float32)


def _voxel_distance(inside: Mask, steps: list[float]) -> Volume:
    image = sitk.GetImageFromArray(inside.astype(np.uint8))
    image.SetSpacing(steps[::-1])
    maurer = sitk.SignedMaurerDistanceMapImageFilter()
    maurer.SetNumberOfThreads(1)
    maurer.SetUseImageSpacing(True)
    maurer.SetSquaredDistance(False)
    return sitk.GetArrayFromImage(maurer.Execute(image))
