"""What to be careful about in a region's features, where exactness forbids mending it."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.config.radiomics import Radiomics
from fusion.features.radiomics.crop.grid import Crop

SCALED = ("square", "squareroot", "logarithm", "exponential")
"""Images that are scaled by the crop's largest absolute grey value."""
BEYOND = 1.1
"""A crop whose extreme is this many times the region's changes the scaled images by a tenth and more."""


def doubts(crop: Crop, images: dict[str, Float[ndarray, " voxel"]], radiomics: Radiomics) -> tuple[str, ...]:
    """Warnings about one region, in words.

    Args:
        crop: the region's crop.
        images: grey values of the region in every image, by name.
        radiomics: the settings.
    """
    return (*_scaled(crop, radiomics), *_flat(crop), *_without_number(images))


def _scaled(crop: Crop, radiomics: Radiomics) -> Iterator[str]:
    names = [name for name in radiomics.images if name in SCALED]
    if names and crop.image.size:
        largest, own = float(np.abs(crop.image).max()), float(np.abs(crop.image[crop.mask]).max())
        if largest > BEYOND * own:
            yield f"{', '.join(names)} are scaled by a voxel outside the region ({largest:.6g}; inside {own:.6g})"


def _flat(crop: Crop) -> Iterator[str]:
    values = crop.image[crop.mask]
    if values.min() == values.max():
        yield f"every voxel has the grey value {values[0]:.6g}: texture has nothing to measure"


def _without_number(images: dict[str, Float[ndarray, " voxel"]]) -> Iterator[str]:
    for name, values in images.items():
        if missing := int(np.isnan(values).sum()):
            yield f"{name}: {missing} voxels without a number (flat surroundings) form a grey level of their own"
