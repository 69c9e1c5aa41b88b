"""A segment of a DICOM segmentation: on the image's grid where its frames lie on the image's slices, else on its own.

Frames are placed by their position: files leave out empty frames, keep any order, and hold several segments. Of a
tilted series, whose image was shifted onto an upright grid, each frame is shifted likewise, by whole pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from fusion.config.dicom import Dicom
from fusion.data.dicom_grid import UNEVEN, axes_of
from fusion.data.dicom_header import SEGMENTATIONS, Header, Unreadable, opened, read_header
from fusion.data.dicom_pixels import stored_frames
from fusion.data.dicom_plane import Plane
from fusion.data.dicom_unfit import LEVEL, MOST_VOXELS, apart, missing_of
from fusion.data.image import USUAL, Geometry, Image, Labels
from fusion.data.referenced import series_of
from fusion.data.roi_name import pick
from fusion.data.sections import BETWEEN, filled_gaps
from fusion.errors import CohortError, Fault
from fusion.types import Mask

Reason = tuple[str, str, str]
"""What was found, expected and helps."""


@dataclass(frozen=True)
class _Segment:
    """Frames of one segment and where they lie."""

    inside: Bool[ndarray, "frame y x"]
    planes: tuple[Plane, ...]
    notes: tuple[str, ...]


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
        _refuse(_unfit(header), path)
        with opened(path, pixels=True) as own:
            _refuse(_unrelated(own, header, image), path)
            segment = _segment(own, header, pick(_names(own), roi, usual, str(path)), dicom.fraction)
    except Unreadable as reason:
        remedy = "export or copy it again"
        raise CohortError(Fault(f"no readable segmentation ({reason})", "a mask", remedy, file=str(path))) from reason
    if image is None or not _on_grid(segment.planes, header, image):
        geometry = _own_grid(segment.planes, header, path)
        return Labels(_placed(segment, geometry, path).astype(np.uint8), geometry, segment.notes)
    mask, notes = _placed(segment, image.geometry, path, tilted=is_tilted(image)), segment.notes
    if is_tilted(image):
        notes = (*notes, "frames shifted by whole pixels onto the upright grid, as their slices were")
    if unscanned := _unscanned(mask, segment, image):
        found = f"no frame on {len(unscanned)} slices between others, which were not scanned either"
        if dicom.contours == "refuse":
            _refuse([(found, "one on every slice", f"segment the mended series, or {BETWEEN}")], path)
        filled_gaps(mask, unscanned, image.geometry)
        notes = (*notes, f"{len(unscanned)} slices filled between frames, by signed distance")
    return Labels(mask.astype(np.uint8), image.geometry, notes)


def is_tilted(image: Image) -> bool:
    """Whether the image was shifted slice by slice, so that none of its slices is one of the series."""
    return image.reference is not None and bool(image.reference.instances) and not any(image.reference.instances)


def _unscanned(mask: Mask, segment: _Segment, image: Image) -> list[int]:
    """Slices without a frame, between frames, of an image that has slices which were not scanned."""
    known = image.reference.instances if image.reference is not None else ()
    framed = {int(one) for one in np.round(_indices(segment.planes, image.geometry)[:, 2])}
    held = np.flatnonzero(mask.any(axis=(1, 2)))
    if not len(held) or len(known) != len(mask):
        return []
    return [at for at in range(int(held[0]), int(held[-1])) if at not in framed and not known[at]]


def _refuse(found: Sequence[Reason], path: Path) -> None:
    if found:
        raise CohortError([Fault(*one, file=str(path)) for one in found])


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


def _segment(own: pydicom.Dataset, header: Header, number: int, fraction: float) -> _Segment:
    kind, stored = str(own.get("SegmentationType", "")), stored_frames(own, header)
    if stored.shape != (header.frames, header.rows, header.columns):
        raise Unreadable("frames of another size than the header says")
    if kind == "LABELMAP":
        return _Segment(stored == number, header.planes, ())
    if kind not in ("BINARY", "FRACTIONAL"):
        raise Unreadable("another kind than binary, fractional or label map")
    chosen = [index for index, plane in enumerate(header.planes) if plane.segment == number]
    planes = tuple(header.planes[index] for index in chosen)
    if kind == "BINARY":
        return _Segment(stored[chosen] > 0, planes, ())
    most = int(own.MaximumFractionalValue)
    note = f"a fractional segmentation, inside from {fraction:g}"
    return _Segment(stored[chosen] / most >= fraction, planes, (note,))


def _on_grid(planes: Sequence[Plane], header: Header, image: Image) -> bool:
    """Whether every frame lies on pixels and slices of the image, which may go on beyond its ends.

    On a tilted image's slices it is enough to lie on slices: their pixels were shifted.
    """
    geometry = image.geometry
    direction = np.reshape(geometry.direction, (3, 3)).T
    for plane in planes:
        if np.abs(axes_of(plane) - direction).max() > LEVEL or apart(
            [plane.pixel_mm or (), geometry.spacing_mm[1:]], LEVEL
        ):
            return False
    indices = _indices(planes, geometry)
    on_slices = bool((np.abs(indices - np.round(indices))[:, 2] <= UNEVEN).all())
    if is_tilted(image):
        return on_slices
    same = (header.rows, header.columns) == geometry.size[1:]
    return same and on_slices and bool((np.abs(indices[:, :2]) <= UNEVEN).all())


def _own_grid(planes: Sequence[Plane], header: Header, path: Path) -> Geometry:
    """Even slices from the first frame to the last; frames left out were empty."""
    if not planes:
        raise CohortError(Fault("a segment without a frame", "a mask", "draw it again", file=str(path)))
    axes = axes_of(planes[0])
    places = np.array([plane.position_mm for plane in planes], dtype=float)
    order = np.argsort(places @ axes[2])
    first, gaps = places[order[0]], np.diff((places @ axes[2])[order])
    step = planes[0].step_mm or 0.0
    counts = gaps / step if step > 0 else gaps
    uneven = (np.abs(counts - np.round(counts)) > UNEVEN).any()
    if step <= 0 or uneven or (len(counts) and np.round(counts.min()) > 1):
        found = f"frames from {gaps.min():.4g} mm apart, with a step of {step:.4g} mm" if step else "no SliceThickness"
        raise CohortError(
            Fault(found, "even steps of the header's length", "export the segmentation again", file=str(path))
        )
    pixel = planes[0].pixel_mm
    assert pixel is not None
    size = int(np.round(counts).sum()) + 1, header.rows, header.columns
    if size[0] * size[1] * size[2] > MOST_VOXELS:
        found = "frames too far apart for one volume"
        raise CohortError(Fault(found, f"{MOST_VOXELS} voxels at most", "crop it", file=str(path)))
    origin = float(first[0]), float(first[1]), float(first[2])
    return Geometry(size, (step, pixel[0], pixel[1]), origin, tuple(float(one) for one in axes.T.ravel()))


def _indices(planes: Sequence[Plane], geometry: Geometry) -> Float[ndarray, "frame 3"]:
    """Continuous indices (x, y, z) of the frames' first voxels."""
    places = np.array([plane.position_mm for plane in planes], dtype=float).reshape(-1, 3)
    axes = np.reshape(geometry.direction, (3, 3))
    return (places - np.asarray(geometry.origin_mm)) @ axes / np.asarray(geometry.spacing_mm[::-1])


def _placed(segment: _Segment, geometry: Geometry, path: Path, tilted: bool = False) -> Mask:
    mask = np.zeros(geometry.size, bool)
    indices = _indices(segment.planes, geometry)
    places = np.round(indices).astype(int)
    slices = [int(one) for one in places[:, 2]]
    outside = [one for one in slices if not 0 <= one < len(mask)]
    found: list[Reason] = []
    if outside:
        found.append(
            (f"{len(outside)} of {len(slices)} frames outside the image", "all inside", "give the whole series")
        )
    if len(set(slices)) < len(slices):
        found.append(("several frames of one segment at one place", "one", "export the segmentation again"))
    if not tilted and (np.abs(indices[:, :2]) > max(UNEVEN, 0.1)).any():
        found.append(("frames shifted sideways against each other", "frames above each other", "export it again"))
    _refuse(found, path)
    lost = sum(_put(mask[at[2]], inside, at) for at, inside in zip(places, segment.inside, strict=True))
    if lost:
        _refuse([(f"{lost} voxels outside the image", "all inside", "give the whole series")], path)
    return mask


def _put(section: Bool[ndarray, "y x"], inside: Bool[ndarray, "y2 x2"], at: Int[ndarray, "3"]) -> int:
    """Draw a frame into its slice, its first pixel at (x, y) of ``at``; returns how many voxels have no place."""
    index = np.argwhere(inside) + at[1::-1]
    there = ((index >= 0) & (index < section.shape)).all(axis=1)
    section[tuple(index[there].T)] = True
    return int((~there).sum())
