"""Frames of a segmentation in space: on the image's grid where they lie on its slices, else on a grid of their own.

Frames are placed by their position: files leave out empty frames, and keep any order. Of a tilted series, whose image
was shifted onto an upright grid, each frame is shifted likewise, by whole pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from fusion.config.dicom import Dicom
from fusion.data.dicom.grid import UNEVEN, axes_of
from fusion.data.dicom.plane import Plane
from fusion.data.dicom.sections import BETWEEN, Reason, filled_gaps
from fusion.data.dicom.unfit import LEVEL, MOST_VOXELS, apart
from fusion.data.image import Geometry, Image, Labels
from fusion.errors import CohortError, Fault
from fusion.types import Mask

TILTED = "frames shifted by whole pixels onto the upright grid, as their slices were"


@dataclass(frozen=True)
class Frames:
    """Of one segment, and where they lie."""

    inside: Bool[ndarray, "frame y x"]
    planes: tuple[Plane, ...]
    notes: tuple[str, ...]


def in_space(frames: Frames, image: Image | None, path: Path, dicom: Dicom) -> Labels:
    """The segment as 1, 0 elsewhere.

    Args:
        frames: at least one.
        image: where to put them; None for their own grid.
        path: named in faults.
        dicom: whether slices that were not scanned get a section.

    Raises:
        CohortError: frames outside the image, at the same place, or not above each other; or none where the image has
            a slice that was not scanned.
    """
    if image is None or not _on_grid(frames, image):
        geometry = _own_grid(frames, path)
        return Labels(_placed(frames, geometry, path).astype(np.uint8), geometry, frames.notes)
    mask, notes = _placed(frames, image.geometry, path, tilted=is_tilted(image)), frames.notes
    if is_tilted(image):
        notes = (*notes, TILTED)
    if unscanned := _unscanned(mask, frames, image):
        found = f"no frame on {len(unscanned)} slices between others, which were not scanned either"
        if dicom.contours == "refuse":
            refuse([(found, "one on every slice", f"segment the mended series, or {BETWEEN}")], path)
        filled_gaps(mask, unscanned, image.geometry)
        notes = (*notes, f"{len(unscanned)} slices filled between frames, by signed distance")
    return Labels(mask.astype(np.uint8), image.geometry, notes)


def refuse(found: Sequence[Reason], path: Path) -> None:
    """Raise all of ``found`` as faults of ``path``, if there are any."""
    if found:
        raise CohortError([Fault(*one, file=str(path)) for one in found])


def is_tilted(image: Image) -> bool:
    """Whether the image was shifted slice by slice, so that none of its slices is one of the series."""
    return image.reference is not None and bool(image.reference.instances) and not any(image.reference.instances)


def _unscanned(mask: Mask, frames: Frames, image: Image) -> list[int]:
    """Slices without a frame, between frames, of an image that has slices which were not scanned."""
    known = image.reference.instances if image.reference is not None else ()
    framed = {int(one) for one in np.round(_indices(frames.planes, image.geometry)[:, 2])}
    held = np.flatnonzero(mask.any(axis=(1, 2)))
    if not len(held) or len(known) != len(mask):
        return []
    return [at for at in range(int(held[0]), int(held[-1])) if at not in framed and not known[at]]


def _on_grid(frames: Frames, image: Image) -> bool:
    """Whether every frame lies on pixels and slices of the image, which may go on beyond its ends.

    Frames stacked aslant lie on a tilted image's slices, whose pixels were shifted likewise.
    """
    geometry, planes = image.geometry, frames.planes
    direction = np.reshape(geometry.direction, (3, 3)).T
    for plane in planes:
        if np.abs(axes_of(plane) - direction).max() > LEVEL or apart(
            [plane.pixel_mm or (), geometry.spacing_mm[1:]], LEVEL
        ):
            return False
    indices = _indices(planes, geometry)
    on_slices = bool((np.abs(indices - np.round(indices))[:, 2] <= UNEVEN).all())
    if is_tilted(image):
        return on_slices and (len(planes) == 1 or bool(np.ptp(indices[:, :2], axis=0).max() > UNEVEN))
    same = frames.inside.shape[1:] == geometry.size[1:]
    return same and on_slices and bool((np.abs(indices[:, :2]) <= UNEVEN).all())


def _own_grid(frames: Frames, path: Path) -> Geometry:
    """Even slices from the first frame to the last; frames left out were empty."""
    planes = frames.planes
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
    size = int(np.round(counts).sum()) + 1, *frames.inside.shape[1:]
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


def _placed(frames: Frames, geometry: Geometry, path: Path, tilted: bool = False) -> Mask:
    mask = np.zeros(geometry.size, bool)
    indices = _indices(frames.planes, geometry)
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
    refuse(found, path)
    lost = sum(_put(mask[at[2]], inside, at) for at, inside in zip(places, frames.inside, strict=True))
    if lost:
        refuse([(f"{lost} voxels outside the image", "all inside", "give the whole series")], path)
    return mask


def _put(section: Bool[ndarray, "y x"], inside: Bool[ndarray, "y2 x2"], at: Int[ndarray, "3"]) -> int:
    """Draw a frame into its slice, its first pixel at (x, y) of ``at``; returns how many voxels have no place."""
    index = np.argwhere(inside) + at[1::-1]
    there = ((index >= 0) & (index < section.shape)).all(axis=1)
    section[tuple(index[there].T)] = True
    return int((~there).sum())
