"""What an image's reader needs of a DICOM file's header; nothing that names a person is kept or told."""

import hashlib
import logging
import mmap
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.filereader import read_file_meta_info

from fusion.errors import FusionError

PREFIX = slice(128, 132)
DEFLATED = "1.2.840.10008.1.2.1.99"
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""DICOM SEG, and its label map."""
STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
UID = re.compile(r"[0-9.]{1,64}")
DIRECTORY = "1.2.840.10008.1.3.10"
VOLUMES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
    "1.2.840.10008.5.1.4.1.1.130": "PT",
    "1.2.840.10008.5.1.4.1.1.128.1": "PT",
}
"""Modality by class of object: CT, MR and PET images, slice by slice, enhanced, and converted to enhanced."""
OTHERS = {
    "1.2.840.10008.5.1.4.1.1.7": "secondary captures",
    STRUCTURES: "RT structures",
    **dict.fromkeys(SEGMENTATIONS, "a segmentation"),
}

Numbers = tuple[float, ...]
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)  # its warnings quote values, which may be a name


class Unreadable(Exception):
    """Says in a few words why a file is no DICOM that can be read."""


@dataclass(frozen=True)
class Plane:
    """Where a frame lies and how its numbers become grey values; None where the header does not say."""

    position_mm: Numbers | None
    orientation: Numbers | None
    pixel_mm: Numbers | None
    """Between rows, between columns."""
    slope: float | None
    intercept: float | None
    step_mm: float | None = None
    """From slice to slice, as the header has it."""
    segment: int | None = None
    """That the frame belongs to, in a segmentation."""


@dataclass(frozen=True)
class Header:
    """One file. Identifiers are for comparison alone, and are left out where it is printed."""

    path: Path
    sop_class: str
    instance: str = field(repr=False)
    series: str = field(repr=False)
    frame_of_reference: str = field(repr=False)
    study: str = field(repr=False)
    person: str = field(repr=False)
    """Digest of who was examined."""
    number: int
    transfer: str
    image_type: tuple[str, ...]
    rows: int
    columns: int
    samples: int
    colours: str
    bits: tuple[int, int, int]
    """Allocated, stored, and the highest."""
    units: str
    """Of PET; of CT the type of its rescaling."""
    tilt_deg: float
    lookup: bool
    frames: int
    planes: tuple[Plane, ...]

    @property
    def modality(self) -> str:
        """CT, MR or PT; of other objects what they are."""
        return VOLUMES.get(self.sop_class) or OTHERS.get(self.sop_class, "another kind of object")


def is_dicom_file(path: Path) -> bool:
    """Whether the file begins as DICOM files do: any 128 bytes, then DICM."""
    with path.open("rb") as file:
        return file.read(PREFIX.stop)[PREFIX] == b"DICM"


@contextmanager
def opened(path: Path, pixels: bool = False) -> Iterator[pydicom.Dataset]:
    """The data set in ``path``, as long as the block lasts.

    The file is mapped, so that a length in it that is larger than the file allocates nothing.

    Raises:
        Unreadable: no DICOM, cut off, deflated (small files that may unpack to any size), or broken in any other way,
            inside the block too: values are parsed when they are asked for.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, _quiet():
            if read_file_meta_info(path).get("TransferSyntaxUID") == DEFLATED:
                raise Unreadable("deflated")
            yield pydicom.dcmread(content, stop_before_pixels=not pixels)
    except (Unreadable, FusionError):
        raise
    except Exception as error:  # a parser on any bytes raises anything; its words may quote a name, so they stay here
        raise Unreadable(f"broken or cut off, {type(error).__name__}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of values that break the standard: they may quote a name, and those that matter are checked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read_header(path: Path) -> Header:
    """The header of ``path``.

    Raises:
        Unreadable: see ``opened``.
    """
    with opened(path) as own:
        sop_class = _class(own)
        return Header(
            path=path,
            sop_class=sop_class,
            instance=_word(own, "SOPInstanceUID"),
            series=_word(own, "SeriesInstanceUID"),
            frame_of_reference=_word(own, "FrameOfReferenceUID"),
            study=_word(own, "StudyInstanceUID"),
            person=_person(own),
            number=_whole(own.get("SeriesNumber")),
            transfer=_word(own.file_meta, "TransferSyntaxUID"),
            image_type=tuple(str(one) for one in _many(own.get("ImageType"))),
            rows=_whole(own.get("Rows")),
            columns=_whole(own.get("Columns")),
            samples=_whole(own.get("SamplesPerPixel", 1)),
            colours=_word(own, "PhotometricInterpretation"),
            bits=(_whole(own.get("BitsAllocated")), _whole(own.get("BitsStored")), _whole(own.get("HighBit"))),
            units=_word(own, "Units" if VOLUMES.get(sop_class) == "PT" else "RescaleType"),
            tilt_deg=_number(own.get("GantryDetectorTilt")) or 0.0,
            lookup="ModalityLUTSequence" in own,
            frames=_whole(own.get("NumberOfFrames") or 1),
            planes=_planes(own),
        )


def _class(own: pydicom.Dataset) -> str:
    """The kind of object, which a file says twice; a file cut off early, or garbled, does not.

    Such a file would belong to no series, and its slice would be missed by nobody.
    """
    outer, inner = _word(own.file_meta, "MediaStorageSOPClassUID"), _word(own, "SOPClassUID")
    if outer == DIRECTORY:
        return outer
    words = [inner, *(_word(own, name) for name in ("SOPInstanceUID", "SeriesInstanceUID"))]
    if outer not in ("", inner) or not all(UID.fullmatch(word) for word in words):
        raise Unreadable("a header that does not say, twice alike, what it is")
    return inner


def _planes(own: pydicom.Dataset) -> tuple[Plane, ...]:
    frames = own.get("PerFrameFunctionalGroupsSequence") or []
    shared = (own.get("SharedFunctionalGroupsSequence") or [pydicom.Dataset()])[0]
    return tuple(_frame(frame, shared) for frame in frames) or (_plane(own, own, own, own),)


def _frame(frame: pydicom.Dataset, shared: pydicom.Dataset) -> Plane:
    """The plane of one frame: what is said of the frame, else of all frames."""

    def group(name: str) -> pydicom.Dataset:
        return (frame.get(name) or shared.get(name) or [pydicom.Dataset()])[0]

    place, axes = group("PlanePositionSequence"), group("PlaneOrientationSequence")
    plane = _plane(place, axes, group("PixelMeasuresSequence"), group("PixelValueTransformationSequence"))
    segment = group("SegmentIdentificationSequence").get("ReferencedSegmentNumber")
    return replace(plane, segment=None if segment is None else _whole(segment))


def _plane(place: pydicom.Dataset, axes: pydicom.Dataset, measures: pydicom.Dataset, values: pydicom.Dataset) -> Plane:
    return Plane(
        position_mm=_numbers(place.get("ImagePositionPatient"), 3),
        orientation=_numbers(axes.get("ImageOrientationPatient"), 6),
        pixel_mm=_numbers(measures.get("PixelSpacing"), 2),
        slope=_number(values.get("RescaleSlope")),
        intercept=_number(values.get("RescaleIntercept")),
        step_mm=_number(measures.get("SpacingBetweenSlices")) or _number(measures.get("SliceThickness")),
    )


def _numbers(value: Any, count: int) -> Numbers | None:
    """``count`` finite numbers; None where the header has no such thing."""
    given = [float(one) for one in _many(value)]
    return tuple(given) if len(given) == count and np.isfinite(given).all() else None


def _number(value: Any) -> float | None:
    given = _numbers(value, 1)
    return given[0] if given else None


def _many(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]


def _whole(value: Any) -> int:
    """A whole number that is not negative; 0 where there is none."""
    return max(0, int(_number(value) or 0))


def _word(own: pydicom.Dataset, name: str) -> str:
    value = own.get(name)
    return "" if value is None else str(value)


def _person(own: pydicom.Dataset) -> str:
    told = "\n".join(str(own.get(name, "")) for name in ("PatientID", "PatientName"))
    return hashlib.sha256(told.encode()).hexdigest()
