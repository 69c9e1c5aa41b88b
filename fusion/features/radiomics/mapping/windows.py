"""The small window round each voxel of a region that a feature map is measured in."""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Float, Integer
from numba import njit
from numpy import ndarray

from fusion.features.radiomics.levels import discretise
from fusion.features.radiomics.matrices.layout import angles
from fusion.features.radiomics.plan import Texture
from fusion.types import Mask, Spacing


@dataclass(frozen=True)
class Neighbourhoods:
    """Where maps have values, and which voxels are looked at for them; masks of one shape."""

    region: Mask
    counts: Mask
    radius: int
    """Voxels from the centre of a neighbourhood to its side."""
    spacing_mm: Spacing


@dataclass(frozen=True)
class Windows:
    """The grey levels of a crop, and where in it the windows lie."""

    ranks: Integer[ndarray, "z y x"]
    """Rank of the grey level of every voxel that counts, 0 elsewhere and in a border as wide as a window reaches."""
    corners: Integer[ndarray, "voxel 3"]
    """First voxel of each window in ``ranks``, (z, y, x)."""
    shape: tuple[int, int, int]
    """Size of a window: one voxel thick across the slices of a 2-D extraction."""
    pad: int
    """Empty voxels that a copy of a window needs round it, for neighbours to be looked up without a check."""
    grey: Integer[ndarray, " rank"]
    pairs: Integer[ndarray, "angle 3"]
    """Offsets of the neighbours at the distances asked for, one way."""
    near: Integer[ndarray, "near 3"]
    """Offsets of the adjacent neighbours, one way."""

    def steps(self, offsets: Integer[ndarray, "angle 3"]) -> Integer[ndarray, " angle"]:
        """Distance of each offset in the flattened copy of a window."""
        _, y, x = (size + 2 * self.pad for size in self.shape)
        return offsets @ np.array([y * x, x, 1])


def windows(own: Neighbourhoods, values: Float[ndarray, " voxel"], texture: Texture) -> Windows:
    """The windows round the voxels of the region in C order, cut at the border of the crop.

    Args:
        own: the region and what is looked at.
        values: grey values of the voxels that count, in C order.
        texture: settings of this image.
    """
    levels = discretise(values, texture.binning)
    flat = texture.force_2d_dimension if texture.force_2d else None
    z, y, x = (0 if axis == flat else own.radius for axis in range(3))
    ranks = np.zeros(own.counts.shape, np.uint16)
    ranks[own.counts] = levels.rank
    ranks = np.pad(ranks, ((z, z), (y, y), (x, x)))
    shape = (2 * z + 1, 2 * y + 1, 2 * x + 1)
    pairs, near = angles(shape, texture.distances, flat), angles(shape, (1,), flat)
    pad = min(max(texture.distances), max(shape) - 1)
    return Windows(ranks, np.argwhere(own.region), shape, pad, levels.grey, pairs, near)


@no_type_check
@njit(cache=True, nogil=True)
def room(ranks, shape, pad):
    """Arrays for ``look`` to fill: the copy, start and length of its rows, its ranks, and a place for every rank."""
    voxels = shape[0] * shape[1] * shape[2]
    box = np.zeros((shape[0] + 2 * pad) * (shape[1] + 2 * pad) * (shape[2] + 2 * pad), np.uint16)
    return (
        box, np.zeros(voxels, np.int64), np.zeros(voxels, np.int64), np.zeros(voxels, np.int64),
        np.zeros(ranks.max() + 1, np.int64),
    )  # fmt: skip


@no_type_check
@njit(cache=True, nogil=True)
def look(ranks, corner, shape, pad, space):
    """Copy the window at ``corner`` and number the ranks that occur in it anew, from 1.

    Returns:
        The flattened copy with its border, start and length of its rows of voxels, and the ranks that occur, ascending.
    """
    box, start, length, seen, place = space
    rows, found = 0, 0
    for z in range(shape[0]):
        for y in range(shape[1]):
            first = ((z + pad) * (shape[1] + 2 * pad) + y + pad) * (shape[2] + 2 * pad) + pad
            before = 0
            for x in range(shape[2]):
                rank = ranks[corner[0] + z, corner[1] + y, corner[2] + x]
                box[first + x] = rank
                if rank > 0:
                    if before == 0:
                        start[rows], length[rows] = first + x, 0
                        rows += 1
                    length[rows - 1] += 1
                    found += _note(rank, seen, found, place)
                before = rank
    for k in range(found):
        place[seen[k]] = k + 1
    for row in range(rows):
        for c in range(start[row], start[row] + length[row]):
            box[c] = place[box[c]]
    for k in range(found):
        place[seen[k]] = 0
    return box, start[:rows], length[:rows], seen[:found]


@no_type_check
@njit(cache=True, nogil=True)
def _note(rank, seen, found, place):
    """Put a rank among those seen, in ascending order; 1 if it is new."""
    if place[rank] > 0:
        return 0
    place[rank] = 1
    k = found
    while k > 0 and seen[k - 1] > rank:
        seen[k] = seen[k - 1]
        k -= 1
    seen[k] = rank
    return 1


@no_type_check
@njit(cache=True, nogil=True)
def joins(box, shape, pad, offset):
    """Whether two voxels of the window lie on one line along ``offset``, next to each other or not."""
    for z in range(shape[0]):
        for y in range(shape[1]):
            for x in range(shape[2]):
                if _at(box, shape, pad, z, y, x) > 0:
                    a, b, c = z + offset[0], y + offset[1], x + offset[2]
                    while 0 <= a < shape[0] and 0 <= b < shape[1] and 0 <= c < shape[2]:
                        if _at(box, shape, pad, a, b, c) > 0:
                            return True
                        a, b, c = a + offset[0], b + offset[1], c + offset[2]
    return False


@no_type_check
@njit(cache=True, nogil=True)
def _at(box, shape, pad, z, y, x):
    return box[((z + pad) * (shape[1] + 2 * pad) + y + pad) * (shape[2] + 2 * pad) + x + pad]
