"""Grey values of a region to grey levels, with PyRadiomics' bin edges."""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Float, Integer
from numba import njit
from numpy import ndarray

from fusion.errors import Fault, FeatureError
from fusion.features.radiomics.plan import Binning

MOST_BINS = 60_000
"""Bins that 16 bits hold."""
MOST_LEVELS = 10_000
"""Levels that occur; a co-occurrence matrix of more would take a gigabyte."""


@dataclass(frozen=True)
class Levels:
    """A region's voxels as grey levels.

    ``rank`` counts through the levels that occur (1 is the lowest), ``level`` is the level itself (1: the lowest bin);
    ``grey[rank - 1]`` is the level of a rank, ``counts`` the voxels of each.
    """

    rank: Integer[ndarray, " voxel"]
    level: Integer[ndarray, " voxel"]
    grey: Integer[ndarray, " rank"]
    counts: Integer[ndarray, " rank"]


def discretise(values: Float[ndarray, " voxel"], binning: Binning) -> Levels:
    """Grey levels of ``values``: bins of fixed width whose edges are multiples of it, or a fixed number of bins.

    NaN falls into a bin of its own above all others, as ``numpy.digitize`` has it.

    Raises:
        FeatureError: infinite values, or too many grey levels.
    """
    return ranked(values, edges(values, binning))


def ranked(values: Float[ndarray, " voxel"], edges: Float[ndarray, " edge"]) -> Levels:
    """Levels by half-open bins [edge, next edge), of which only those that occur are kept."""
    _refuse_too_many(len(edges), MOST_BINS)
    level = np.empty(len(values), np.uint16)
    counts = np.zeros(len(edges) + 1, np.int64)
    _digitise(values, np.asarray(edges, np.float64), level, counts)
    grey = np.flatnonzero(counts)
    _refuse_too_many(len(grey), MOST_LEVELS)
    if len(grey) == grey[-1]:
        return Levels(level, level, grey, counts[grey])
    rank = np.zeros(len(counts), np.uint16)
    rank[grey] = np.arange(1, len(grey) + 1)
    return Levels(rank[level], level, grey, counts[grey])


def edges(values: Float[ndarray, " voxel"], binning: Binning) -> Float[ndarray, " edge"]:
    """Bin edges in the arithmetic (and precision) of PyRadiomics 3.0.1, ``imageoperations.getBinEdges``.

    >>> edges(np.array([54.0, 166.0]), Binning(25.0, None)).tolist()
    [50.0, 75.0, 100.0, 125.0, 150.0, 175.0, 200.0]
    """
    if binning.bin_count is not None:
        found = np.histogram_bin_edges(values, binning.bin_count)
        found[-1] += 1  # the largest value belongs to the last bin
        return found.astype(np.float64)
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    if not (np.isfinite(low) and np.isfinite(high)) or np.isnan(values[0]):
        remedy = "look for constant or empty parts of the image, or leave this image type out of radiomics.images"
        raise FeatureError(Fault("grey values that are not finite", "finite ones", remedy))
    _refuse_too_many((float(high) - float(low)) / binning.bin_width, MOST_BINS)
    found = np.arange(low - low % binning.bin_width, high + 2 * binning.bin_width, binning.bin_width)
    return found.astype(np.float64) if len(found) > 1 else np.array([found[0] - 0.5, found[0] + 0.5])


def _refuse_too_many(levels: float | int, most: int) -> None:
    if levels > most:
        remedy = "widen radiomics.bin_width, set radiomics.bin_count, or normalise the image"
        raise FeatureError(Fault(f"{levels:.0f} grey levels", f"{most} at most", remedy))


@no_type_check
@njit(cache=True, nogil=True)
def _digitise(values, edges, level, counts):
    """Fill ``level`` with the number of edges at or below each value, and ``counts`` with how often each occurs."""
    first, last = edges[0], edges.size
    scale = (last - 1) / (edges[last - 1] - first) if last > 1 else 0.0
    for n in range(values.size):
        value = np.float64(values[n])
        if np.isnan(value):
            k = last
        else:
            k = min(max(int((value - first) * scale), 0), last - 1)  # a guess, mended by the edges themselves
            while k < last and edges[k] <= value:
                k += 1
            while k > 0 and edges[k - 1] > value:
                k -= 1
        level[n] = max(k, 1)  # float32 edges can round above the smallest value
        counts[max(k, 1)] += 1
