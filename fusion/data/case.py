"""One case: image and masks on one grid, or every reason why not."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from fusion.config.cohort import Cohort
from fusion.data.image import Geometry, Image, is_dicom, is_zip, read_image
from fusion.data.mask import EXTERNAL2, read_mask
from fusion.data.on_grid import Landed, on_grid
from fusion.data.slicer_seg import is_slicer_segmentation
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
        files: paths, also to zips; ``external2`` is a hand-refined ring.
        cohort: label value, names, how DICOM is read, and geometry tolerances.
        resample_mask: bring a mask with another grid onto the image's grid instead of refusing it.

    Raises:
        CohortError: every fault of the image and its masks at once.
    """
    try:
        with _unpacked([files.image, *_masks(files).values()]) as real:
            return _read(files, real, cohort, resample_mask)
    except CohortError as error:
        raise CohortError([replace(fault, case=files.case) for fault in error.faults]) from error


def _unpacked(paths: Sequence[Path]) -> AbstractContextManager[dict[Path, Path]]:
    """Where to read each path: zips unpacked; where there is none, without waiting for DICOM's reader."""
    if not any(map(is_zip, paths)):
        return nullcontext({path: path for path in paths})
    from fusion.data.unzipped import unzipped

    return unzipped(*paths)


def _read(files: Files, real: Mapping[Path, Path], cohort: Cohort, resample_mask: bool) -> Case:
    faults: list[Fault] = []
    image = attempted(lambda: read_image(real[files.image], cohort.dicom), faults)
    landed = {
        role: attempted(partial(_landed, real[path], role, image, cohort, resample_mask), faults)
        for role, path in _masks(files).items()
    }
    if faults or image is None:
        raise CohortError(faults)
    masks = {role: own.mask for role, own in landed.items() if own is not None}
    notes = (*image.notes, *(note for own in landed.values() if own is not None for note in own.notes))
    return Case(files.case, image.values, masks["tumour"], masks.get(EXTERNAL2), image.geometry, notes)


def _masks(files: Files) -> dict[str, Path]:
    """The mask files that this case has, by role."""
    roles = ("tumour", EXTERNAL2, "second_reader", "repeat")
    return {role: path for role in roles if (path := getattr(files, role)) is not None}


def attempted(read: Callable[[], T], faults: list[Fault]) -> T | None:
    """What ``read`` gives; or None, with what it found wrong added to ``faults``."""
    try:
        return read()
    except CohortError as error:
        faults.extend(error.faults)
        return None


def _landed(path: Path, role: str, image: Image | None, cohort: Cohort, resample_mask: bool) -> Landed | None:
    """The mask in ``path`` on the image's grid; None of a mask that cannot be read without the image."""
    labels = read_mask(path, role, image, cohort)
    if labels is None:
        return None
    trusted = role == EXTERNAL2 or is_dicom(path) or is_slicer_segmentation(path)
    landed = on_grid(labels, None if image is None else image.geometry, path, cohort, resample_mask, trusted)
    return Landed(landed.mask, tuple(f"{role}: {note}" for note in (*labels.notes, *landed.notes)))
