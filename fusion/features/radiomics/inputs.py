"""One image and its regions, from files, SimpleITK images or arrays, on one grid or not at all."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
import SimpleITK as sitk
from jaxtyping import Shaped
from numpy import ndarray

from fusion.data.image import Geometry, Image, Labels, read_image, read_labels
from fusion.errors import CohortError, Fault, FeatureError
from fusion.types import Mask

T = TypeVar("T")
Pictured: TypeAlias = Path | str | sitk.Image | Image
"""An image: a file, a SimpleITK image, or values with their geometry."""
Drawn: TypeAlias = Path | str | sitk.Image | Shaped[ndarray, "..."]
"""A region: a mask file, a SimpleITK image, or an array of booleans or labels on the image's grid."""


@dataclass(frozen=True)
class Tolerance:
    """How far two grids may differ and still be one: spacing and origin in mm, entries of the direction matrices."""

    mm: float = 1e-3
    direction: float = 1e-4


def gather(
    image: Pictured, regions: Mapping[str, Drawn], label: int, tolerance: Tolerance
) -> tuple[Image, dict[str, Mask]]:
    """The image in float32, and each region as a mask on its grid.

    Args:
        image: one volume.
        regions: by name.
        label: value of the region in masks that hold numbers; in masks of booleans the region is True.
        tolerance: for the grids of image and masks.

    Raises:
        FeatureError: everything that is wrong with the image and the regions, at once.
    """
    faults: list[Fault] = []
    own = _try(lambda: _image(image), "image", faults)
    masks = {}
    for name, drawn in regions.items():
        labels = _try(lambda drawn=drawn: _labels(drawn, own), name, faults)  # type: ignore[misc]
        if labels is not None:
            masks[name] = labels.values == (True if labels.values.dtype == np.bool_ else label)
            wrong = _faults(labels, masks[name], None if own is None else own.geometry, label, tolerance)
            faults += [_of(name, fault) for fault in wrong]
    if not regions:
        faults.append(Fault("no region", "at least one", "give regions as {name: mask}"))
    if faults or own is None:
        raise FeatureError(faults)
    return own, masks


def _try(read: Callable[[], T], name: str, faults: list[Fault]) -> T | None:
    try:
        return read()
    except CohortError as error:
        faults.extend(_of(name, fault) for fault in error.faults)
        return None


def _of(name: str, fault: Fault) -> Fault:
    return replace(fault, found=f"{name}: {fault.found}")


def _image(image: Pictured) -> Image:
    if isinstance(image, Path | str):
        return read_image(Path(image))
    given = image if isinstance(image, Image) else Image(_voxels(image), _geometry(image))
    values = given.values.astype(np.float32)
    if bad := int(values.size - np.isfinite(values).sum()):
        raise CohortError(Fault(f"{bad} voxels that are NaN or infinite", "finite grey values", "fill them"))
    return Image(values, given.geometry)


def _labels(drawn: Drawn, image: Image | None) -> Labels:
    """The mask's values; an array lies on the image's grid."""
    if isinstance(drawn, Path | str):
        return read_labels(Path(drawn))
    values = drawn if isinstance(drawn, ndarray) else _voxels(drawn)
    if image is not None and isinstance(drawn, ndarray) and values.shape != image.values.shape:
        found, expected = f"an array of shape {values.shape}", f"the image's {image.values.shape}, axes (z, y, x)"
        raise CohortError(Fault(found, expected, "give the mask on the image's grid"))
    if not np.isfinite(values).all() or (values != np.round(values)).any():
        raise CohortError(Fault("values that are not whole numbers", "labels or booleans", "threshold the mask"))
    if not isinstance(drawn, ndarray):
        return Labels(values, _geometry(drawn))
    z, y, x = values.shape
    unknown = Geometry((z, y, x), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    return Labels(values, image.geometry if image is not None else unknown)


def _voxels(raw: sitk.Image) -> Shaped[ndarray, "z y x"]:
    if raw.GetDimension() != 3 or raw.GetNumberOfComponentsPerPixel() != 1:
        found = f"{raw.GetDimension()} dimensions and {raw.GetNumberOfComponentsPerPixel()} values a voxel"
        raise CohortError(Fault(found, "one 3-D volume with one value a voxel", "take one volume of it"))
    return sitk.GetArrayFromImage(raw)


def _geometry(raw: sitk.Image) -> Geometry:
    return Geometry(raw.GetSize()[::-1], raw.GetSpacing()[::-1], raw.GetOrigin(), raw.GetDirection())


def _faults(labels: Labels, mask: Mask, grid: Geometry | None, label: int, tolerance: Tolerance) -> Iterator[Fault]:
    """What is wrong with a mask that could be read."""
    different = labels.geometry.difference(grid, tolerance.mm, tolerance.direction) if grid else []
    if different:
        found = f"another grid than the image's ({'; '.join(different)})"
        yield Fault(found, "the same grid", "resample the mask onto the image's grid")
    if not mask.any():
        present = [str(int(value)) for value in np.unique(labels.values) if value]
        found = f"no voxel with label {label} (labels found: {', '.join(present[:10]) or 'none'})"
        yield Fault(
            found,
            "at least one",
            f"give label={present[0]}, or draw the mask again" if present else "draw the mask again",
        )
    elif mask.all():
        remedy = "draw the region, or pad image and mask with a voxel if it is the whole image"
        yield Fault("a mask that covers the whole image", "a region inside it", remedy)
