"""From the networks' box back to the image it was cut from: ``fusion.roi.patch.cut`` reversed."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from jaxtyping import Float
from numpy import ndarray
from scipy.ndimage import map_coordinates

from fusion.config.roi import Patch
from fusion.data.image import Geometry, to_sitk
from fusion.errors import Fault, RegionError
from fusion.store import whole
from fusion.types import Mask, Spacing


def to_image(
    values: Float[ndarray, "bz by bx"], tumour: Mask, spacing_mm: Spacing, patch: Patch, case: str | None = None
) -> Float[ndarray, "z y x"]:
    """``values`` on the image's grid, float32: linear between the box's voxel centres, 0 outside the box.

    Args:
        values: one number a voxel of the box, with or without its margin; axes (z, y, x).
        tumour: the mask whose centroid the box was centred on; True inside the tumour.
        spacing_mm: voxel size of the image along (z, y, x), in mm.
        patch: the networks' box.
        case: named in an error.

    Raises:
        RegionError: no voxel is tumour.
    """
    if not tumour.any():
        raise RegionError(Fault("no tumour voxel", "at least one", "check the mask and its label", case))
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
    return image


def write_map(path: Path, values: Float[ndarray, "z y x"], geometry: Geometry) -> None:
    """Write ``values`` as float32 on the image's grid; the suffix of ``path`` chooses the format, as .nii.gz."""
    with whole(path) as part:
        sitk.WriteImage(to_sitk(values.astype(np.float32), geometry), str(part), useCompression=True)
