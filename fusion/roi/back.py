"""From the networks' box back to the image it was cut from: ``fusion.roi.patch.cut`` reversed."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.ndimage import map_coordinates

from fusion.config.roi import Patch
from fusion.data.image import Geometry, to_sitk
from fusion.errors import Fault, RegionError
from fusion.roi.upright import as_stored, upright, upright_geometry
from fusion.types import Mask
from fusion.volume_file import write_volume


def to_image(
    values: Float[ndarray, "bz by bx"], tumour: Mask, geometry: Geometry, patch: Patch, case: str | None = None
) -> Float[ndarray, "z y x"]:
    """``values`` on the image's grid, float32: linear between the box's voxel centres, 0 outside the box.

    Args:
        values: one number a voxel of the box, with or without its margin; axes (z, y, x), upright as the box.
        tumour: the mask whose centroid the box was centred on, as stored; True inside the tumour.
        geometry: of the image as stored.
        patch: the networks' box.
        case: named in an error.

    Raises:
        RegionError: no voxel is tumour.
    """
    if not tumour.any():
        raise RegionError(Fault("no tumour voxel", "at least one", "check the mask and its label", case))
    tumour, spacing_mm = upright(tumour, geometry), upright_geometry(geometry).spacing_mm
    centre = np.argwhere(tumour).mean(axis=0)
    lines = [
        (np.arange(image_n) - middle) * own / box + (n - 1) / 2
        for image_n, middle, own, box, n in zip(
            tumour.shape, centre, spacing_mm, patch.spacing_mm, values.shape, strict=True
        )
    ]
    inside = [np.flatnonzero((at >= -0.5) & (at <= n - 0.5)) for at, n in zip(lines, values.shape, strict=True)]
    at = np.meshgrid(*[line[kept] for line, kept in zip(lines, inside, strict=True)], indexing="ij")
    image = np.zeros(tumour.shape, np.float32)
    image[np.ix_(*inside)] = map_coordinates(values.astype(np.float32), at, order=1, mode="nearest")
    return as_stored(image, geometry)


def write_map(path: Path, values: Float[ndarray, "z y x"], geometry: Geometry) -> None:
    """Write ``values`` as float32 on the image's grid; the suffix of ``path`` chooses the format, as .nii.gz."""
    write_volume(path, to_sitk(values.astype(np.float32), geometry))
