"""Grey-level co-occurrences along one direction (GLCM; Haralick 1973, doi:10.1109/TSMC.1973.4309314)."""

from typing import no_type_check

import numpy as np
from numba import njit

from fusion.features.radiomics.matrices.layout import Index


@no_type_check
@njit(cache=True, nogil=True)
def count_pairs(rank, start, length, step, table):
    """Add to ``table[a * width + b]`` every voxel of rank a whose neighbour at ``step`` has rank b (0: outside).

    Args:
        rank: flattened box, 0 outside the region (uint16).
        start, length: the region's rows.
        step: offset in the flattened box.
        table: (ranks + 1)^2 zeros, flattened.
    """
    width, step = np.int32(table.size**0.5 + 0.5), Index(step)
    cell = np.empty(length.max(), np.int32)
    for row in range(start.size):
        first, size = Index(start[row]), Index(length[row])
        for k in range(size):
            cell[k] = np.int32(rank[first + k]) * width + np.int32(rank[first + k + step])
        for k in range(size):
            table[Index(cell[k])] += 1
