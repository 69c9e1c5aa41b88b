"""One sequence of a case as a 2-D slice with the tumour's mask, from a picture, a DICOM slice or a volume."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Shaped
from numpy import ndarray

from fusion.config.cohort import Cohort
from fusion.config.tasks import Sequence
from fusion.data import image, picture
from fusion.data.case import attempted
from fusion.data.dicom.slice import is_dicom, read_dicom
from fusion.data.study import Scan
from fusion.errors import CohortError, Fault

SMALLEST = 16
"""Rows and columns that a slice has at least."""
LABELS = 16
"""A mask picture with more values than these is no map of labels: it was smoothed, or is no mask."""
VOLUME_BITS = 32


@dataclass(frozen=True)
class Slice:
    """Grey values of one slice and, where there is one, the tumour on the same pixels."""

    values: Float32[ndarray, "y x"]
    mask: Bool[ndarray, "y x"] | None
    pixel_mm: tuple[float, float] | None
    """Pixel size along (y, x); None where the file does not say."""
    bits: int
    """8 for a picture whose values are 0..255 already; 32 for a slice of a volume."""


@dataclass(frozen=True)
class _Stack:
    """What a file holds, before a slice is chosen; ``geometry`` is known of volumes alone."""

    values: Shaped[ndarray, "z y x"]
    pixel_mm: tuple[float, float] | None = None
    bits: int = VOLUME_BITS
    geometry: image.Geometry | None = None


def read_scan(scan: Scan, sequence: Sequence, cohort: Cohort, case: str) -> Slice:
    """The slice of ``scan``; of a volume the one of the largest tumour area, the first of equals.

    Slices of a volume lie along the third axis of its file, rows and columns as the file has them.

    Args:
        scan: paths of image and mask.
        sequence: names the columns, for messages.
        cohort: label value and geometry tolerances.
        case: named in every fault.

    Raises:
        CohortError: every fault of the image and its mask at once.
    """
    faults: list[Fault] = []
    found = attempted(lambda: _image(scan.image), faults)
    labels = None if scan.mask is None else attempted(lambda: _mask(Path(scan.mask or ""), cohort), faults)
    if found is not None and labels is not None:
        faults += _apart(found, labels, cohort, str(scan.mask))
    if found is not None and scan.mask is None and len(found.values) > 1:
        expected = f"a single slice, or a mask that tells which of them (column {sequence.column} has no mask column)"
        remedy = f"set cohort.sequences.{scan.sequence}.mask, or export one slice"
        faults.append(Fault(f"a volume of {len(found.values)} slices", expected, remedy, file=str(scan.image)))
    if faults or found is None:
        raise CohortError([replace(fault, case=case) for fault in faults])
    inside = None if labels is None else labels.values.astype(bool)
    at = 0 if inside is None else int(inside.sum(axis=(1, 2)).argmax())
    chosen = Slice(found.values[at], None if inside is None else inside[at], found.pixel_mm, found.bits)
    if (fault := _constant(chosen.values, scan.image)) is not None:
        raise CohortError(replace(fault, case=case))
    return chosen


def _image(path: Path) -> _Stack:
    stack = _stack(path)
    if min(stack.values.shape[1:]) < SMALLEST:
        found = f"a slice of {_pixels(stack.values)} pixels (rows x columns)"
        remedy = "export the slice at its own size"
        raise CohortError(Fault(found, f"{SMALLEST} x {SMALLEST} at least", remedy, file=str(path)))
    if (bad := int(stack.values.size - np.isfinite(stack.values).sum())) > 0:
        found = f"{bad} pixels that are NaN or infinite"
        raise CohortError(Fault(found, "finite grey values", "fill them or export it again", file=str(path)))
    if (fault := _constant(stack.values, path)) is not None:
        raise CohortError(fault)
    return stack


def _stack(path: Path) -> _Stack:
    if not path.is_file():
        raise CohortError(Fault("no such file", "a slice or volume", "check the path in the table", file=str(path)))
    if path.name.lower().endswith(image.SUFFIXES):
        volume = image.read_image(path)
        return _Stack(volume.values.astype(np.float32), volume.geometry.spacing_mm[1:], geometry=volume.geometry)
    if path.name.lower().endswith(picture.SUFFIXES):
        grey = picture.read_picture(path)
        if grey.bits < 8:
            found = f"{grey.bits} bit a pixel"
            raise CohortError(Fault(found, "8 or 16", "export the slice with its grey values", file=str(path)))
        return _Stack(grey.values.astype(np.float32)[None], bits=grey.bits)
    if is_dicom(path):
        dicom = read_dicom(path)
        return _Stack(dicom.values[None], dicom.pixel_mm, dicom.bits)
    expected = f"one of {', '.join((*picture.SUFFIXES, '.dcm', *image.SUFFIXES))}"
    raise CohortError(Fault("an unknown format", expected, "convert it to PNG or NIfTI", file=str(path)))


def _mask(path: Path, cohort: Cohort) -> _Stack:
    """Where the tumour is, in 0 and 1."""
    if not path.is_file():
        raise CohortError(Fault("no such file", "a mask", "check the path in the table", file=str(path)))
    if path.name.lower().endswith(picture.SUFFIXES):
        return _Stack(_tumour(picture.read_indices(path), cohort.label, path)[None])
    if not path.name.lower().endswith(image.SUFFIXES):
        expected = f"one of .png, {', '.join(image.SUFFIXES)}"
        raise CohortError(Fault("an unknown format of a mask", expected, "convert it", file=str(path)))
    labels = image.read_labels(path)
    present = np.unique(labels.values)
    if cohort.label not in present:
        found = f"no voxel with label {cohort.label} (labels: {', '.join(str(int(v)) for v in present[:10])})"
        remedy = "set cohort.label or draw the mask again"
        raise CohortError(Fault(found, "at least one", remedy, file=str(path)))
    return _Stack(labels.values == cohort.label, geometry=labels.geometry)


def _tumour(values: Shaped[ndarray, "y x"], label: int, path: Path) -> Bool[ndarray, "y x"]:
    """The pixels of ``label`` where it occurs, else those of the one value that is not 0."""
    others = [float(value) for value in np.unique(values) if value != 0]
    if not others:
        raise CohortError(Fault("an empty mask", "a pixel that is not 0", "draw the mask again", file=str(path)))
    if len(others) > LABELS or (len(others) > 1 and label not in others):
        found = f"{len(others)} different values beside 0 (from {min(others):g} to {max(others):g})"
        expected = f"one value for the tumour, or labels with cohort.label ({label}) among them"
        raise CohortError(Fault(found, expected, "export the mask without smoothing", file=str(path)))
    if (values != 0).all() and len(others) == 1:
        raise CohortError(Fault("a mask that is tumour everywhere", "0 outside it", "draw it again", file=str(path)))
    return values == label if label in others else values != 0


def _apart(found: _Stack, labels: _Stack, cohort: Cohort, file: str) -> list[Fault]:
    """How the grid of the mask differs from the image's; of pictures only the size is known."""
    if found.geometry is not None and labels.geometry is not None:
        tolerances = cohort.tolerance_mm, cohort.tolerance_direction
        different = labels.geometry.difference(found.geometry, *tolerances)
        remedy = "export the mask on the image's grid"
        told = f"another grid than the image's: {'; '.join(different)}"
        return [Fault(told, "the same grid", remedy, file=file)] if different else []
    if labels.values.shape == found.values.shape:
        return []
    remedy = "export the mask on the image's pixels"
    return [Fault(f"a mask of {_pixels(labels.values)} pixels", f"{_pixels(found.values)}, as the image has", remedy,
                  file=file)]  # fmt: skip


def _pixels(values: Shaped[ndarray, "z y x"]) -> str:
    """Rows x columns, with the number of slices where there are several."""
    return " x ".join(str(size) for size in (values.shape if len(values) > 1 else values.shape[1:]))


def _constant(values: Float32[ndarray, "*size"], path: Path) -> Fault | None:
    if values.min() != values.max():
        return None
    found = f"one grey value in every pixel ({values.min():g})"
    return Fault(found, "a picture", "export the slice again", file=str(path))
