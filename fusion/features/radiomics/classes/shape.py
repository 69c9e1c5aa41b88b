"""Shape of a region: PyRadiomics' 14 features, from its mesh and from its voxels' covariance."""

import numpy as np
from jaxtyping import Float

from fusion.config.names import FEATURES
from fusion.errors import Fault, RegionError
from fusion.features.radiomics.classes.axes import eigenvalues_mm2
from fusion.features.radiomics.classes.diameter import diameters_mm
from fusion.features.radiomics.classes.mesh import area_mm2, census, volume_mm3
from fusion.types import Mask, Spacing

NAMES = FEATURES["shape"]


def shape(mask: Mask, spacing_mm: Spacing) -> Float[np.ndarray, "14"]:
    """The values of ``NAMES``, in that order; Elongation and Flatness of one voxel are NaN.

    Args:
        mask: the region; it may touch the border of the array.
        spacing_mm: voxel size along (z, y, x).

    Raises:
        RegionError: no voxel is True.
    """
    if not mask.any():
        raise RegionError(Fault("a mask without a voxel", "at least one", "check the label and the resampling"))
    cells = census(mask)
    area, volume = area_mm2(cells, spacing_mm), volume_mm3(cells, spacing_mm)
    in_slice, in_column, in_row, in_space = diameters_mm(cells.along_x, cells.along_y, spacing_mm)
    least, minor, major = eigenvalues_mm2(mask, cells.moments, spacing_mm)
    voxels = int(cells.moments[0]) * (spacing_mm[0] * spacing_mm[1] * spacing_mm[2])
    elongation, flatness = (np.sqrt([minor / major, least / major])) if major > 0 else (np.nan, np.nan)
    return np.array([
        elongation, flatness, 4 * np.sqrt(least), 4 * np.sqrt(major), in_column, in_row,
        in_slice, in_space, volume, 4 * np.sqrt(minor), (36 * np.pi * volume**2) ** (1 / 3) / area, area,
        area / volume, voxels,
    ])  # fmt: skip


def deprecated(volume_mm3: float, area_mm2: float) -> dict[str, float]:
    """Three features that PyRadiomics computes only when a parameter file names them, all functions of sphericity."""
    sphere_mm2 = (36 * np.pi * volume_mm3**2) ** (1 / 3)
    return {
        "Compactness1": volume_mm3 / (area_mm2**1.5 * np.sqrt(np.pi)),
        "Compactness2": 36 * np.pi * volume_mm3**2 / area_mm2**3,
        "SphericalDisproportion": area_mm2 / sphere_mm2,
    }
