"""Which of its 26 neighbours a voxel equals: one word a voxel, from which runs, zones and dependences are counted."""

from typing import no_type_check

import numpy as np
from numba import njit

from fusion.features.radiomics.matrices.layout import Index

BEHIND, AHEAD = 0, 16
"""First bit of the neighbours that come before a voxel in C order, and of their opposites."""
NONE = np.uint32(0)


@no_type_check
@njit(cache=True, nogil=True)
def find_likeness(rank, start, length, steps):
    """For each voxel of the region, in C order: bit d is set where it equals its neighbour at ``-steps[d]``, bit 16 + d
    at ``+steps[d]``.

    Args:
        rank: flattened box, 0 outside the region (uint16).
        start, length: the region's rows.
        steps: offsets in the flattened box, positive, 13 at most.
    """
    found = np.zeros(length.sum(), np.uint32)
    n = Index(0)
    for row in range(start.size):
        first, size = Index(start[row]), Index(length[row])
        for d in range(steps.size):
            step, behind, ahead = Index(steps[d]), np.uint32(1 << (BEHIND + d)), np.uint32(1 << (AHEAD + d))
            for k in range(size):
                own = rank[first + k]
                found[n + k] |= behind if own == rank[first + k - step] else NONE
                found[n + k] |= ahead if own == rank[first + k + step] else NONE
        n += size
    return found
