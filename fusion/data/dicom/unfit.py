"""Why files are no slices of one volume: reasons in their headers, one file at a time and among each other."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from fusion.data.dicom.header import Header
from fusion.data.dicom.plane import Plane
from fusion.data.dicom.suv import factor
from fusion.errors import Fault

MOST_VOXELS = 2**28
"""512 x 512 x 1024; a header that promises more is refused before anything is made for it."""
LONGEST_MM = 100.0
"""Of a pixel's side and of the step between slices."""
FARTHEST_MM = 1e5
LEVEL = 1e-4
"""How far entries of two frames' directions, or pixel sizes in mm, may differ."""
NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
"""Transfer syntaxes without compression."""
HOUNSFIELD = ("", "HU", "US")
"""Units of CT: Hounsfield's, or not said."""
NO_SLICES = {
    "LOCALIZER": "a localizer",
    "MOSAIC": "a mosaic of many slices in one picture",
    **dict.fromkeys(("MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE"), "a projection through many slices"),
}
"""Words of ImageType of pictures that are no slices of tissue."""


def unfit(headers: Sequence[Header], where: Path) -> list[Fault]:
    """A fault for each reason why ``headers`` make no volume, whatever their places.

    Args:
        headers: of the files of one series.
        where: named in faults that are no single file's.
    """
    reasons: dict[tuple[str, str, str], list[Path]] = {}
    for header in headers:
        for reason in _reasons(header):
            reasons.setdefault(reason, []).append(header.path)
    alone = [
        Fault(_counted(found, len(files), len(headers)), expected, remedy, file=str(min(files)))
        for (found, expected, remedy), files in reasons.items()
    ]
    return alone + _mixed(headers, where) + _no_uptake(headers, where)


def _counted(found: str, count: int, total: int) -> str:
    return f"{found} in {count} of {total} files, first in this one" if total > 1 else found


def _reasons(own: Header) -> Iterable[tuple[str, str, str]]:
    """What was found, expected and helps, for each reason why this file is no slice of a volume."""
    again, original = "export the series again", "choose the original series"
    for what in dict.fromkeys(NO_SLICES[word] for word in own.image_type if word in NO_SLICES):
        yield what, "slices of a volume", "leave it out of the folder"
    if own.samples != 1 or own.colours not in ("MONOCHROME1", "MONOCHROME2"):
        yield f"a picture in colours ({own.samples} channels)", "grey values", original
    elif own.colours == "MONOCHROME1":
        yield "inverted grey values (MONOCHROME1)", "MONOCHROME2", original
    if own.lookup:
        yield "grey values behind a lookup table", "slope and intercept", original
    if not (own.rows and own.columns and own.frames):
        yield "no picture", "rows and columns", "leave it out of the folder"
    elif own.bits[0] not in (8, 16, 32) or not 0 < own.bits[1] <= own.bits[0] or own.bits[2] != own.bits[1] - 1:
        yield "{} bits a pixel, of which {} are used up to bit {}".format(*own.bits), "8, 16 or 32", again
    elif own.transfer in NATIVE and own.path.stat().st_size < own.rows * own.columns * own.frames * own.bits[0] // 8:
        yield "a file that is cut off: it is smaller than its picture", "a whole file", "copy it again"
    if own.modality == "CT" and any(plane.units not in HOUNSFIELD for plane in own.planes):
        yield "CT in other units than can be read", "Hounsfield units (HU)", "export the series in these units"
    if own.frames != len(own.planes):
        yield f"{own.frames} frames and the places of {len(own.planes)}", "a place for each frame", again
    for missing in dict.fromkeys(word for plane in own.planes for word in missing_of(plane)):
        yield missing, "it in every header", "export the original series"
    if any(not _scaled(plane, own.modality) for plane in own.planes):
        yield "no slope and intercept (RescaleSlope, RescaleIntercept), or a slope of 0", "both", original


def missing_of(plane: Plane) -> Iterable[str]:
    """What a frame lacks to have a place in space."""
    if plane.position_mm is None or max(map(abs, plane.position_mm)) > FARTHEST_MM:
        yield "no position (ImagePositionPatient), or one of no sense"
    if plane.orientation is None or not _square(plane.orientation):
        yield "no orientation (ImageOrientationPatient), or one of no sense"
    if plane.pixel_mm is None or not all(0 < side <= LONGEST_MM for side in plane.pixel_mm):
        yield "no pixel size (PixelSpacing), or one of no sense"


def _scaled(plane: Plane, modality: str) -> bool:
    """Whether grey values can be had; MR without slope and intercept is as stored."""
    if plane.slope is None and plane.intercept is None:
        return modality == "MR"
    return plane.slope not in (None, 0.0) and plane.intercept is not None


def _square(orientation: Sequence[float]) -> bool:
    along, down = np.reshape(orientation, (2, 3))
    lengths = np.linalg.norm(along), np.linalg.norm(down)
    return bool(np.abs(np.subtract(lengths, 1)).max() < 1e-3 and abs(along @ down) < 1e-3)


def _mixed(headers: Sequence[Header], where: Path) -> list[Fault]:
    """A fault for each thing that should be one in a series and is several."""
    alike: dict[str, Callable[[Header], object]] = {
        "sizes of pictures": lambda own: (own.rows, own.columns),
        "kinds of images": lambda own: own.sop_class,
        "frames of reference": lambda own: own.frame_of_reference,
        "patients": lambda own: own.person,
    }
    planes = [plane for own in headers for plane in own.planes]
    several = {name: len({of(own) for own in headers}) > 1 for name, of in alike.items()}
    several["studies"] = len({own.study for own in headers}) > 1 and not own_studies(headers)
    several["stacks"] = len({plane.stack for plane in planes}) > 1
    several["orientations"] = apart([one.orientation for one in planes if one.orientation], LEVEL)
    several["pixel sizes"] = apart([one.pixel_mm for one in planes if one.pixel_mm], LEVEL)
    faults = [
        Fault(f"several {name} in one series", "one", "choose the slices of one volume", file=str(where))
        for name, found in several.items()
        if found
    ]
    if len({own.instance for own in headers}) < len(headers):
        found = "files that are copies of each other (same instance)"
        faults.append(Fault(found, "each slice once", "delete the copies", file=str(where)))
    voxels = sum(own.rows * own.columns * own.frames for own in headers)
    if voxels > MOST_VOXELS:
        found = f"headers that promise {voxels:.3g} voxels"
        faults.append(Fault(found, f"{MOST_VOXELS} at most", "crop the series round the tumour", file=str(where)))
    return faults


def own_studies(headers: Sequence[Header]) -> bool:
    """Whether each of more than two files names a study of its own, as some writers make them.

    Their series is one all the same: slices of two examinations would share two studies.
    """
    return len({own.study for own in headers}) == len(headers) > 2


def _no_uptake(headers: Sequence[Header], where: Path) -> list[Fault]:
    """Reasons why PET cannot be had as SUV by body weight."""
    uptakes = [own.uptake for own in headers if own.uptake is not None]
    told = factor(uptakes) if uptakes else None
    return [Fault(*reason, file=str(where)) for reason in told] if isinstance(told, list) else []


def apart(given: Sequence[Sequence[float]], tolerance: float) -> bool:
    """Whether any row differs from the first by more than ``tolerance``."""
    return bool(given) and bool((np.abs(np.subtract(given, given[0])) > tolerance).any())
