"""Run lengths along one direction (GLRLM; Galloway 1975, doi:10.1016/S0146-664X(75)80008-6)."""

from typing import no_type_check

import numpy as np
from numba import njit

from fusion.features.radiomics.matrices.layout import Index
from fusion.features.radiomics.matrices.likeness import AHEAD, BEHIND

ONE = np.uint32(1)
SHORT = 12
"""Voxels of a row up to which passes over rows do not pay."""


@no_type_check
@njit(cache=True, nogil=True)
def count_runs(rank, likeness, start, length, step, bit, longest, ranks, so_far):
    """Runs of equal rank along ``step``: counts[rank - 1, run length - 1].

    Args:
        rank: flattened box, 0 outside the region (uint16).
        likeness: ``find_likeness`` of the region.
        start, length: the region's rows, in C order, so that the voxel at ``-step`` comes first.
        step: offset in the flattened box, positive.
        bit: number of the step in ``likeness``.
        longest: longest run that fits into the box.
        ranks: number of ranks.
        so_far: room for the length of the run up to each voxel, as large as the box (uint16), any content.
    """
    width = longest + 1
    table = np.zeros((ranks + 1) * width, np.int32)  # its first column takes the voxels where a run goes on
    behind, ahead = np.uint32(BEHIND + bit), np.uint32(AHEAD + bit)
    if likeness.size < SHORT * start.size:
        _by_voxel(rank, likeness, start, length, step, behind, ahead, width, so_far, table)
    else:
        _by_row(rank, likeness, start, length, step, behind, ahead, width, so_far, table)
    return table.reshape(ranks + 1, width)[1:, 1:]


@no_type_check
@njit(cache=True, nogil=True)
def _by_voxel(rank, likeness, start, length, step, behind, ahead, width, so_far, table):
    n, step, width = Index(0), Index(step), Index(width)
    for row in range(start.size):
        for c in range(Index(start[row]), Index(start[row] + length[row])):
            word = likeness[n]
            run = np.uint16(so_far[c - step] * np.uint16((word >> behind) & ONE) + np.uint16(1))
            so_far[c] = run
            table[Index(rank[c]) * width + Index(run) * Index(ONE - ((word >> ahead) & ONE))] += 1
            n += Index(1)


@no_type_check
@njit(cache=True, nogil=True)
def _by_row(rank, likeness, start, length, step, behind, ahead, width, so_far, table):
    """The same in passes over each row, which run on whole vectors; where to count is found without a branch."""
    cell = np.empty(length.max(), np.int32)
    n, step = Index(0), Index(step)
    for row in range(start.size):
        first, size = Index(start[row]), Index(length[row])
        for k in range(size):
            before = np.uint16((likeness[n + k] >> behind) & ONE)
            so_far[first + k] = np.uint16(so_far[first + k - step] * before + np.uint16(1))
        for k in range(size):
            ends = np.int32(ONE - ((likeness[n + k] >> ahead) & ONE))
            cell[k] = np.int32(rank[first + k]) * np.int32(width) + np.int32(so_far[first + k]) * ends
        for k in range(size):
            table[Index(cell[k])] += 1
        n += size
