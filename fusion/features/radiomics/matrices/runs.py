"""Run lengths along one direction (GLRLM; Galloway 1975, doi:10.1016/S0146-664X(75)80008-6)."""

from typing import no_type_check

import numpy as np
from numba import njit

from fusion.features.radiomics.matrices.likeness import AHEAD, BEHIND

ONE = np.uint32(1)


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
    room = np.empty(length.max(), np.int32)
    n = 0
    for row in range(start.size):
        first, size = start[row], length[row]
        alike, cell = likeness[n : n + size], room[:size]
        own, before, now = (
            rank[first : first + size],
            so_far[first - step : first - step + size],
            so_far[first : first + size],
        )
        for k in range(size):
            now[k] = np.uint16(before[k] * np.uint16((alike[k] >> behind) & ONE) + np.uint16(1))
        for k in range(size):  # where to count is found first, without a branch: that part runs on whole vectors
            cell[k] = np.int32(own[k]) * np.int32(width) + np.int32(now[k]) * np.int32(
                ONE - ((alike[k] >> ahead) & ONE)
            )
        for k in range(size):
            table[cell[k]] += 1
        n += size
    return table.reshape(ranks + 1, width)[1:, 1:]
