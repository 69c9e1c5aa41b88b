"""Tumour and External2, the peritumoural ring."""

import numpy as np
from scipy.ndimage import distance_transform_edt

from fusion.config.roi import Ring, Roi
from fusion.data.case import Case
from fusion.errors import Fault, RegionError
from fusion.roi.across import slice_axis
from fusion.roi.upright import as_stored, upright, upright_geometry
from fusion.types import Mask, Spacing, Volume

REGIONS = ("tumour", "external2")


def regions(case: Case, roi: Roi) -> dict[str, Mask]:
    """The case's two regions by name, on the image's grid; a hand-refined ring is taken as drawn.

    Raises:
        RegionError: the tumour or the ring has fewer voxels than the config asks for.
    """
    _enough(case.tumour, "tumour", roi.minimum_voxels, "roi.minimum_voxels", case.name)
    ring = case.external2 if case.external2 is not None else external2(case, roi.external2)
    _enough(ring, "external2", roi.external2.minimum_voxels, "roi.external2.minimum_voxels", case.name)
    return {"tumour": case.tumour, "external2": ring}


def external2(case: Case, ring: Ring) -> Mask:
    """The automatic ring of ``case``: by distance, then without air and bone (Shen 2026: [-200, 400] HU)."""
    tumour, spacing_mm = upright(case.tumour, case.geometry), upright_geometry(case.geometry).spacing_mm
    turned = peritumoural_ring(tumour, spacing_mm, ring.thickness_mm, in_plane=ring.grid == "in_plane")
    near = as_stored(turned, case.geometry)
    if ring.hu_range is not None:
        near &= within(case.image, ring.hu_range)
    return near | case.tumour if ring.shape == "filled" else near


def peritumoural_ring(tumour: Mask, spacing_mm: Spacing, thickness_mm: float, in_plane: bool = True) -> Mask:
    """Voxels outside the tumour and within ``thickness_mm`` of it.

    Args:
        tumour: True inside the tumour, axes (z, y, x), upright.
        spacing_mm: voxel size along (z, y, x), in millimetres.
        thickness_mm: distance from the nearest tumour voxel's centre; 0 gives an empty ring.
        in_plane: measure within each slice, across ``fusion.roi.across.slice_axis``, so that thick slices do not
            decide; else in three dimensions.

    >>> tumour = np.zeros((3, 7, 7), dtype=bool)
    >>> tumour[1, 3, 3] = True
    >>> int(peritumoural_ring(tumour, (5.0, 1.0, 1.0), 2.0).sum())
    12
    """
    ring = np.zeros_like(tumour)
    if not tumour.any():
        return ring
    box = _box(tumour, spacing_mm, thickness_mm)
    inside = tumour[box]
    if in_plane:
        across = slice_axis(spacing_mm)
        within_mm = spacing_mm[:across] + spacing_mm[across + 1 :]
        slices = np.moveaxis(inside, across, 0)
        near = np.stack([_near(slice_, within_mm, thickness_mm) for slice_ in slices], axis=across)
    else:
        near = _near(inside, spacing_mm, thickness_mm)
    ring[box] = near & ~inside
    return ring


def within(image: Volume, hu_range: tuple[float, float]) -> Mask:
    """Voxels whose grey value lies in ``hu_range``, ends included."""
    low, high = hu_range
    return (image >= low) & (image <= high)


def _enough(mask: Mask, name: str, least: int, field: str, case: str) -> None:
    if mask.sum() < least:
        remedy = f"check the mask, the HU filter and the image's border, or lower {field}"
        raise RegionError(Fault(f"{mask.sum()} voxels in {name}", f"at least {least}", remedy, case))


def _near(inside: np.ndarray, spacing_mm: tuple[float, ...], thickness_mm: float) -> np.ndarray:
    if not inside.any():
        return np.zeros_like(inside)
    return distance_transform_edt(~inside, sampling=spacing_mm) <= thickness_mm + 1e-6


def _box(tumour: Mask, spacing_mm: Spacing, thickness_mm: float) -> tuple[slice, ...]:
    """The tumour's bounding box with room for the ring."""
    index = np.argwhere(tumour)
    room = np.ceil(thickness_mm / np.asarray(spacing_mm)).astype(int) + 1
    low, high = np.maximum(index.min(axis=0) - room, 0), index.max(axis=0) + room + 1
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
