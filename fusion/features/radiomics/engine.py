"""All features of all regions of one case: cropped, filtered, discretised, measured."""

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Num
from numpy import ndarray

from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics import ibsi, oracle
from fusion.features.radiomics.crop import grid
from fusion.features.radiomics.crop.grid import Crop
from fusion.features.radiomics.doubts import doubts
from fusion.features.radiomics.filtering import filtered
from fusion.features.radiomics.measures import Grey, shapes
from fusion.features.radiomics.plan import Filtered, Texture, plan
from fusion.features.radiomics.preset import columns
from fusion.progress import one_blas_thread
from fusion.types import Vector

Image = Num[ndarray, "_ _ _"]
Region = Bool[ndarray, "_ _ _"]


@dataclass(frozen=True)
class Measured:
    """Features of each region in the order of ``columns``, and what to be careful about in them."""

    features: dict[str, Vector]
    warnings: dict[str, tuple[str, ...]]


def measure(
    image: Image, masks: dict[str, Region], geometry: Geometry, radiomics: Radiomics, threads: int = 1
) -> Measured:
    """Every feature of ``columns(radiomics)`` of every region.

    Args:
        image: grey values, axes (z, y, x); integers are cast to float32 first.
        masks: True inside the region, on the image's grid, by the region's name.
        geometry: the grid of image and masks.
        radiomics: the settings; ``engine`` and ``mode`` choose who measures.
        threads: images measured at the same time; changes no number.

    Raises:
        FeatureError: every region that cannot be measured, or whose features are not all finite.
    """
    if radiomics.engine == "pyradiomics":
        return _by_pyradiomics(image, masks, geometry, radiomics)
    with one_blas_thread():
        crops = (ibsi.crops if radiomics.mode == "ibsi" else grid.crops)(image, masks, geometry, radiomics)
        with ThreadPoolExecutor(threads) as pool:
            found, warnings = _measured(crops, radiomics, pool.map if threads > 1 else map)
    names = columns(radiomics)
    _refuse_not_finite(found, names)
    if radiomics.mode == "ibsi":
        voxels = {region: int(np.count_nonzero(crop.shape_mask)) for region, crop in crops.items()}
        found = {region: ibsi.redefine(names, values, voxels[region]) for region, values in found.items()}
    return Measured(found, warnings)


def compile_once(radiomics: Radiomics) -> None:
    """Have all code compiled that ``measure`` runs, by measuring noise: a minute the first time on a machine, then the
    compiled code is read from disk."""
    if radiomics.engine != "fusion":
        return
    size = (16, 24, 24)
    place = Geometry(size, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    noise = np.random.default_rng(0).normal(0, 100, size).astype(np.float32)
    mask = np.zeros(size, dtype=bool)
    mask[4:12, 6:18, 6:18] = True
    spacing_mm = None if radiomics.spacing_mm is None else (0.8, 0.8, 0.8)
    with contextlib.suppress(FeatureError):  # noise need not fit every setting
        measure(noise, {"noise": mask}, place, radiomics.model_copy(update={"spacing_mm": spacing_mm}))


def _measured(
    crops: dict[str, Crop], radiomics: Radiomics, run: Callable[..., Iterable[Any]]
) -> tuple[dict[str, Vector], dict[str, tuple[str, ...]]]:
    """Features in the order of ``columns`` and warnings, by region."""
    steps = plan(radiomics)
    grey = {region: Grey(crop, radiomics) for region, crop in crops.items()}
    settings = {step.texture for step in steps}
    shaped = run(lambda crop: shapes(crop, radiomics), crops.values())  # an executor starts at once, beside the filters
    prepared = run(lambda own: [own.prepare(texture) for texture in settings], grey.values())
    images = filtered(crops, steps, run)
    list(prepared)
    jobs = [(region, own, names) for own, names in _together(steps, radiomics) for region in crops]

    def measured(job: tuple[str, Texture, list[str]]) -> dict[str, Vector]:
        region, settings, names = job
        if radiomics.device == "cpu":
            return {name: grey[region].features(images[region][name], name, settings) for name in names}
        return grey[region].features_on_device({name: images[region][name] for name in names}, settings)

    by_image: dict[str, dict[str, Vector]] = {region: {} for region in crops}
    for (region, _, _), own in zip(jobs, run(measured, jobs), strict=True):
        by_image[region] |= own
    return (
        {region: np.concatenate([shape, *[by_image[region][name] for name in radiomics.images]])
         for region, shape in zip(crops, shaped, strict=True)},
        {region: doubts(crop, images[region], radiomics) for region, crop in crops.items()},
    )  # fmt: skip


def _together(steps: tuple[Filtered, ...], radiomics: Radiomics) -> list[tuple[Texture, list[str]]]:
    """Images that one job measures: one on a CPU, all of one kind of settings on a device."""
    if radiomics.device == "cpu":
        return [(step.texture, [name]) for step in steps for name in step.names]
    names: dict[Texture, list[str]] = {}
    for step in steps:
        names.setdefault(step.texture, []).extend(step.names)
    return list(names.items())


def _refuse_not_finite(found: dict[str, Vector], names: tuple[str, ...]) -> None:
    faults = []
    for region, values in found.items():
        if bad := [names[n] for n in np.flatnonzero(~np.isfinite(values))]:
            shown = ", ".join(bad[:3]) + (", ..." if len(bad) > 3 else "")
            remedy = "use a larger region, more slices, or fewer radiomics.images"
            faults.append(
                Fault(f"{region}: {len(bad)} features missing or not finite ({shown})", f"{len(names)}", remedy)
            )
    if faults:
        raise FeatureError(faults)


def _by_pyradiomics(image: Image, masks: dict[str, Region], geometry: Geometry, radiomics: Radiomics) -> Measured:
    found: dict[str, Vector] = {}
    faults: list[Fault] = []
    for region, mask in masks.items():
        try:
            found[region] = oracle.extract(image.astype(np.float32, copy=False), mask, geometry, radiomics)
        except FeatureError as error:
            faults += [replace(fault, found=f"{region}: {fault.found}") for fault in error.faults]
    if faults:
        raise FeatureError(faults)
    return Measured(found, dict.fromkeys(masks, ()))
