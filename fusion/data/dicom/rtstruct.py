"""A DICOM RT structure on the grid of the image that it was drawn on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from jaxtyping import Float
from numpy import ndarray

from fusion.data.dicom.header import Unreadable, opened
from fusion.data.dicom.referenced import series_of
from fusion.data.dicom.sections import BETWEEN, OFF_SLICE, Corners, Reason, filled, filled_between
from fusion.data.image import Image, Labels
from fusion.data.roi_name import pick
from fusion.errors import CohortError, Fault

CONTOUR_DATA = 0x30060050
MOST_ON_A_SLICE = 200
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
KINDS = {"POINT": "points", "OPEN_PLANAR": "open lines", "OPEN_NONPLANAR": "open lines out of a plane"}


@dataclass(frozen=True)
class _Drawn:
    """Contours of the chosen structure in mm, and what they refer to."""

    kinds: frozenset[str]
    contours: tuple[Float[ndarray, "_ 3"], ...]
    frames_of_reference: frozenset[str]
    series: frozenset[str]


def read_structure(path: Path, image: Image, roi: str | None, usual: str, between: bool = False) -> Labels:
    """The voxels of ``image`` whose centre lies inside the structure, as 1; contours inside contours are holes.

    Args:
        path: RT structure set.
        image: read from the DICOM series that it was drawn on.
        roi: name or pattern of the structure; None where nobody said.
        usual: pattern that decides then.
        between: make sections for slices between contoured planes (``sections``) instead of refusing them.

    Raises:
        CohortError: unreadable; no such structure; drawn on another series; contours that are open, aslant, outside
            the image, crossing, drawn twice, off the slices or missing on slices in between; or around no voxel.
    """
    try:
        with opened(path) as own:
            drawn = _drawn(own, pick(_names(own), roi, usual, str(path)))
    except Unreadable as reason:
        remedy = "export or copy it again"
        raise CohortError(Fault(f"no readable RT structures ({reason})", "a mask", remedy, file=str(path))) from reason
    corners = [_indices(contour, image) for contour in drawn.contours]
    _refuse([*_unrelated(drawn, image), *_unfit(drawn, corners, image, between)], path)
    mask = (filled_between if between else filled)(corners, image.geometry)
    _refuse(mask.reasons, path)
    return Labels(mask.mask.astype(np.uint8), image.geometry, mask.notes)


def _refuse(reasons: Sequence[Reason], path: Path) -> None:
    if reasons:
        raise CohortError([Fault(*one, file=str(path)) for one in reasons])


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
    named = [structure.get("ReferencedFrameOfReferenceUID"), *(frame.get("FrameOfReferenceUID") for frame in frames)]
    return _Drawn(
        frozenset(str(one.get("ContourGeometricType", "")) for one in contours),
        tuple(_points(one) for one in contours),
        frozenset(str(one) for one in named[:1] if one) or frozenset(str(one) for one in named if one),
        series_of(own),
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


def _unrelated(drawn: _Drawn, image: Image) -> list[Reason]:
    """Structures and images belong together by their identifiers, or not at all."""
    known, remedy = image.reference, "choose the series that the structures were drawn on"
    if known is None:
        expected = "the DICOM series that they were drawn on as image"
        return [("RT structures, and an image that is no DICOM", expected, "give the series, or a NIfTI mask")]
    found, proof = [], 0
    for what, theirs, own in (
        ("frame of reference", drawn.frames_of_reference, known.frame_of_reference),
        ("series", drawn.series, known.series),
    ):
        if theirs and own and own not in theirs:
            found.append((f"RT structures of another {what}", "the image's own", remedy))
        proof += bool(theirs and own)
    if not proof:
        found.append(("RT structures that name no image", "the image's series", remedy))
    return found


def _indices(points: Float[ndarray, "_ 3"], image: Image) -> Corners:
    geometry = image.geometry
    axes = np.reshape(geometry.direction, (3, 3))
    return (points - np.asarray(geometry.origin_mm)) @ axes / np.asarray(geometry.spacing_mm[::-1])


def _unfit(drawn: _Drawn, contours: Sequence[Corners], image: Image, between: bool) -> list[Reason]:
    """What is wrong with contours, one by one; with ``between``, not that they lie between slices."""
    again = "draw the structure again on the slices of this series"
    if not contours:
        return [("a structure without a contour", "contours", "choose another by cohort.roi")]
    found = []
    if other := sorted({KINDS.get(kind, "an unknown kind") for kind in drawn.kinds - set(CLOSED)}):
        found.append((f"contours that are not closed ({', '.join(other)})", "closed ones", again))
    if any(len(one) < 3 for one in contours):
        found.append(("contours of fewer than 3 points", "areas", again))
    if not (held := [one for one in contours if len(one)]):
        return found
    if aslant := sum(bool(np.ptp(one[:, 2]) > 2 * OFF_SLICE) for one in held):
        found.append((f"{aslant} of {len(held)} contours aslant to the slices", "contours parallel to them", again))
    last = np.subtract(image.geometry.size[::-1], 0.5)
    if outside := sum(bool((one < -0.5).any() or (one > last).any()) for one in held):
        found.append((f"{outside} of {len(held)} contours outside the image", "a structure inside it",
                      "give the whole series"))  # fmt: skip
    on_slice = Counter(int(np.round(one[0, 2])) for one in held)
    if (most := max(on_slice.values())) > MOST_ON_A_SLICE:
        found.append((f"{most} contours on one slice", f"{MOST_ON_A_SLICE} at most", again))
    return found if between or aslant else found + _off_slices(held, sorted(on_slice))


def _off_slices(contours: Sequence[Corners], slices: Sequence[int]) -> list[Reason]:
    """Contours between slices; or slices between contours."""
    off = [one for one in contours if np.abs(one[:, 2] - np.round(one[0, 2])).max() > OFF_SLICE]
    if off:
        far = max(float(np.abs(one[:, 2] - np.round(one[:, 2])).max()) for one in off)
        told = f"{len(off)} of {len(contours)} contours between slices, by up to {far:.2f} of the step"
        return [(told, "contours on the image's slices", f"draw the structure again on them, or {BETWEEN}")]
    if missing := slices[-1] - slices[0] + 1 - len(slices):
        told = f"no contour on {missing} slices between the first and the last"
        return [(told, "one on every slice", f"fill the slices in between, or {BETWEEN}")]
    return []
