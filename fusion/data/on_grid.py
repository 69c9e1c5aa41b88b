"""A mask on the grid of its image: as it is, moved without loss on the image's own lattice, or resampled on request."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from fusion.config.cohort import Cohort
from fusion.data.image import Geometry, Labels, regrid
from fusion.errors import CohortError, Fault
from fusion.types import Mask

OFF_LATTICE = 0.02
"""Of a voxel, how far a mask's voxel may lie from one of the image; files round origin and directions."""
MOVED = "stored with another extent or order of axes than the image; every voxel kept"
RESAMPLED = "resampled onto the image's grid (nearest neighbour)"


@dataclass(frozen=True)
class Landed:
    """A mask on the image's grid."""

    mask: Mask
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Lattice:
    """Voxel ``turn @ index + start`` of the image is voxel ``index`` of the mask, both as (x, y, z)."""

    turn: Int[ndarray, "3 3"]
    """One 1 or -1 in every row and column."""
    start: Int[ndarray, "3"]


def on_grid(
    labels: Labels, image: Geometry | None, path: Path, cohort: Cohort, resample: bool, trusted: bool = False
) -> Landed:
    """Where ``labels`` has ``cohort.label``, on the grid of the image.

    A mask whose voxels are the image's, but cropped, padded, flipped or with axes in another order, as programs save
    them, is moved voxel by voxel; only a mask between the image's voxels has to be resampled. A plain volume is moved
    on request alone, as a header that somebody flipped by mistake looks the same.

    Args:
        labels: read from ``path``.
        image: the image's grid; None where it could not be read.
        path: named in faults.
        cohort: label and tolerances.
        resample: bring a mask with another grid onto the image's instead of refusing it.
        trusted: the program that wrote it is known to save crops and other orders of axes; it is moved unasked.

    Raises:
        CohortError: no voxel with the label, voxels outside the image, or another grid.
    """
    inside = labels.values == cohort.label
    if not inside.any():
        present = ", ".join(str(int(value)) for value in np.unique(labels.values)[:10])
        found = f"no voxel with label {cohort.label} (labels: {present})"
        remedy = "set cohort.label or draw the mask again"
        raise CohortError(Fault(found, "at least one", remedy, file=str(path)))
    if image is None:
        return Landed(inside)
    different = labels.geometry.difference(image, cohort.tolerance_mm, cohort.tolerance_direction)
    if not different:
        return Landed(inside)
    if outside := _outside(inside, labels.geometry, image):
        found = f"{100 * outside:.3g}% of the mask outside the image"
        remedy = "check that mask and image belong together"
        raise CohortError(Fault(found, "a mask inside the image", remedy, file=str(path)))
    lattice = _lattice(inside, labels.geometry, image, cohort)
    if lattice is not None and (trusted or resample):
        return Landed(_moved(inside, lattice, image), (MOVED,))
    if not resample:
        found = f"another grid than the image's: {'; '.join(different)}"
        remedy = "export the mask on the image's grid or set roi.resample_mask=true"
        if lattice is not None:
            remedy += ", which keeps every voxel here, if its header is right"
        raise CohortError(Fault(found, "the same grid", remedy, file=str(path)))
    mask = regrid(labels, image).values == cohort.label
    if not mask.any():
        remedy = "draw the mask on the image's grid"
        raise CohortError(Fault("no voxel left after resampling the mask", "at least one", remedy, file=str(path)))
    return Landed(mask, (RESAMPLED,))


def _outside(inside: Mask, own: Geometry, image: Geometry) -> float:
    """Share of the mask's voxel centres outside the grid ``image``."""
    index = np.argwhere(inside)[:, ::-1]
    points = np.asarray(own.origin_mm) + (index * own.spacing_mm[::-1]) @ np.reshape(own.direction, (3, 3)).T
    offset = (points - image.origin_mm) @ np.linalg.inv(np.reshape(image.direction, (3, 3))).T
    there = offset / image.spacing_mm[::-1]
    return float(((there < -0.5) | (there > np.asarray(image.size[::-1]) - 0.5)).any(axis=1).mean())


def _lattice(inside: Mask, own: Geometry, image: Geometry, cohort: Cohort) -> _Lattice | None:
    """How the mask's voxels are voxels of the image; None where they lie between them."""
    axes, of_image = np.reshape(own.direction, (3, 3)), np.reshape(image.direction, (3, 3))
    spacing, of_image_mm = np.asarray(own.spacing_mm[::-1]), np.asarray(image.spacing_mm[::-1])
    to_image = np.linalg.inv(of_image)
    turn = np.round(to_image @ axes).astype(int)
    if (np.abs(turn).sum(axis=0) != 1).any() or (np.abs(turn).sum(axis=1) != 1).any():
        return None
    if np.abs(axes - of_image @ turn).max() > cohort.tolerance_direction:
        return None
    if np.abs(np.abs(turn) @ spacing - of_image_mm).max() > cohort.tolerance_mm:
        return None
    corners = _corners(inside)
    points = np.asarray(own.origin_mm) + (corners * spacing) @ axes.T
    there = (points - image.origin_mm) @ to_image.T / of_image_mm
    start = np.round(there[0]).astype(int) - turn @ corners[0]
    off = np.abs(there - (corners @ turn.T + start))
    allowed = np.clip(cohort.tolerance_mm / of_image_mm, OFF_LATTICE, 0.49)
    return _Lattice(turn, start) if (off <= allowed).all() else None


def _corners(inside: Mask) -> Int[ndarray, "8 3"]:
    """First and last voxels of the mask along every axis, as (x, y, z)."""
    index = np.argwhere(inside)[:, ::-1]
    ends = np.stack([index.min(axis=0), index.max(axis=0)])
    return np.stack([ends[[x, y, z], [0, 1, 2]] for x in (0, 1) for y in (0, 1) for z in (0, 1)])


def _moved(inside: Bool[ndarray, "_ _ _"], lattice: _Lattice, image: Geometry) -> Mask:
    """Every voxel of the mask at its place in the image."""
    index = np.argwhere(inside)[:, ::-1] @ lattice.turn.T + lattice.start
    mask = np.zeros(image.size, bool)
    mask[index[:, 2], index[:, 1], index[:, 0]] = True
    return mask
