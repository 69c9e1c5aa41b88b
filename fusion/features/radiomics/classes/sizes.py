"""Features of a matrix of grey levels against sizes: runs (GLRLM), zones (GLSZM) and dependences (GLDM) alike.

Galloway 1975, doi:10.1016/S0146-664X(75)80008-6; Thibault 2013, doi:10.1142/S0218001413570024; Sun & Wee 1983,
doi:10.1016/0734-189X(83)90032-4; definitions as in PyRadiomics 3.0.1 and IBSI 1.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Integer
from numba import njit
from numpy import ndarray

from fusion.config.names import FEATURES

EPSILON = np.spacing(1)
GLRLM = FEATURES["glrlm"]
GLSZM = FEATURES["glszm"]
GLDM = FEATURES["gldm"]
(GREY, GREY_NORMALISED, GREY_VARIANCE, HIGH, LARGE, LARGE_HIGH, LARGE_LOW, LOW, ENTROPY, SIZE, SIZE_NORMALISED,
 PERCENTAGE, SIZE_VARIANCE, SMALL, SMALL_HIGH, SMALL_LOW) = range(16)  # fmt: skip
AS_GLRLM = np.arange(16)
AS_GLSZM = np.array([GREY, GREY_NORMALISED, GREY_VARIANCE, HIGH, LARGE, LARGE_HIGH, LARGE_LOW, LOW, SIZE,
                     SIZE_NORMALISED, SMALL, SMALL_HIGH, SMALL_LOW, ENTROPY, PERCENTAGE, SIZE_VARIANCE])  # fmt: skip
AS_GLDM = np.array([ENTROPY, SIZE, SIZE_NORMALISED, SIZE_VARIANCE, GREY, GREY_VARIANCE, HIGH, LARGE, LARGE_HIGH,
                    LARGE_LOW, LOW, SMALL, SMALL_HIGH, SMALL_LOW])  # fmt: skip
"""Where each named feature lies among the sixteen that ``sizes`` gives."""


def zones(
    rank: Integer[ndarray, " zone"], size: Integer[ndarray, " zone"], grey: Integer[ndarray, " rank"]
) -> Float[ndarray, "16"]:
    """The sixteen features of a list of zones."""
    table, sizes_found = zone_table(rank, size, len(grey))
    return sizes(table, grey.astype(np.float64), sizes_found)


@no_type_check
@njit(cache=True, nogil=True)
def zone_table(rank, size, ranks):
    """Counts of zones by rank and by those sizes that occur."""
    column = np.zeros(size.max() + 1, np.int64)
    column[size] = 1
    found = np.flatnonzero(column)
    column[found] = np.arange(found.size)
    table = np.zeros((ranks, found.size))
    for n in range(size.size):
        table[rank[n] - 1, column[size[n]]] += 1
    return table, found.astype(np.float64)


@no_type_check
@njit(cache=True, nogil=True, error_model="numpy")
def sizes(table, grey, size):
    """Sixteen features of counts ``table[grey level, size]``, in the order of ``GLRLM``.

    Args:
        table: counts (float64).
        grey: grey level of each row (float64).
        size: size of each column (float64).
    """
    total = table.sum()
    by_grey, by_size = table.sum(axis=1), table.sum(axis=0)
    grey2, size2 = grey**2, size**2
    large_high, large_low, small_high, small_low, entropy = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(grey.size):
        for j in range(size.size):
            cell = table[i, j]
            if cell > 0:
                large_high += cell * size2[j] * grey2[i]
                large_low += cell * size2[j] / grey2[i]
                small_high += cell * grey2[i] / size2[j]
                small_low += cell / (grey2[i] * size2[j])
                entropy -= cell / total * np.log2(cell / total + EPSILON)
    grey_mean, size_mean = (by_grey * grey).sum() / total, (by_size * size).sum() / total
    return np.array([
        (by_grey**2).sum() / total, (by_grey**2).sum() / total**2, (by_grey / total * (grey - grey_mean) ** 2).sum(),
        (by_grey * grey2).sum() / total, (by_size * size2).sum() / total, large_high / total, large_low / total,
        (by_grey / grey2).sum() / total, entropy, (by_size**2).sum() / total, (by_size**2).sum() / total**2,
        total / (by_size * size).sum(), (by_size / total * (size - size_mean) ** 2).sum(),
        (by_size / size2).sum() / total, small_high / total, small_low / total,
    ])  # fmt: skip
