"""One case: image and masks on one grid, or every reason why not."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from fusion.config.cohort import Cohort
from fusion.data.image import Geometry, Image, Labels, is_dicom, read_image, read_labels, regrid
from fusion.data.roi_name import RING, TUMOUR
from fusion.errors import CohortError, Fault
from fusion.types import Mask, Volume

T = TypeVar("T")


@dataclass(frozen=True)
class Files:
    """Where a case's image and masks lie."""

    case: str
    image: Path
    tumour: Path
    external2: Path | None = None
    second_reader: Path | None = None
    repeat: Path | None = None


@dataclass(frozen=True)
class Case:
    """A case whose masks lie on the grid of its image."""

    name: str
    image: Volume
    tumour: Mask
    external2: Mask | None
    geometry: Geometry
    notes: tuple[str, ...] = ()
    """What was decided in reading it."""


def load(files: Files, cohort: Cohort, resample_mask: bool) -> Case:
    """The case behind ``files``.

    Args:
        files: paths; ``external2`` is a hand-refined ring.
        cohort: label value and geometry tolerances.
        resample_mask: bring a mask with another grid onto the image's grid instead of refusing it.

    Raises:
        CohortError: every fault of the image and its masks at once.
    """
    faults: list[Fault] = []
    image = attempted(lambda: read_image(files.image), faults)
    drawn = {
        role: attempted(partial(_drawn, path, role, image, cohort, resample_mask), faults)
        for role, path in _masks(files).items()
    }
    if faults or image is None:
        raise CohortError([replace(fault, case=files.case) for fault in faults])
    masks = {role: own.mask for role, own in drawn.items() if own is not None}
    notes = (*image.notes, *(note for own in drawn.values() if own is not None for note in own.notes))
    return Case(files.case, image.values, masks["tumour"], masks.get("external2"), image.geometry, notes)


def _masks(files: Files) -> dict[str, Path]:
    """The mask files that this case has, by role."""
    roles = ("tumour", "external2", "second_reader", "repeat")
    return {role: path for role in roles if (path := getattr(files, role)) is not None}


def attempted(read: Callable[[], T], faults: list[Fault]) -> T | None:
    """What ``read`` gives; or None, with what it found wrong added to ``faults``."""
    try:
        return read()
    except CohortError as error:
        faults.extend(error.faults)
        return None


@dataclass(frozen=True)
class _Drawn:
    mask: Mask
    notes: tuple[str, ...]


def _drawn(path: Path, role: str, image: Image | None, cohort: Cohort, resample_mask: bool) -> _Drawn | None:
    """The mask in ``path``; None of a DICOM mask whose image could not be read, as it has no grid without it."""
    if not (path.exists() and is_dicom(path)):
        labels = read_labels(path)
    elif image is None:
        return None
    else:
        from fusion.data.dicom_mask import read_dicom_mask

        wanted, usual = (None, RING) if role == "external2" else (cohort.roi, TUMOUR)
        labels = read_dicom_mask(path, image, wanted, usual, cohort.label)
    return _Drawn(_mask(labels, path, image, cohort, resample_mask), labels.notes)


def _mask(labels: Labels, path: Path, image: Image | None, cohort: Cohort, resample_mask: bool) -> Mask:
    present = np.unique(labels.values)
    if cohort.label not in present:
        found = f"no voxel with label {cohort.label} (labels: {', '.join(str(int(v)) for v in present[:10])})"
        remedy = "set cohort.label or draw the mask again"
        raise CohortError(Fault(found, "at least one", remedy, file=str(path)))
    if image is None:
        return labels.values == cohort.label
    different = labels.geometry.difference(image.geometry, cohort.tolerance_mm, cohort.tolerance_direction)
    if not different:
        return labels.values == cohort.label
    outside = _outside(labels, image.geometry, cohort.label)
    if outside:
        found = f"{outside:.0%} of the mask outside the image"
        remedy = "check that mask and image belong together"
        raise CohortError(Fault(found, "a mask inside the image", remedy, file=str(path)))
    if not resample_mask:
        found = f"another grid than the image's: {'; '.join(different)}"
        remedy = "export the mask on the image's grid or set roi.resample_mask=true"
        raise CohortError(Fault(found, "the same grid", remedy, file=str(path)))
    mask = regrid(labels, image.geometry).values == cohort.label
    if not mask.any():
        remedy = "draw the mask on the image's grid"
        raise CohortError(Fault("no voxel left after resampling the mask", "at least one", remedy, file=str(path)))
    return mask


def _outside(labels: Labels, geometry: Geometry, label: int) -> float:
    """Share of labelled voxel centres outside the grid ``geometry``."""
    index = np.argwhere(labels.values == label)[:, ::-1]
    inside = labels.geometry
    points = np.asarray(inside.origin_mm) + (index * inside.spacing_mm[::-1]) @ np.reshape(inside.direction, (3, 3)).T
    offset = (points - geometry.origin_mm) @ np.linalg.inv(np.reshape(geometry.direction, (3, 3))).T
    there = offset / geometry.spacing_mm[::-1]
    return float(((there < -0.5) | (there > np.asarray(geometry.size[::-1]) - 0.5)).any(axis=1).mean())
