"""The grid of a series: its frames in order along their normal, or every reason why they make no volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import acos, degrees
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.config.dicom import Dicom
from fusion.data.dicom.header import Header
from fusion.data.dicom.levels import Levels, levels
from fusion.data.dicom.plane import Plane
from fusion.data.dicom.suv import Factor, factor
from fusion.data.dicom.tilt import Tilt, tilt
from fusion.data.dicom.unfit import MOST_VOXELS, own_studies, unfit
from fusion.data.dicom.upright import Mend
from fusion.data.image import USUAL, Geometry
from fusion.errors import CohortError, Fault

UNEVEN = 0.02
"""Of the step, how far a slice may lie from its place among even steps; headers round positions."""
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
    """Frames as they were scanned, from the first to the last along the normal, and the volume that they make."""

    frames: tuple[Frame, ...]
    geometry: Geometry
    """Of the volume."""
    mend: Mend | None = None
    """How the frames become the volume; None where they are its slices."""
    scale: float = 1.0
    """From rescaled grey values to those of the volume: of PET to SUV."""
    notes: tuple[str, ...] = ()
    """What was decided."""

    @property
    def instances(self) -> tuple[str, ...]:
        """Of each slice of the volume, the image that it is; empty where it is none as it was scanned."""
        own = [frame.header.instance for frame in self.frames]
        if self.mend is None:
            return tuple(own)
        scanned = [not self.mend.tilted and at % 1 == 0 for at in self.mend.source]
        return tuple(own[int(at)] if as_it_was else "" for at, as_it_was in zip(self.mend.source, scanned, strict=True))


def grid(headers: Sequence[Header], where: Path, dicom: Dicom = USUAL) -> Grid:
    """The grid of the files of one series.

    Args:
        headers: of its files, in any order.
        where: named in faults that are no single file's.
        dicom: what may be mended.

    Raises:
        CohortError: all that is wrong with its files; or, where nothing is, with their places.
    """
    if faults := unfit(headers, where):
        raise CohortError(faults)
    frames = [Frame(header, index) for header in headers for index in range(header.frames)]
    axes = axes_of(frames[0].plane)
    ordered = tuple(sorted(frames, key=lambda frame: float(np.asarray(frame.plane.position_mm) @ axes[2])))
    offsets = _offsets(ordered, axes, where)
    pixel = ordered[0].plane.pixel_mm
    assert pixel is not None
    given = {abs(header.tilt_deg) for header in headers}
    incline = degrees(acos(min(1.0, abs(float(axes[2][2])))))
    even = levels(offsets[:, 2], UNEVEN, dicom, where)
    lean = tilt(offsets, pixel, given, incline, dicom, where)
    if isinstance(even, Fault) or isinstance(lean, Fault):
        raise CohortError([one for one in (even, lean) if isinstance(one, Fault)])
    return _whole(ordered, axes, even, lean, where)


def axes_of(plane: Plane) -> Axes:
    """The directions of a frame, made exactly square."""
    along, down = np.reshape(np.asarray(plane.orientation, dtype=float), (2, 3))
    along = along / np.linalg.norm(along)
    down = down - (down @ along) * along
    down = down / np.linalg.norm(down)
    return np.stack([along, down, np.cross(along, down)])


def _offsets(frames: Sequence[Frame], axes: Axes, where: Path) -> Places:
    """How far frames lie from the first, in mm along its axes; apart from each other along the normal, or refused."""
    if len(frames) < 2:
        found = "a single slice"
        raise CohortError(Fault(found, "a series of 2 at least", "export the whole series", file=str(where)))
    places = np.array([frame.plane.position_mm for frame in frames], dtype=float)
    offsets = (places - places[0]) @ axes.T
    gaps = np.diff(places @ axes[2])
    shared = gaps <= max(SAME_PLACE * float(np.median(gaps)), 1e-3)
    if shared.any():
        pairs = [(frames[at].plane, frames[at + 1].plane) for at in np.flatnonzero(shared).tolist()]
        found = f"several images at one position ({len(pairs)} of {len(gaps)} steps between slices have no length)"
        found += f", which differ in {word}" if (word := _set_apart(pairs)) else ""
        remedy = "choose the images of one echo, phase or time"
        raise CohortError(Fault(found, "one image at each position", remedy, file=str(where)))
    return offsets


def _set_apart(pairs: Sequence[tuple[Plane, Plane]]) -> str:
    """The first thing in which all images at one place differ; empty where there is none."""
    words = [
        [told for (told, one), (_, other) in zip(first.moment, second.moment, strict=False) if one != other]
        for first, second in pairs
    ]
    return next((word for word in words[0] if all(word in own for own in words)), "")


def _whole(frames: tuple[Frame, ...], axes: Axes, even: Levels, lean: Tilt, where: Path) -> Grid:
    first, headers = frames[0], [frame.header for frame in frames]
    assert first.plane.position_mm is not None
    assert first.plane.pixel_mm is not None  # what lacks them was refused with the headers
    mend = Mend(lean.shift_px, even.source) if even.note or lean.note else None
    (above, below), (left, right) = (mend.room(0), mend.room(1)) if mend else ((0, 0), (0, 0))
    size = len(even.source), first.header.rows + above + below, first.header.columns + left + right
    if size[0] * size[1] * size[2] > MOST_VOXELS:
        found = f"slices that make {size[0] * size[1] * size[2]:.3g} voxels when they are mended"
        raise CohortError(Fault(found, f"{MOST_VOXELS} at most", "crop the series round the tumour", file=str(where)))
    pixel = first.plane.pixel_mm
    origin = np.asarray(first.plane.position_mm) - above * pixel[0] * axes[1] - left * pixel[1] * axes[0]
    x, y, z = (float(one) for one in origin)
    step = even.step_mm if mend else _step(frames, axes)
    direction = tuple(float(one) for one in axes.T.ravel())
    geometry = Geometry(size, (step, pixel[0], pixel[1]), (x, y, z), direction)
    uptakes = [header.uptake for header in headers if header.uptake is not None]
    suv = factor(uptakes) if uptakes else Factor(1.0, "")
    assert isinstance(suv, Factor)  # what is none was refused with the headers
    notes = (*_seen(headers), *(note for note in (lean.note, even.note, suv.note) if note))
    return Grid(frames, geometry, mend, suv.value, notes)


def _seen(headers: Sequence[Header]) -> list[str]:
    """What is told of headers that are read all the same."""
    lossy = sum(header.lossy for header in headers)
    promised = {header.promised for header in headers}
    notes = ["each file names a study of its own"] if own_studies(headers) else []
    notes += [f"compressed with loss in {lossy} of {len(headers)} slices"] if lossy else []
    if len(promised) == 1 and (most := max(promised)) > len(headers):
        notes.append(f"{len(headers)} slices, where the headers speak of {most}: perhaps not all were exported")
    return notes


def _step(frames: Sequence[Frame], axes: Axes) -> float:
    last, first = (np.asarray(frame.plane.position_mm) for frame in (frames[-1], frames[0]))
    return float((last - first) @ axes[2]) / (len(frames) - 1)
