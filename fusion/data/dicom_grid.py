"""The grid of a series: its frames in order along their normal, or every reason why they make no volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, degrees
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.data.dicom_header import Header, Plane
from fusion.data.dicom_unfit import LONGEST_MM, unfit
from fusion.data.image import Geometry
from fusion.errors import CohortError, Fault

UNEVEN = 0.02
"""Of the step, how far a slice may lie from its place among even steps; headers round positions."""
SHIFTED = 0.1
"""Of a pixel, how far a slice may lie sideways of the line along the normal."""
SAME_PLACE = 0.01
"""Of the usual step; slices nearer than that share a place."""

Axes = Float[ndarray, "3 3"]
"""Unit vectors along a row (x), along a column (y), and their normal (z)."""
Places = Float[ndarray, "slice 3"]


@dataclass(frozen=True)
class Frame:
    """One frame of a file."""

    header: Header
    index: int

    @property
    def plane(self) -> Plane:
        """Where it lies."""
        return self.header.planes[self.index]


@dataclass(frozen=True)
class Grid:
    """Frames from the first slice to the last along the normal, and where they lie."""

    frames: tuple[Frame, ...]
    geometry: Geometry


def grid(headers: Sequence[Header], where: Path) -> Grid:
    """The grid of the files of one series.

    Args:
        headers: of its files, in any order.
        where: named in faults that are no single file's.

    Raises:
        CohortError: all that is wrong with its files; or, where nothing is, with their places.
    """
    if faults := unfit(headers, where):
        raise CohortError(faults)
    frames = [Frame(header, index) for header in headers for index in range(header.frames)]
    axes = axes_of(frames[0].plane)
    ordered = tuple(sorted(frames, key=lambda frame: float(np.asarray(frame.plane.position_mm) @ axes[2])))
    places = np.array([frame.plane.position_mm for frame in ordered], dtype=float)
    pixel = ordered[0].plane.pixel_mm
    assert pixel is not None
    if faults := _uneven(places, axes, min(pixel), where):
        raise CohortError(faults)
    step = float((places[-1] - places[0]) @ axes[2]) / (len(ordered) - 1)
    size = len(ordered), headers[0].rows, headers[0].columns
    origin = float(places[0][0]), float(places[0][1]), float(places[0][2])
    direction = tuple(float(one) for one in axes.T.ravel())
    return Grid(ordered, Geometry(size, (step, pixel[0], pixel[1]), origin, direction))


def axes_of(plane: Plane) -> Axes:
    """The directions of a frame, made exactly square."""
    along, down = np.reshape(np.asarray(plane.orientation, dtype=float), (2, 3))
    along = along / np.linalg.norm(along)
    down = down - (down @ along) * along
    down = down / np.linalg.norm(down)
    return np.stack([along, down, np.cross(along, down)])


def _uneven(places: Places, axes: Axes, pixel_mm: float, where: Path) -> list[Fault]:
    """What is wrong with the places of slices in order."""
    if len(places) < 2:
        return [Fault("a single slice", "a series of 2 at least", "export the whole series", file=str(where))]
    along = places @ axes[2]
    gaps = np.diff(along)
    shared = int((gaps <= max(SAME_PLACE * float(np.median(gaps)), 1e-3)).sum())
    if shared:
        found = f"several images at one position ({shared} of {len(gaps)} steps between slices have no length)"
        remedy = "choose the images of one echo, phase or time"
        return [Fault(found, "one image at each position", remedy, file=str(where))]
    return _steps(along, where) + _sideways(places - places[0], axes, SHIFTED * pixel_mm, where)


def _steps(along: Float[ndarray, " slice"], where: Path) -> list[Fault]:
    gaps = np.diff(along)
    usual = float(np.median(gaps))
    told = f"steps between slices from {gaps.min():.4g} to {gaps.max():.4g} mm"
    if usual > LONGEST_MM:
        return [Fault(told, f"{LONGEST_MM:g} mm at most", "export the series again", file=str(where))]
    off = np.abs(along - np.linspace(along[0], along[-1], len(along))).max()
    if max(off, np.abs(gaps - usual).max() / 2) <= UNEVEN * usual:
        return []
    lost = sum(max(0, round(float(gap) / usual) - 1) for gap in gaps)
    found = f"{told}: {lost} slice{'s' if lost > 1 else ''} missing" if lost else told
    return [Fault(found, "even steps", "find the missing slices, or export the series again", file=str(where))]


def _sideways(offsets: Places, axes: Axes, most_mm: float, where: Path) -> list[Fault]:
    """Slices that are not stacked along their normal, as under a tilted gantry."""
    aside = offsets @ axes[:2].T
    far = np.linalg.norm(aside, axis=1)
    if far.max() <= most_mm:
        return []
    even = np.linspace(0, 1, len(aside))[:, None] * aside[-1]
    if np.abs(aside - even).max() > most_mm:
        found = f"slices shifted sideways by up to {far.max():.3g} mm"
        return [Fault(found, "slices above each other", "choose the slices of one volume", file=str(where))]
    tilt = degrees(atan2(float(far[-1]), float(offsets[-1] @ axes[2])))
    found = f"a gantry tilt of {tilt:.3g} degrees: slices are stacked aslant"
    remedy = "resample it upright, or export NIfTI"
    return [Fault(found, "slices stacked along their normal", remedy, file=str(where))]
