"""The largest diameter of a tumour in any axial slice, as a reader measures it."""

import numpy as np
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from fusion.data.image import Geometry
from fusion.roi.upright import upright, upright_geometry
from fusion.types import Mask


def axial_diameter_mm(mask: Mask, geometry: Geometry) -> float:
    """The longest line between two points of the mask within one axial slice, from voxel edge to voxel edge, in mm.

    Axial slices are those of the image turned upright, however it is stored. The edges of voxels
    count, so that one voxel has its diagonal, as in RECIST 1.1's longest in-plane diameter (doi:10.1016/
    j.ejca.2008.10.026), which is drawn from border to border.

    >>> mask = np.zeros((2, 5, 9), bool)
    >>> mask[1, 2, 1:7] = True
    >>> geometry = Geometry((2, 5, 9), (5.0, 1.0, 2.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    >>> round(axial_diameter_mm(mask, geometry), 3)  # 12 mm by 1 mm
    12.042
    """
    spacing_mm = upright_geometry(geometry).spacing_mm[1:]
    return max((_longest_mm(own, spacing_mm) for own in upright(mask, geometry) if own.any()), default=0.0)


def _longest_mm(inside: np.ndarray, spacing_mm: tuple[float, ...]) -> float:
    corners = _corners(inside) * spacing_mm
    try:
        hull = corners[ConvexHull(corners).vertices]
    except QhullError:
        hull = corners
    return float(pdist(hull).max())


def _corners(inside: np.ndarray) -> np.ndarray:
    """Corners of the first and the last voxel of every row: the convex hull of all corners is that of these."""
    rows = np.flatnonzero(inside.any(axis=1))
    first, last = inside[rows].argmax(axis=1), inside.shape[1] - inside[rows, ::-1].argmax(axis=1)
    ends = [np.stack([rows + down, side], axis=1) for down in (0, 1) for side in (first, last)]
    return np.unique(np.concatenate(ends), axis=0).astype(float)
