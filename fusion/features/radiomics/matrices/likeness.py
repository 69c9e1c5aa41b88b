"""Which of its 26 neighbours a voxel equals: one word a voxel, from which runs, zones and dependences are counted."""

from typing import no_type_check

import numpy as np
from numba import njit

BEHIND, AHEAD = 0, 16
"""First bit of the neighbours that come before a voxel in C order, and of their opposites."""


@no_type_check
@njit(cache=True, nogil=True)
def find_likeness(rank, start, length, steps):
    """For each voxel of the region, in C order: bit d is set where it equals its neighbour at ``-steps[d]``, bit 16 + d at
    ``+steps[d]``.

    Args:
        rank: flattened box, 0 outside the region (uint16).
        start, length: the region's rows.
        steps: offsets in the flattened box, positive, 13 at most.
    """
    found = np.zeros(length.sum(), np.uint32)
    n = 0
    for row in range(start.size):
        first, size = start[row], length[row]
        own, out = rank[first : first + size], found[n : n + size]
        for d in range(steps.size):
            behind, ahead = np.uint32(1 << (BEHIND + d)), np.uint32(1 << (AHEAD + d))
            before = rank[first - steps[d] : first - steps[d] + size]
            after = rank[first + steps[d] : first + steps[d] + size]
            for k in range(size):
                out[k] |= (behind if own[k] == before[k] else np.uint32(0)) | (
                    ahead if own[k] == after[k] else np.uint32(0)
                )
        n += size
    return found
