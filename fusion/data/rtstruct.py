"""A DICOM RT structure on the grid of the image that it was drawn on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pydicom
from jaxtyping import Float
from numpy import ndarray

from fusion.data.dicom_header import Unreadable, opened
from fusion.data.image import Image
from fusion.data.roi_name import pick
from fusion.errors import CohortError, Fault
from fusion.types import Mask

CONTOUR_DATA = 0x30060050
MOST_ON_A_SLICE = 200
OFF_SLICE = 0.1
"""Of the step between slices, how far a contour may lie from a slice; headers round positions."""
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")

Corners = Float[ndarray, "_ 3"]
"""Of a contour, as continuous indices (x, y, z) of voxels."""


@dataclass(frozen=True)
class _Drawn:
    """Contours of the chosen structure in mm, and what they refer to."""

    kinds: frozenset[str]
    contours: tuple[Float[ndarray, "_ 3"], ...]
    frames_of_reference: frozenset[str]
    series: frozenset[str]


def read_structure(path: Path, image: Image, roi: str | None, usual: str) -> Mask:
    """The voxels of ``image`` whose centre lies inside the structure; contours inside contours are holes.

    Args:
        path: RT structure set.
        image: read from the DICOM series that it was drawn on.
        roi: name or pattern of the structure; None where nobody said.
        usual: pattern that decides then.

    Raises:
        CohortError: unreadable; no such structure; drawn on another series; contours that are open, off the slices,
            outside the image, crossing, drawn twice, or missing on slices in between.
    """
    try:
        with opened(path) as own:
            drawn = _drawn(own, pick(_names(own), roi, usual, str(path)))
    except Unreadable as reason:
        remedy = "export or copy it again"
        raise CohortError(Fault(f"no readable RT structures ({reason})", "a mask", remedy, file=str(path))) from reason
    faults = _unrelated(drawn, image, path)
    corners = [_indices(contour, image) for contour in drawn.contours]
    faults += _unfit(drawn, corners, image, path)
    if faults:
        raise CohortError(faults)
    return _filled(corners, image.geometry.size, path)


def _names(own: pydicom.Dataset) -> dict[int, str]:
    return {int(one.ROINumber): str(one.get("ROIName", "")) for one in own.get("StructureSetROISequence") or []}


def _drawn(own: pydicom.Dataset, number: int) -> _Drawn:
    structure = next(one for one in own.StructureSetROISequence if int(one.ROINumber) == number)
    contours = [
        contour
        for one in own.get("ROIContourSequence") or []
        if int(one.ReferencedROINumber) == number
        for contour in one.get("ContourSequence") or []
    ]
    frames = own.get("ReferencedFrameOfReferenceSequence") or []
    series = [
        str(one.SeriesInstanceUID)
        for frame in frames
        for study in frame.get("RTReferencedStudySequence") or []
        for one in study.get("RTReferencedSeriesSequence") or []
    ]
    named = [structure.get("ReferencedFrameOfReferenceUID"), *(frame.get("FrameOfReferenceUID") for frame in frames)]
    return _Drawn(
        frozenset(str(one.get("ContourGeometricType", "")) for one in contours),
        tuple(_points(one) for one in contours),
        frozenset(str(one) for one in named[:1] if one) or frozenset(str(one) for one in named if one),
        frozenset(series),
    )


def _points(contour: pydicom.Dataset) -> Float[ndarray, "_ 3"]:
    """Corners in mm; the text is parsed at once, as a contour may have thousands."""
    raw = contour.get_item(CONTOUR_DATA)
    value = raw.value if raw is not None else b""
    numbers = value.decode("ascii").replace("\0", " ").split("\\") if isinstance(value, bytes) else value
    points = np.array([float(one) for one in numbers], dtype=float)
    if points.size % 3 or not np.isfinite(points).all():
        raise Unreadable("a contour of something else than points")
    return points.reshape(-1, 3)


def _unrelated(drawn: _Drawn, image: Image, path: Path) -> list[Fault]:
    """Structures and images belong together by their identifiers, or not at all."""
    known, remedy = image.reference, "choose the series that the structures were drawn on"
    if known is None:
        expected = "the DICOM series that they were drawn on as image"
        return [Fault("RT structures, and an image that is no DICOM", expected, "give the series, or a NIfTI mask",
                      file=str(path))]  # fmt: skip
    faults, proof = [], 0
    for what, theirs, own in (
        ("frame of reference", drawn.frames_of_reference, known.frame_of_reference),
        ("series", drawn.series, known.series),
    ):
        if theirs and own and own not in theirs:
            faults.append(Fault(f"RT structures of another {what}", "the image's own", remedy, file=str(path)))
        proof += bool(theirs and own)
    if not proof:
        faults.append(Fault("RT structures that name no image", "the image's series", remedy, file=str(path)))
    return faults


def _indices(points: Float[ndarray, "_ 3"], image: Image) -> Corners:
    geometry = image.geometry
    axes = np.reshape(geometry.direction, (3, 3))
    return (points - np.asarray(geometry.origin_mm)) @ axes / np.asarray(geometry.spacing_mm[::-1])


def _unfit(drawn: _Drawn, contours: Sequence[Corners], image: Image, path: Path) -> list[Fault]:
    """What is wrong with contours, one by one."""
    again, file = "draw the structure again on the slices of this series", str(path)
    if not contours:
        return [Fault("a structure without a contour", "contours", "choose another by cohort.roi", file=file)]
    faults = []
    if other := sorted(drawn.kinds - set(CLOSED)):
        faults.append(
            Fault(f"contours that are not closed ({len(other)} other kinds)", "closed ones", again, file=file)
        )
    if any(len(one) < 3 for one in contours):
        faults.append(Fault("contours of fewer than 3 points", "areas", again, file=file))
    if not (filled := [one for one in contours if len(one)]):
        return faults
    off = [one for one in filled if np.abs(one[:, 2] - np.round(one[0, 2])).max() > OFF_SLICE]
    if off:
        far = max(float(np.abs(one[:, 2] - np.round(one[:, 2])).max()) for one in off)
        found = f"{len(off)} of {len(filled)} contours between slices, by up to {far:.2f} of the step"
        faults.append(Fault(found, "contours on the image's slices", again, file=file))
    last = np.subtract(image.geometry.size[::-1], 0.5)
    outside = [one for one in filled if (one < -0.5).any() or (one > last).any()]
    if outside:
        found = f"{len(outside)} of {len(filled)} contours outside the image"
        faults.append(Fault(found, "a structure inside it", "give the whole series", file=file))
    on_slice = Counter(int(np.round(one[0, 2])) for one in filled)
    if (most := max(on_slice.values())) > MOST_ON_A_SLICE:
        faults.append(Fault(f"{most} contours on one slice", f"{MOST_ON_A_SLICE} at most", again, file=file))
    slices = sorted(on_slice)
    if not off and slices[-1] - slices[0] + 1 > len(slices):
        missing = slices[-1] - slices[0] + 1 - len(slices)
        found = f"no contour on {missing} slices between the first and the last"
        faults.append(Fault(found, "one on every slice", "fill the slices in between", file=file))
    return faults


def _filled(contours: Sequence[Corners], size: tuple[int, int, int], path: Path) -> Mask:
    mask = np.zeros(size, bool)
    of_slice: dict[int, list[Corners]] = {}
    for contour in contours:
        of_slice.setdefault(int(np.round(contour[0, 2])), []).append(contour)
    crossing = 0
    for position, own in of_slice.items():
        areas = [_area(contour, size[1:]) for contour in own]
        crossing += any(_cross(one, other) for one, other in combinations(areas, 2))
        mask[position] = np.logical_xor.reduce(areas)
    if crossing:
        found = f"contours that cross or are drawn twice on {crossing} of {len(of_slice)} slices"
        remedy = "draw each part once; a contour inside another is a hole"
        raise CohortError(Fault(found, "contours apart or one inside the other", remedy, file=str(path)))
    return mask


def _area(contour: Corners, size: tuple[int, int]) -> ndarray:
    from skimage.draw import polygon2mask

    return np.asarray(polygon2mask(size, contour[:, 1::-1]), dtype=bool)


def _cross(one: ndarray, other: ndarray) -> bool:
    """Whether two areas share voxels and neither is a true part of the other."""
    shared = int((one & other).sum())
    if shared == 0:
        return False
    sizes = int(one.sum()), int(other.sum())
    return sizes[0] == sizes[1] or shared < min(sizes)
