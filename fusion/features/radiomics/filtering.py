"""Grey values of every image type in every region: one filter bank for all regions that share a crop."""

from collections.abc import Callable, Iterable
from functools import reduce
from itertools import groupby
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.errors import Fault, FeatureError
from fusion.features.radiomics.crop.grid import Crop
from fusion.features.radiomics.filters.gradient import gradient
from fusion.features.radiomics.filters.laplacian import fits, laplacians
from fusion.features.radiomics.filters.pattern import pattern2d, pattern3d
from fusion.features.radiomics.filters.pointwise import exponential, logarithm, square, squareroot
from fusion.features.radiomics.filters.wavelet import wavelet
from fusion.features.radiomics.plan import Filtered, Gradient, Laplacian, Pattern2D, Pattern3D, Wavelet
from fusion.types import Mask

Values = Float[ndarray, " voxel"]
POINTWISE: dict[str, Callable[..., Values]] = {
    "square": square, "squareroot": squareroot, "logarithm": logarithm, "exponential": exponential,
}  # fmt: skip
COSTLY = ("wavelet", "log", "lbp3d")
"""Started first, so that no thread waits for them at the end."""


def filtered(
    crops: dict[str, Crop], steps: Iterable[Filtered], run: Callable[..., Iterable[Any]] = map
) -> dict[str, dict[str, Values]]:
    """Values of each region's voxels in C order, by region and image name.

    Args:
        crops: by region; crops of one grid are filtered once, where any of their regions lies.
        steps: what to make.
        run: ``map``, or an executor's.

    Raises:
        FeatureError: a crop too small for a filter.
    """
    groups = [
        list(same)
        for _, same in groupby(sorted(crops, key=lambda name: _grid(crops[name])), lambda name: _grid(crops[name]))
    ]
    _refuse_small(crops, steps)
    jobs = sorted(((step, names) for step in steps for names in groups), key=lambda job: job[0].kind not in COSTLY)
    made: dict[str, dict[str, Values]] = {name: {} for name in crops}
    for part in run(lambda job: _one_step(job[0], {name: crops[name] for name in job[1]}), jobs):
        for name, images in part.items():
            made[name] |= images
    return made


def _grid(crop: Crop) -> tuple[Any, ...]:
    return crop.offset, crop.image.shape, crop.spacing_mm


def _one_step(step: Filtered, crops: dict[str, Crop]) -> dict[str, dict[str, Values]]:
    masks = {name: crop.mask for name, crop in crops.items()}
    where = reduce(np.logical_or, masks.values())
    images = one_filter(step, next(iter(crops.values())), where)
    if len(masks) == 1:
        return dict.fromkeys(masks, images)
    return {name: {image: values[mask[where]] for image, values in images.items()} for name, mask in masks.items()}


def one_filter(step: Filtered, crop: Crop, where: Mask) -> dict[str, Values]:
    """The images of one step at ``where``, by name."""
    image, how = crop.image, step.filter
    match how:
        case Laplacian():
            images = laplacians(image, where, crop.spacing_mm, how.sigmas_mm)
            return dict(zip(step.names, images, strict=True))
        case Wavelet():
            bands = wavelet(image, where, name=how.wavelet, start_level=how.start_level, level=how.levels,
                            force2d_dimension=how.across)  # fmt: skip
            return {name: bands[name] for name in step.names}
        case Gradient():
            return {step.names[0]: gradient(image, where, crop.spacing_mm, use_spacing=how.use_spacing)}
        case Pattern2D():
            pattern = pattern2d(image, where, radius=how.radius, samples=how.samples, method=how.method,
                                force2d_dimension=how.dimension)  # fmt: skip
            return {name: pattern[name] for name in step.names}
        case Pattern3D():
            pattern = pattern3d(image, where, levels=how.levels, radius=how.radius, subdivision=how.subdivision)
            return {name: pattern[name] for name in step.names}
        case _:
            name = step.names[0]
            return {name: POINTWISE[name](image, where) if name in POINTWISE else image[where]}


def _refuse_small(crops: dict[str, Crop], steps: Iterable[Filtered]) -> None:
    """PyRadiomics leaves a Laplacian of Gaussian out of a crop that is too small for it, with a line in a log."""
    faults = [
        Fault(f"{name}: a crop of {crop.image.shape} voxels along (z, y, x)", f"more for a Laplacian of {sigma_mm} mm",
              "use an image with more slices, a finer radiomics.spacing_mm, or leave it out of radiomics.images")
        for name, crop in crops.items()
        for step in steps
        if isinstance(step.filter, Laplacian)
        for sigma_mm in step.filter.sigmas_mm
        if not fits(crop.image.shape, crop.spacing_mm, sigma_mm)
    ]  # fmt: skip
    if faults:
        raise FeatureError(faults)
