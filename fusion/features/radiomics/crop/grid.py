"""From an image and its regions to the crops that filters and feature classes read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from fusion.config.radiomics import Preparation
from fusion.data.image import Geometry
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics.crop import grey
from fusion.features.radiomics.crop.nearest import Moved, move
from fusion.features.radiomics.crop.normalise import z_score
from fusion.features.radiomics.crop.placement import Grid, Index, bounding_box, place, union
from fusion.features.radiomics.crop.resegment import resegment
from fusion.types import Mask, Spacing, Volume

Drawn = Bool[ndarray, "_ _ _"]
"""A region on the image's grid."""


@dataclass(frozen=True)
class Crop:
    """A region and the grey values round it, after normalising, resampling and re-segmenting."""

    image: Volume
    """float32; float64 after normalising (as in PyRadiomics) and where the image is float64."""
    mask: Mask
    """The region of texture and first order."""
    shape_mask: Mask
    """The region of shape: as drawn, but cut at the bounding box of what re-segmentation left (PyRadiomics' way)."""
    spacing_mm: Spacing
    offset: Index
    """The crop's first voxel on its grid; crops of one spacing lie on one grid."""
    origin_mm: tuple[float, float, float]
    """Centre of the first voxel, in ITK's order (x, y, z)."""
    direction: tuple[float, ...]

    @property
    def geometry(self) -> Geometry:
        """The crop's own grid, e.g. to write a map."""
        z, y, x = self.image.shape
        return Geometry((z, y, x), self.spacing_mm, self.origin_mm, self.direction)


def crops(image: Volume, masks: dict[str, Drawn], geometry: Geometry, settings: Preparation) -> dict[str, Crop]:
    """One crop a region, voxel for voxel what PyRadiomics 3.0.1 loads for it.

    Only the part of the image that is needed is read. B-splines are evaluated once for all regions of one spacing.
    With ``crop="shared"`` all regions have one crop: the bounding box of all and ``pad_distance``.

    Args:
        image: grey values, axes (z, y, x); integers are cast to float32 before anything else.
        masks: True inside the region, on the image's grid, by the region's name.
        geometry: the grid of image and masks.
        settings: the radiomics section.

    Raises:
        FeatureError: every region that cannot be measured, and grey values that are not finite.
    """
    _refuse(_misfits(image, masks, geometry))
    grids = _grids(masks, geometry, settings)
    moved = {name: _moved(mask, grids[name], geometry) for name, mask in masks.items()}
    parts = grey.groups(grids, geometry, settings.interpolator)
    _refuse([
        *(fault for name in masks for fault in _too_small(name, moved[name].mask, settings)),
        *grey.not_finite(image, parts, settings.normalise),
    ])  # fmt: skip
    scores = z_score(image, settings.normalise_scale, settings.remove_outliers) if settings.normalise else None
    values: dict[str, Volume] = {}
    for part in parts:
        values |= grey.read(image, part, grids, geometry, settings.interpolator, scores)
    if settings.interpolator == grey.SPLINE:
        for name, grid in grids.items():
            grey.settle_zeros(values[name], moved[name].mask, image, grid, geometry, scores)
    made = {name: _crop(values[name], moved[name], grids[name], geometry) for name in masks}
    return made if settings.resegment_range is None else _resegmented(made, settings)


def _grids(masks: dict[str, Drawn], geometry: Geometry, settings: Preparation) -> dict[str, Grid]:
    found = {name: bounding_box(mask) for name, mask in masks.items()}
    remedy = "check the mask and its label"
    _refuse(Fault(f"{name}: no voxel", "at least two", remedy) for name, box in found.items() if box is None)
    boxes = {name: box for name, box in found.items() if box is not None}
    if settings.crop == "shared":
        boxes = dict.fromkeys(boxes, union(boxes.values()))
    whole = settings.crop == "exact" and not settings.pre_crop
    return {
        name: place(box, geometry, settings.spacing_mm, settings.pad_distance, whole) for name, box in boxes.items()
    }


def _moved(mask: Drawn, grid: Grid, geometry: Geometry) -> Moved:
    return move(mask, grid, geometry) if grid.resampled else Moved(np.ascontiguousarray(mask[grid.box]), None)


def _crop(values: Volume, moved: Moved, grid: Grid, geometry: Geometry) -> Crop:
    if moved.outside is not None:
        values = np.where(moved.outside, values.dtype.type(0), values)
    origin_mm = grid.origin_mm(geometry)
    return Crop(values, moved.mask, moved.mask, grid.spacing_mm, grid.first, origin_mm, geometry.direction)


def _resegmented(made: dict[str, Crop], settings: Preparation) -> dict[str, Crop]:
    limits = settings.resegment_range or ()
    kept = {name: resegment(crop.image, crop.mask, limits, settings.resegment_mode) for name, crop in made.items()}
    _refuse(fault for name, left in kept.items() for fault in _too_small(f"{name}, re-segmented", left, settings))
    return {
        name: replace(crop, mask=kept[name], shape_mask=_shape(crop.mask, kept[name], settings.resegment_shape))
        for name, crop in made.items()
    }


def _shape(drawn: Mask, kept: Mask, resegmented: bool) -> Mask:
    box = bounding_box(kept)
    if resegmented or box is None:
        return kept
    cut = np.zeros_like(drawn)
    cut[box] = drawn[box]
    return cut


def _misfits(image: Volume, masks: dict[str, Drawn], geometry: Geometry) -> Iterator[Fault]:
    shapes = {"the image": image.shape} | {name: mask.shape for name, mask in masks.items()}
    for name, shape in shapes.items():
        if shape != geometry.size:
            remedy = "resample the mask to the image's grid"
            yield Fault(f"{name}: {shape} voxels along (z, y, x)", f"{geometry.size}, the image's", remedy)


def _too_small(name: str, region: Mask, settings: Preparation) -> Iterator[Fault]:
    """Why ``region`` cannot be measured, if it cannot (imageoperations.checkMask)."""
    box, least = bounding_box(region), settings.minimum_voxels
    remedy = "draw a larger region, or choose a finer radiomics.spacing_mm"
    if box is None:
        yield Fault(f"{name}: no voxel left", "at least two", f"{remedy} or a wider radiomics.resegment_range")
        return
    dimensions = sum(part.stop - part.start > 1 for part in box)
    if dimensions == 0:
        yield Fault(f"{name}: one voxel", "at least two", remedy)
    elif dimensions < settings.minimum_dimensions:
        found = f"{name}: a region of {dimensions} dimension" + "s" * (dimensions > 1)
        yield Fault(found, f"at least {settings.minimum_dimensions}", "lower radiomics.minimum_dimensions")
    if least is not None and (voxels := int(np.count_nonzero(region))) <= least:
        yield Fault(f"{name}: {voxels} voxels", f"more than {least}", "lower radiomics.minimum_voxels")


def _refuse(faults: Iterable[Fault]) -> None:
    if found := list(faults):
        raise FeatureError(found)
