"""What a voxel's neighbours tell: dependences (GLDM) and grey-tone differences (NGTDM).

Sun & Wee 1983, doi:10.1016/0734-189X(83)90032-4; Amadasun & King 1989, doi:10.1109/21.44046.
"""

from typing import no_type_check

import numpy as np
from numba import njit

from fusion.features.radiomics.matrices.layout import Index


@no_type_check
@njit(cache=True, nogil=True)
def count_dependences(rank, likeness, start, length, ranks):
    """Counts[rank - 1, number of equal neighbours], read from ``find_likeness`` of the region."""
    table = np.zeros((ranks + 1, 27), np.int64)
    n = 0
    for row in range(start.size):
        own = rank[start[row] : start[row] + length[row]]
        for k in range(length[row]):
            word = likeness[n]
            word = word - ((word >> np.uint32(1)) & np.uint32(0x55555555))  # number of set bits, by halves
            word = (word & np.uint32(0x33333333)) + ((word >> np.uint32(2)) & np.uint32(0x33333333))
            word = (word + (word >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
            word = word + (word >> np.uint32(8))
            table[own[k], (word + (word >> np.uint32(16))) & np.uint32(0x3F)] += 1
            n += 1
    return table[1:]


@no_type_check
@njit(cache=True, nogil=True)
def count_near_dependences(level, rank, start, length, steps, alpha, ranks):
    """Counts[rank - 1, neighbours at ``steps`` whose level differs by ``alpha`` at most]."""
    table = np.zeros((ranks + 1, steps.size + 1), np.int64)
    for row in range(start.size):
        for c in range(start[row], start[row] + length[row]):
            alike = 0
            for step in steps:
                other = level[c + step]
                alike += other != 0 and abs(np.int64(other) - np.int64(level[c])) <= alpha
            table[rank[c], alike] += 1
    return table[1:]


@no_type_check
@njit(cache=True, nogil=True)
def sum_differences(level, rank, start, length, steps, neighbours, ranks, with_lone):
    """By rank, the voxels that count and the sum of their grey-tone differences.

    The grey-tone difference of a voxel is the distance of its level from the mean level of its neighbours; without
    neighbours it is 0.

    Args:
        level, rank: flattened boxes, 0 outside the region (uint16).
        start, length: the region's rows.
        steps: offsets in the flattened box to all neighbours, both ways.
        neighbours: number of neighbours inside the region, by voxel.
        ranks: number of ranks.
        with_lone: count voxels without neighbours (PyRadiomics does, IBSI does not).
    """
    voxels, differences = np.zeros(ranks + 1, np.int64), np.zeros(ranks + 1, np.float64)
    total = np.zeros(length.max(), np.uint32)
    n = Index(0)
    for row in range(start.size):
        first, size = Index(start[row]), Index(length[row])
        for k in range(size):
            total[k] = 0
        for step in steps:
            ahead = Index(step)  # a step back wraps round, and so does the sum
            for k in range(size):
                total[k] += level[first + k + ahead]
        for k in range(size):
            a, count = Index(rank[first + k]), neighbours[n + k]
            voxels[a] += with_lone or count > 0
            differences[a] += abs(level[first + k] - total[k] / max(count, 1)) if count > 0 else 0.0
        n += size
    return voxels[1:], differences[1:]
