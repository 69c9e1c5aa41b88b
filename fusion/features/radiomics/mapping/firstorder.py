"""The first-order features of the neighbourhood of each voxel of a region."""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Integer
from numba import njit
from numpy import ndarray

from fusion.features.radiomics.levels import discretise
from fusion.features.radiomics.mapping.windows import Neighbourhoods
from fusion.features.radiomics.matrices.layout import box
from fusion.features.radiomics.plan import Texture

NAMES = (
    "10Percentile", "90Percentile", "Energy", "Entropy", "InterquartileRange", "Kurtosis", "Maximum", "Mean",
    "MeanAbsoluteDeviation", "Median", "Minimum", "Range", "RobustMeanAbsoluteDeviation", "RootMeanSquared",
    "Skewness", "TotalEnergy", "Uniformity", "Variance", "StandardDeviation",
)  # fmt: skip
EPSILON = np.spacing(1)
"""Added to a share before its logarithm, as PyRadiomics does."""
Values = Float[ndarray, " looked"]
LANES, BLOCK = 8, 128
"""How numpy adds a row: eight sums side by side, at most so many numbers at once."""


def firstorder(own: Neighbourhoods, values: Values, texture: Texture) -> Float[ndarray, "voxel feature"]:
    """The features of ``NAMES`` round each voxel of the region, in C order.

    Args:
        own: the region and what is looked at.
        values: grey values of the voxels that count, in C order.
        texture: settings of this image.
    """
    radius, inside = own.radius, (slice(own.radius, -own.radius),) * 3
    levels = discretise(values.astype(np.float64), texture.binning)
    grey = np.full([size + 2 * radius for size in own.counts.shape], np.nan)
    rank = np.zeros(grey.shape, np.uint16)
    grey[inside][own.counts], rank[inside][own.counts] = values, levels.rank
    strides = np.array([grey.shape[1] * grey.shape[2], grey.shape[2], 1])
    centres = (np.argwhere(own.region) + radius) @ strides
    low, high = box(own.counts)
    steps = _offsets(high - low, radius, texture.force_2d_dimension if texture.force_2d else None) @ strides
    volume_mm3 = float(np.prod(own.spacing_mm))
    return _firstorders(
        grey.ravel(), rank.ravel(), centres, steps, len(levels.grey), float(texture.voxel_shift), volume_mm3
    )


def _offsets(extent: Integer[ndarray, "3"], radius: int, flat: int | None) -> Integer[ndarray, "offset 3"]:
    """The neighbourhood in PyRadiomics' order, which decides how a sum is rounded: backwards, the centre at the end."""
    reach = [0 if axis == flat else min(radius, int(size) - 1) for axis, size in enumerate(extent)]
    grid = np.stack(np.meshgrid(*(np.arange(r, -r - 1, -1) for r in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    return np.concatenate([grid[grid.any(axis=1)], np.zeros((1, 3), np.int64)])


@no_type_check
@njit(cache=True, nogil=True, error_model="numpy")
def _firstorders(grey, rank, centres, steps, levels, shift, volume):
    out, x, row = np.empty((len(centres), 19)), np.empty(steps.size), np.empty(steps.size)
    ascending, counts, seen = np.empty(steps.size), np.zeros(levels + 1, np.int64), np.zeros(steps.size, np.int64)
    for v in range(len(centres)):
        n = 0
        for k in range(steps.size):
            x[k] = grey[centres[v] + steps[k]]
            seen[k] = rank[centres[v] + steps[k]]
            counts[seen[k]] += 1
            if not np.isnan(x[k]):
                n += _insert(ascending, n, x[k])
        mean = _total(x, row, 1, 0.0) / n
        second, third, fourth = _total(x, row, 2, mean) / n, _total(x, row, 3, mean) / n, _total(x, row, 4, mean) / n
        energy = _total(x, row, 2, -shift)
        safe = second if second != 0 else 1.0
        p10, p25, median, p75, p90 = [_percentile(ascending[:n], share) for share in (0.1, 0.25, 0.5, 0.75, 0.9)]
        entropy, uniformity = _histogram(counts, seen, n)
        low, high = ascending[0], ascending[n - 1]
        out[v] = np.array([
            p10, p90, energy, entropy, p75 - p25, fourth / safe**2, high, mean,
            _total(x, row, 0, mean) / n, median, low, high - low, _robust_deviation(ascending[:n], p10, p90),
            np.sqrt(energy / n), third / safe**1.5, energy * volume, uniformity, second, np.sqrt(second),
        ])  # fmt: skip
    return out


@no_type_check
@njit(cache=True, nogil=True)
def _insert(ascending, n, value):
    while n > 0 and ascending[n - 1] > value:
        ascending[n] = ascending[n - 1]
        n -= 1
    ascending[n] = value
    return 1


@no_type_check
@njit(cache=True, nogil=True)
def _total(x, row, power, centre):
    """Sum of the values, or for another power than 1 of that power of their distance from ``centre`` (0: its size)."""
    for k in range(x.size):
        d = x[k] - centre
        if np.isnan(d):
            row[k] = 0.0
        elif power == 0:
            row[k] = abs(d)
        elif power == 1:
            row[k] = d
        elif power == 2:
            row[k] = d * d
        else:
            row[k] = d * d * d if power == 3 else d * d * d * d
    return _pairwise(row)


@no_type_check
@njit(cache=True, nogil=True)
def _pairwise(row):
    """Numpy's sum to the last bit: the mean of a flat neighbourhood decides its higher moments."""
    n = row.size
    if n > BLOCK:
        half = n // 2 - n // 2 % LANES
        return _pairwise(row[:half]) + _pairwise(row[half:])
    total = 0.0
    if n < LANES:
        for value in row:
            total += value
        return total
    lane = row[:LANES].copy()
    whole = n - n % LANES
    for k in range(LANES, whole):
        lane[k % LANES] += row[k]
    total = ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]))
    for k in range(whole, n):
        total += row[k]
    return total


@no_type_check
@njit(cache=True, nogil=True)
def _percentile(ascending, share):
    """Linear between two values, from the nearer one, as numpy does: a value equal to a percentile compares equal."""
    at = (ascending.size - 1) * share
    k = int(at)
    low, high, part = ascending[k], ascending[min(k + 1, ascending.size - 1)], at - k
    return low + (high - low) * part if part < 0.5 else high - (high - low) * (1 - part)


@no_type_check
@njit(cache=True, nogil=True)
def _robust_deviation(ascending, p10, p90):
    """Mean absolute deviation of the values from the 10th to the 90th percentile; NaN where there is none."""
    total, n, deviation = 0.0, 0, 0.0
    for value in ascending:
        if p10 <= value <= p90:
            total += value
            n += 1
    if n == 0:
        return np.nan
    for value in ascending:
        if p10 <= value <= p90:
            deviation += abs(value - total / n)
    return deviation / n


@no_type_check
@njit(cache=True, nogil=True)
def _histogram(counts, seen, n):
    """Entropy and uniformity; leaves ``counts`` empty."""
    counts[0] = 0
    entropy, uniformity = 0.0, 0.0
    for rank in seen:
        if counts[rank] > 0:
            share = counts[rank] / n
            entropy -= share * np.log2(share + EPSILON)
            uniformity += share * share
            counts[rank] = 0
    return entropy, uniformity
