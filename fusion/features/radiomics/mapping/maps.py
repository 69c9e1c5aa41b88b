"""Feature maps: a feature of the neighbourhood of every voxel of a region, as a volume."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Num
from numpy import ndarray
from pydantic import ValidationError

from fusion.config.images import kind_of
from fusion.config.names import DEPRECATED, FEATURES, SHAPE, fault
from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics.crop import grid
from fusion.features.radiomics.crop.grid import Crop
from fusion.features.radiomics.crop.placement import Box, bounding_box
from fusion.features.radiomics.filtering import filtered
from fusion.features.radiomics.mapping.feature_map import Map
from fusion.features.radiomics.mapping.voxelwise import CLASSES
from fusion.features.radiomics.mapping.windows import Neighbourhoods
from fusion.features.radiomics.plan import plan
from fusion.progress import one_blas_thread
from fusion.types import Mask, Volume

Image = Num[ndarray, "_ _ _"]
Region = Bool[ndarray, "_ _ _"]
Values = Float[ndarray, " voxel"]
REGION = "region"


def maps(
    image: Image, mask: Region, geometry: Geometry, radiomics: Radiomics, features: Sequence[str], threads: int = 1
) -> dict[str, Map]:
    """A map of each feature: its value in the cube of ``2 * kernel_radius + 1`` voxels round every voxel of the region.

    Numbers, NaN among them, are those of PyRadiomics 3.0.1's voxel-based extraction; grey levels are those of the whole
    region. Two things differ: where PyRadiomics gives up on MCC (see ``voxelwise.glcm``) the map has values; without
    ``masked_kernel`` LBP3D is known outside the region, where PyRadiomics reads memory that it never wrote.

    Args:
        image: grey values, axes (z, y, x); integers are cast to float32 first.
        mask: True inside the region, on the image's grid.
        geometry: the grid of image and mask.
        radiomics: the settings; which images and classes they list does not matter.
        features: names of columns, such as ``original_glcm_Contrast``; no shape.
        threads: classes of features measured at the same time; changes no number.

    Raises:
        FeatureError: every name that has no map, settings without maps, or a region that cannot be measured.
    """
    named = _named(features)
    steps = plan(_of_images(radiomics, [made for made, _, _ in named.values()]))
    crop = grid.crops(image, {REGION: mask}, geometry, radiomics)[REGION]
    box, own = _neighbourhoods(crop, radiomics)
    with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
        wanted = replace(crop, mask=_placed(own.counts, box, crop.mask.shape))
        values = filtered({REGION: wanted}, steps, pool.map)[REGION]
        textures = {made: step.texture for step in steps for made in step.names}
        jobs = list(dict.fromkeys((made, kind) for made, kind, _ in named.values()))
        run = pool.map(lambda job: CLASSES[job[1]](own, values[job[0]], textures[job[0]]), jobs)
        found = dict(zip(jobs, run, strict=True))
    own_grid, outside = _geometry(crop, box), float(radiomics.initial_value)
    return {
        column: Map(_filled(own.region, found[made, kind][:, _names(kind).index(name)], outside), own_grid)
        for column, (made, kind, name) in named.items()
    }


def _named(features: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    """Image, class and feature by column name."""
    example = "a column's name, as original_glcm_Contrast"
    faults = [Fault(repr(name), example, why) for name in features if (why := _no_map(name))]
    if not features:
        faults = [Fault("no feature", example, "name at least one")]
    if faults:
        raise FeatureError(faults)
    return {name: _parts(name) for name in features}


def _parts(column: str) -> tuple[str, str, str]:
    image, kind, name = column.rsplit("_", 2)
    return image, kind, name


def _no_map(column: str) -> str | None:
    """What to do about a column's name that has no map; None where it has one."""
    if column.count("_") != 2:
        return "write <image>_<class>_<feature>"
    image, kind, name = _parts(column)
    if kind in SHAPE:
        return "leave it out: shape is one number of the whole region, it has no map"
    if kind not in CLASSES:
        return f"take one of the classes {', '.join(CLASSES)}"
    try:
        kind_of(image)
    except ValueError as error:
        return f"take as image {error}"
    return fault(kind, name)


def _of_images(radiomics: Radiomics, images: Sequence[str]) -> Radiomics:
    """The same settings for ``images``."""
    if radiomics.engine != "fusion" or radiomics.mode != "exact":
        found = f"engine={radiomics.engine}, mode={radiomics.mode}"
        raise FeatureError(Fault(found, "engine=fusion and mode=exact for feature maps", "change radiomics"))
    try:
        return Radiomics.model_validate({**radiomics.model_dump(), "images": tuple(dict.fromkeys(images))})
    except ValidationError as error:
        reasons = "; ".join(found["msg"].removeprefix("Value error, ") for found in error.errors())
        raise FeatureError(
            Fault(f"features of images that are not made ({reasons})", "others", "change the names or radiomics")
        ) from error


def _neighbourhoods(crop: Crop, radiomics: Radiomics) -> tuple[Box, Neighbourhoods]:
    """The part of the crop that maps cover, and which of its voxels are looked at."""
    box, radius = bounding_box(crop.mask), radiomics.kernel_radius
    assert box is not None  # grid.crops refuses a region without a voxel
    sides = zip(box, crop.mask.shape, strict=True)
    z, y, x = (slice(max(side.start - radius, 0), min(side.stop + radius, size)) for side, size in sides)
    region = crop.mask[z, y, x]
    counts = region if radiomics.masked_kernel else np.ones_like(region)
    return (z, y, x), Neighbourhoods(region, counts, radius, crop.spacing_mm)


def _placed(mask: Mask, box: Box, shape: tuple[int, ...]) -> Region:
    placed = np.zeros(shape, bool)
    placed[box] = mask
    return placed


def _geometry(crop: Crop, box: Box) -> Geometry:
    (z, y, x), sizes = (side.start for side in box), [side.stop - side.start for side in box]
    origin_mm = crop.geometry.blank().TransformIndexToPhysicalPoint((x, y, z))
    return replace(crop.geometry, size=(sizes[0], sizes[1], sizes[2]), origin_mm=origin_mm)


def _filled(region: Mask, values: Values, outside: float) -> Volume:
    filled = np.full(region.shape, outside)
    filled[region] = values
    return filled


def _names(kind: str) -> tuple[str, ...]:
    """Names of a class's features, in the order in which they are measured."""
    return FEATURES[kind] + DEPRECATED.get(kind, ())
