"""From slices as they were scanned to an even, upright volume: shifted within their planes, filled in between.

The planes of the slices are kept, so that what was drawn on them still lies on slices.
"""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

EDGE_PX = 1e-3
"""How far beyond the outermost pixel still counts as that pixel; headers round positions."""
AIR_HU = -1024.0
"""Of CT outside its slices."""


@dataclass(frozen=True)
class Mend:
    """How scanned slices become an even and upright volume."""

    shift_px: Float[ndarray, "scanned 2"]
    """How far along (y, x) each slice lies aside of the first; 0 where it is not moved."""
    source: Float[ndarray, " slice"]
    """Where each slice of the volume lies among the scanned ones: 1.5 is halfway between the second and the third."""

    @property
    def tilted(self) -> bool:
        """Whether slices are moved within their planes."""
        return bool(self.shift_px.any())

    @property
    def made(self) -> int:
        """Slices of the volume that were not scanned."""
        return int((self.source % 1 != 0).sum())

    def room(self, axis: int) -> tuple[int, int]:
        """Whole pixels that the volume has before the first slice's first row (0) or column (1), and after its last."""
        shift = self.shift_px[:, axis]
        return -floor(shift.min() + EDGE_PX), ceil(shift.max() - EDGE_PX)


def mended(scanned: Float32[ndarray, "scanned y x"], mend: Mend, outside: float) -> Float32[ndarray, "z y2 x2"]:
    """The volume that ``mend`` makes of the scanned slices, linear within planes and between them.

    Args:
        scanned: slices in order.
        mend: see there.
        outside: value where no slice reaches, or only one of the two neighbours.
    """
    rows, columns = (scanned.shape[axis + 1] + sum(mend.room(axis)) for axis in (0, 1))
    values = np.empty((len(mend.source), rows, columns), np.float32)
    for position, at in enumerate(mend.source):  # one by one, as a series may fill most of the memory there is
        below, weight = floor(at), at % 1
        picture = _picture(scanned, mend, below)
        if weight:
            picture = (1 - weight) * picture + weight * _picture(scanned, mend, below + 1)
        values[position] = np.where(np.isnan(picture), outside, picture)
    return values


def _picture(scanned: Float32[ndarray, "scanned y x"], mend: Mend, position: int) -> Float[ndarray, "y2 x2"]:
    """A scanned slice on the upright grid; NaN where it does not reach."""
    picture = scanned[position].astype(np.float64)
    for axis in (0, 1):
        if mend.shift_px[:, axis].any():
            before, after = mend.room(axis)
            targets = np.arange(-before, picture.shape[axis] + after)
            picture = _moved(picture, targets - mend.shift_px[position, axis], axis)
    return picture


def _moved(picture: Float[ndarray, "y x"], at: Float[ndarray, " target"], axis: int) -> Float[ndarray, "y2 x2"]:
    """The picture at places along an axis, linear; NaN beyond its outermost pixels."""
    last = picture.shape[axis] - 1
    inside = (at >= -EDGE_PX) & (at <= last + EDGE_PX)
    held = np.clip(at, 0, last)
    below = np.minimum(np.floor(held).astype(int), max(last - 1, 0))
    weight = np.where(inside, held - below, np.nan)
    weight = weight[:, None] if axis == 0 else weight[None, :]
    low, high = picture.take(below, axis), picture.take(np.minimum(below + 1, last), axis)
    return np.asarray(low + weight * (high - low))
