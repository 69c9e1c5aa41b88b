"""Where a region's voxels lie in memory, so that every image type of a case is counted over the same rows."""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Integer, Shaped
from numba import njit
from numpy import ndarray

from fusion.types import Mask

Index = np.uint64
"""Indices in kernels: unsigned, so that compiled loops need not ask whether one counts from the end."""


@dataclass(frozen=True)
class Layout:
    """A region's bounding box with a border of ``pad`` empty voxels, and its voxels as rows along x.

    Row r covers ``start[r] : start[r] + length[r]`` of the flattened box; rows lie in C order, so that values listed in
    C order fill them one after another.
    """

    box: tuple[int, int, int]
    """Size of the bounding box without its border, (z, y, x)."""
    pad: int
    start: Integer[ndarray, " row"]
    length: Integer[ndarray, " row"]

    @property
    def padded(self) -> tuple[int, int, int]:
        """Size of the box with its border, (z, y, x)."""
        z, y, x = self.box
        return z + 2 * self.pad, y + 2 * self.pad, x + 2 * self.pad

    def fill(self, values: Integer[ndarray, " voxel"]) -> Integer[ndarray, " box"]:
        """The flattened box with ``values`` in the region's voxels and 0 elsewhere."""
        return _fill(values, self.start, self.length, int(np.prod(self.padded)))

    def steps(self, offsets: Integer[ndarray, "angle 3"]) -> Integer[ndarray, " angle"]:
        """Distance in the flattened box of each (z, y, x) offset."""
        _, y, x = self.padded
        return offsets @ np.array([y * x, x, 1])


def layout(mask: Mask, pad: int = 1) -> Layout:
    """The rows of ``mask``, which must have a True voxel."""
    low, high = box(mask)
    inside = np.pad(mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], pad)
    start, length = _rows(inside.ravel())
    z, y, x = (int(b - a) for a, b in zip(low, high, strict=True))
    return Layout((z, y, x), pad, start, length)


def box(mask: Mask) -> tuple[Integer[ndarray, "3"], Integer[ndarray, "3"]]:
    """First index and end of the True voxels along each axis.

    >>> mask = np.zeros((3, 4, 5), dtype=bool)
    >>> mask[1, 2, 1:4] = True
    >>> [corner.tolist() for corner in box(mask)]
    [[1, 2, 1], [2, 3, 4]]
    """
    found = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    return np.array([own[0] for own in found]), np.array([own[-1] + 1 for own in found])


def angles(
    box: tuple[int, int, int], distances: tuple[int, ...] = (1,), without: int | None = None
) -> Integer[ndarray, "angle 3"]:
    """Offsets (z, y, x) of one of every two opposite neighbours at the given Chebyshev distances that fit into ``box``.

    Args:
        box: size of the region's bounding box; an offset as long as the box can join no two voxels.
        distances: in voxels.
        without: axis along which no neighbour is taken (2-D extraction), or None.

    >>> [len(angles(box)) for box in ((9, 9, 9), (1, 9, 9))], len(angles((9, 9, 9), (1, 2)))
    ([13, 4], 62)
    """
    reach = max(distances)
    room = [0 if axis == without else min(reach, size - 1) for axis, size in enumerate(box)]
    grid = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in room), indexing="ij"), axis=-1).reshape(-1, 3)
    wanted = grid[np.isin(np.abs(grid).max(axis=1), distances)]
    ahead = [tuple(own) > (0, 0, 0) for own in wanted.tolist()]
    return wanted[np.array(ahead, dtype=bool)]


@no_type_check
@njit(cache=True, nogil=True)
def _rows(inside):
    count = 0
    for n in range(1, inside.size):
        count += inside[n] and not inside[n - 1]
    start, length = np.zeros(count, np.int64), np.zeros(count, np.int64)
    row = -1
    for n in range(1, inside.size):
        if inside[n]:
            if not inside[n - 1]:
                row += 1
                start[row] = n
            length[row] += 1
    return start, length


@no_type_check
@njit(cache=True, nogil=True)
def _fill(values, start, length, size):
    out = np.zeros(size, values.dtype)
    n = 0
    for row in range(start.size):
        for c in range(start[row], start[row] + length[row]):
            out[c] = values[n]
            n += 1
    return out


def neighbour_counts(own: Layout, both_ways: Integer[ndarray, " step"]) -> Shaped[ndarray, " voxel"]:
    """How many of the voxels at ``both_ways`` belong to the region, for each of its voxels."""
    total = int(own.length.sum())
    inside = own.fill(np.ones(total, np.uint16))
    return count_inside(inside, own.start, own.length, both_ways, np.zeros(total, np.uint16))


@no_type_check
@njit(cache=True, nogil=True)
def count_inside(inside, start, length, steps, out):
    """Add to ``out``, by voxel, the neighbours at ``steps`` that are 1 in the flattened box ``inside``."""
    n = Index(0)
    for row in range(start.size):
        first, size = Index(start[row]), Index(length[row])
        for step in steps:
            ahead = Index(step)  # a step back wraps round, and so does the sum
            for k in range(size):
                out[n + k] += inside[first + k + ahead]
        n += size
    return out
