"""Shape of a region in one slice: PyRadiomics' nine shape2D features."""

import numpy as np
from jaxtyping import Bool, Float

from fusion.config.names import FEATURES
from fusion.errors import Fault, RegionError
from fusion.features.radiomics.classes.axes import eigenvalues_mm2
from fusion.features.radiomics.classes.diameter import widest_mm
from fusion.features.radiomics.classes.mesh import census
from fusion.types import Mask, Spacing

NAMES = FEATURES["shape2D"]
CORNERS = np.array([bin(square).count("1") for square in range(16)])
"""Corners inside of the 16 squares; corner (y, x) is bit 2 y + x."""
EIGHTHS = np.array([0, 1, 4, 7, 8])[CORNERS]
"""Area inside of each square, in eighths of a pixel."""
EIGHTHS[[0b0110, 0b1001]] = 2  # two opposite corners are two separate triangles
DIAGONALS = np.array([0, 1, 0, 1, 0])[CORNERS]
"""Lines between midpoints of adjacent sides in each square."""
DIAGONALS[[0b0110, 0b1001]] = 2


def shape2d(mask: Bool[np.ndarray, "y x"], spacing_mm: tuple[float, float]) -> Float[np.ndarray, "9"]:
    """The values of ``NAMES``, in that order; Elongation of one pixel is NaN.

    Args:
        mask: the region; it may touch the border of the array.
        spacing_mm: pixel size along (y, x).

    Raises:
        RegionError: no pixel is True.
    """
    if not mask.any():
        raise RegionError(Fault("a mask without a pixel", "at least one", "check the label and the resampling"))
    y, x = spacing_mm
    cells = census(mask[None])
    squares = cells.counts[:16]  # the cells with the slice in front of them and nothing behind
    surface = float(squares @ EIGHTHS) / 8 * (y * x)
    perimeter = float(squares @ DIAGONALS) * np.sqrt(y**2 + x**2) / 2
    perimeter += float(squares[0b0011] + squares[0b1100]) * x + float(squares[0b0101] + squares[0b1010]) * y
    minor, major = eigenvalues_mm2(mask, cells.moments, spacing_mm)
    return np.array([
        np.sqrt(minor / major) if major > 0 else np.nan, 4 * np.sqrt(major),
        widest_mm(cells.along_x[2:3].copy(), y / 2, x / 2), surface, 4 * np.sqrt(minor), perimeter,
        perimeter / surface, int(cells.moments[0]) * (y * x), 2 * np.sqrt(np.pi * surface) / perimeter,
    ])  # fmt: skip


def one_slice(
    mask: Mask, spacing_mm: Spacing, force2d_dimension: int = 0
) -> tuple[Bool[np.ndarray, "rows columns"], tuple[float, float]]:
    """The slice that holds the whole region, and its pixel size.

    PyRadiomics 3.0.1 computes shape2D only across z (and only when the region is wider than one voxel along x) or
    across x (wider than one along z): it reads the extent along (x, y, z) and the dimension along (z, y, x).

    Args:
        mask: the region.
        spacing_mm: voxel size along (z, y, x).
        force2d_dimension: axis across the slice, 0 for z, 1 for y, 2 for x.

    Raises:
        RegionError: the region has no voxel, or lies in more than one slice.
    """
    others = [axis for axis in range(3) if axis != force2d_dimension]
    slices = np.flatnonzero(mask.any(axis=tuple(others)))
    if len(slices) != 1:
        remedy = "set force2Ddimension to the axis across the slice, or use shape instead of shape2D"
        raise RegionError(Fault(f"a region in {len(slices)} slices", "one slice for shape2D", remedy))
    return mask.take(slices[0], axis=force2d_dimension), (spacing_mm[others[0]], spacing_mm[others[1]])


def deprecated(sphericity: float) -> dict[str, float]:
    """A feature that PyRadiomics computes only when a parameter file names it."""
    return {"SphericalDisproportion": 1 / sphericity}
