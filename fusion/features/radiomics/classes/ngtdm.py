"""Features of neighbouring grey-tone differences (Amadasun & King 1989, doi:10.1109/21.44046)."""

from typing import no_type_check

import numpy as np
from numba import njit

from fusion.config.names import FEATURES

NAMES = FEATURES["ngtdm"]
COARSEST = 1e6
"""Coarseness of a region without any grey-tone difference, as PyRadiomics and IBSI have it."""


@no_type_check
@njit(cache=True, nogil=True, error_model="numpy")
def ngtdm(voxels, differences, grey):
    """The five features of ``NAMES``.

    Args:
        voxels: how many voxels of each grey level count.
        differences: sum of their grey-tone differences.
        grey: the grey levels (float64).
    """
    there = voxels > 0
    n, s, level = voxels[there].astype(np.float64), differences[there], grey[there]
    total, levels = max(n.sum(), 1.0), level.size
    p, all_differences = n / total, s.sum()
    coarse = (p * s).sum()
    apart, spread, complexity, strength = 0.0, 0.0, 0.0, 0.0
    for i in range(levels):
        for j in range(levels):
            distance = level[i] - level[j]
            apart += abs(level[i] * p[i] - level[j] * p[j])
            spread += p[i] * p[j] * distance**2
            complexity += abs(distance) * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j])
            strength += (p[i] + p[j]) * distance**2
    return np.array([
        coarse / apart if apart != 0 else 0.0,
        1 / coarse if coarse != 0 else COARSEST,
        complexity / total,
        spread * all_differences / total / (levels * (levels - 1)) if levels > 1 else 0.0,
        strength / all_differences if all_differences != 0 else 0.0,
    ])  # fmt: skip
