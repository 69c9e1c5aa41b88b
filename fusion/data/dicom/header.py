"""What an image's reader needs of a DICOM file's header; nothing that names a person is kept or told."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import pydicom

from fusion.data.dicom.file import Unreadable, opened
from fusion.data.dicom.plane import Plane, planes
from fusion.data.dicom.tags import count, number, word, words
from fusion.data.dicom.uptake import Uptake, uptake

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
    description: str = field(repr=False)
    """Of the series, as somebody typed it: matched, never told."""
    number: int
    transfer: str
    image_type: tuple[str, ...]
    """In upper case."""
    rows: int
    columns: int
    samples: int
    colours: str
    bits: tuple[int, int, int]
    """Allocated, stored, and the highest."""
    overlay: bool
    """Whether bits above the stored ones hold a drawing."""
    padding: tuple[float, ...]
    """Lowest and highest stored number of pixels that were not measured; empty where there are none."""
    tilt_deg: float
    lookup: bool
    lossy: bool
    """Whether it was ever compressed with loss."""
    promised: int
    """Slices that its acquisition has; 0 where it does not say."""
    frames: int
    planes: tuple[Plane, ...]
    uptake: Uptake | None
    """Of PET."""

    @property
    def modality(self) -> str:
        """CT, MR or PT; of other objects what they are."""
        return VOLUMES.get(self.sop_class) or OTHERS.get(self.sop_class, "another kind of object")


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
            instance=word(own, "SOPInstanceUID"),
            series=word(own, "SeriesInstanceUID"),
            frame_of_reference=word(own, "FrameOfReferenceUID"),
            study=word(own, "StudyInstanceUID"),
            person=_person(own),
            description=word(own, "SeriesDescription"),
            number=count(own.get("SeriesNumber")),
            transfer=word(own.file_meta, "TransferSyntaxUID"),
            image_type=words(own, "ImageType"),
            rows=count(own.get("Rows")),
            columns=count(own.get("Columns")),
            samples=count(own.get("SamplesPerPixel", 1)),
            colours=word(own, "PhotometricInterpretation"),
            bits=(count(own.get("BitsAllocated")), count(own.get("BitsStored")), count(own.get("HighBit"))),
            overlay=_overlay(own),
            padding=_padding(own),
            tilt_deg=number(own.get("GantryDetectorTilt")) or 0.0,
            lookup="ModalityLUTSequence" in own,
            lossy=word(own, "LossyImageCompression") == "01",
            promised=count(own.get("NumberOfSlices") or own.get("ImagesInAcquisition")),
            frames=count(own.get("NumberOfFrames") or 1),
            planes=planes(own),
            uptake=uptake(own) if VOLUMES.get(sop_class) == "PT" else None,
        )


def _class(own: pydicom.Dataset) -> str:
    """The kind of object, which a file says twice; a file cut off early, or garbled, does not.

    Such a file would belong to no series, and its slice would be missed by nobody.
    """
    outer, inner = word(own.file_meta, "MediaStorageSOPClassUID"), word(own, "SOPClassUID")
    if outer == DIRECTORY:
        return outer
    names = [inner, *(word(own, name) for name in ("SOPInstanceUID", "SeriesInstanceUID"))]
    if outer not in ("", inner) or not all(UID.fullmatch(name) for name in names):
        raise Unreadable("a header that does not say, twice alike, what it is")
    return inner


def _overlay(own: pydicom.Dataset) -> bool:
    """Whether any of the 16 overlays lies inside the pixels."""
    places = (own.get((group, 0x0102)) for group in range(0x6000, 0x6020, 2))
    return any(one is not None and count(one.value) > 0 for one in places)


def _padding(own: pydicom.Dataset) -> tuple[float, ...]:
    value, limit = number(own.get("PixelPaddingValue")), number(own.get("PixelPaddingRangeLimit"))
    if value is None:
        return ()
    bits = count(own.get("BitsAllocated"))
    signed = count(own.get("PixelRepresentation")) == 1
    ends = (value, value if limit is None else limit)
    return tuple(sorted(one - 2.0**bits if signed and one >= 2.0 ** (bits - 1) else one for one in ends))


def _person(own: pydicom.Dataset) -> str:
    told = "\n".join(str(own.get(name, "")) for name in ("PatientID", "PatientName"))
    return hashlib.sha256(told.encode()).hexdigest()
