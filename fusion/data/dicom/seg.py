"""A segment of a DICOM segmentation: binary, fractional or label map; its frames in space are ``dicom_seg_place``'s."""

from pathlib import Path

import pydicom

from fusion.config.dicom import Dicom
from fusion.data.dicom.header import SEGMENTATIONS, Header, Unreadable, opened, read_header
from fusion.data.dicom.pixels import stored_frames
from fusion.data.dicom.referenced import series_of
from fusion.data.dicom.sections import Reason
from fusion.data.dicom.seg_place import Frames, in_space, refuse
from fusion.data.dicom.unfit import LEVEL, MOST_VOXELS, apart, missing_of
from fusion.data.image import USUAL, Image, Labels
from fusion.data.roi_name import pick
from fusion.errors import CohortError, Fault


def read_segment(path: Path, image: Image | None, roi: str | None, usual: str, dicom: Dicom = USUAL) -> Labels:
    """The segment, 1 inside and 0 outside.

    Args:
        path: DICOM SEG: binary, fractional (cut at ``dicom.fraction``, which a note tells) or label map.
        image: where to put it; None for its own grid.
        roi: name or pattern of the segment; None where nobody said.
        usual: pattern that decides then.
        dicom: the fraction, and whether slices that were not scanned get a section.

    Raises:
        CohortError: unreadable; no such segment; made from another series; frames without a place, outside the image,
            or at the same place; or none where the image has a slice that was not scanned.
    """
    try:
        header = read_header(path)
        refuse(_unfit(header), path)
        with opened(path, pixels=True) as own:
            refuse(_unrelated(own, header, image), path)
            frames = _frames(own, header, pick(_names(own), roi, usual, str(path)), dicom.fraction)
    except Unreadable as reason:
        remedy = "export or copy it again"
        raise CohortError(Fault(f"no readable segmentation ({reason})", "a mask", remedy, file=str(path))) from reason
    return in_space(frames, image, path, dicom)


def _unfit(header: Header) -> list[Reason]:
    again, found = "export the segmentation again", []
    if header.sop_class not in SEGMENTATIONS:
        return [("another kind of DICOM object", "a segmentation", "choose the mask")]
    if header.frames != len(header.planes):
        found.append((f"{header.frames} frames and the places of {len(header.planes)}", "a place for each", again))
    if header.rows * header.columns * header.frames > MOST_VOXELS:
        found.append(("a header that promises too many voxels", f"{MOST_VOXELS} at most", "crop it"))
    missing = dict.fromkeys(word for plane in header.planes for word in missing_of(plane))
    found += [(word, "it in every frame", again) for word in missing]
    if missing:
        return found
    for what, given in (
        ("orientations", [plane.orientation for plane in header.planes if plane.orientation]),
        ("pixel sizes", [plane.pixel_mm for plane in header.planes if plane.pixel_mm]),
    ):
        if apart(given, LEVEL):
            found.append((f"frames of several {what}", "one", again))
    return found


def _unrelated(own: pydicom.Dataset, header: Header, image: Image | None) -> list[Reason]:
    if image is None or image.reference is None:
        return []  # its geometry alone decides
    known, remedy = image.reference, "choose the series that was segmented"
    series = series_of(own)
    found = []
    if header.frame_of_reference and known.frame_of_reference not in ("", header.frame_of_reference):
        found.append(("a segmentation in another frame of reference", "the image's own", remedy))
    if series and known.series not in series:
        found.append(("a segmentation of another series", "of the image", remedy))
    return found


def _names(own: pydicom.Dataset) -> dict[int, str]:
    """Labels of segments by number; 0 is a label map's background."""
    given = own.get("SegmentSequence") or []
    return {int(one.SegmentNumber): str(one.get("SegmentLabel", "")) for one in given if int(one.SegmentNumber) > 0}


def _frames(own: pydicom.Dataset, header: Header, number: int, fraction: float) -> Frames:
    kind, stored = str(own.get("SegmentationType", "")), stored_frames(own, header)
    if stored.shape != (header.frames, header.rows, header.columns):
        raise Unreadable("frames of another size than the header says")
    if kind == "LABELMAP":
        return Frames(stored == number, header.planes, ())
    if kind not in ("BINARY", "FRACTIONAL"):
        raise Unreadable("another kind than binary, fractional or label map")
    chosen = [index for index, plane in enumerate(header.planes) if plane.segment == number]
    planes = tuple(header.planes[index] for index in chosen)
    if kind == "BINARY":
        return Frames(stored[chosen] > 0, planes, ())
    if (most := int(own.MaximumFractionalValue)) < 1:
        raise Unreadable("fractions without a highest value")
    note = f"a fractional segmentation, inside from {fraction:g}"
    return Frames(stored[chosen] / most >= fraction, planes, (note,))
