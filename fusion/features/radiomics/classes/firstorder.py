"""First-order features: PyRadiomics' 18 statistics of the grey values in a region."""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from fusion.config.names import FEATURES
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics.classes.quantile import percentiles

NAMES = FEATURES["firstorder"]
BLOCK = 512
"""Values added up before they join a total: keeps the rounding of a sum of a million values that of a few thousand."""


def firstorder(
    values: Float[np.ndarray, " voxel"], counts: Integer[np.ndarray, " level"], voxel_volume_mm3: float, shift: float
) -> Float[np.ndarray, "18"]:
    """The values of ``NAMES``, in that order; NaN voxels are left out, as in PyRadiomics.

    Args:
        values: grey values of the region.
        counts: voxels of each grey level that occurs after binning.
        voxel_volume_mm3: volume of a voxel, for TotalEnergy.
        shift: added to each value in Energy, TotalEnergy and RootMeanSquared (voxelArrayShift).

    Raises:
        FeatureError: no value is a number.
    """
    numbers = _numbers(values)
    n, mean = len(numbers), _mean(numbers)
    lowest, highest = float(numbers.min()), float(numbers.max())
    p10, p25, median, p75, p90 = percentiles(numbers, lowest, highest, (10, 25, 50, 75, 90))
    deviation, second, third, fourth, energy = _sums(numbers, mean, shift)
    variance = second / n
    skewness, kurtosis = (third / n / variance**1.5, fourth / n / variance**2) if variance else (0.0, 0.0)
    uniformity, entropy = _histogram(counts)
    return np.array([
        p10, p90, energy, entropy, p75 - p25, kurtosis, highest, mean,
        deviation / n, median, lowest, highest - lowest, _robust_deviation(numbers, p10, p90), np.sqrt(energy / n),
        skewness, energy * voxel_volume_mm3, uniformity, variance,
    ])  # fmt: skip


def standard_deviation(values: Float[np.ndarray, " voxel"]) -> float:
    """Square root of Variance; PyRadiomics computes it only when a parameter file names it."""
    return float(np.std(_numbers(values)))


def _numbers(values: Float[np.ndarray, " voxel"]) -> Float[np.ndarray, " number"]:
    numbers = values.astype(np.float64)
    if np.isnan(numbers.sum()):
        numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        raise FeatureError(Fault("no voxel with a number", "at least one", "check the region and NaN in the image"))
    return numbers


def _mean(numbers: Float[np.ndarray, " voxel"]) -> float:
    """Numpy's own pairwise sum: in a flat region the mean's last bit decides the higher moments of PyRadiomics."""
    return float(numbers.sum()) / len(numbers)


def _histogram(counts: Integer[np.ndarray, " level"]) -> tuple[float, float]:
    share = counts / counts.sum()
    return float((share**2).sum()), float(-(share * np.log2(share + np.spacing(1.0))).sum())


def _robust_deviation(numbers: Float[np.ndarray, " voxel"], p10: float, p90: float) -> float:
    """Mean absolute deviation of the values from the 10th to the 90th percentile; NaN where none is, as with two."""
    kept = np.empty(len(numbers))
    n_kept = _keep(numbers, p10, p90, kept)
    if not n_kept:
        return np.nan
    return _deviation(numbers, p10, p90, float(kept.sum()) / n_kept) / n_kept


@no_type_check
@njit(cache=True, nogil=True)
def _sums(values, mean, shift):
    """Sums of |d|, d^2, d^3, d^4 with d the distance from the mean, and of (value + shift)^2."""
    deviation = second = third = fourth = energy = 0.0
    for begin in range(0, len(values), BLOCK):
        s1 = s2 = s3 = s4 = e = 0.0
        for value in values[begin : begin + BLOCK]:
            d = value - mean
            square = d * d
            s1 += abs(d)
            s2 += square
            s3 += square * d
            s4 += square * square
            e += (value + shift) * (value + shift)
        deviation += s1
        second += s2
        third += s3
        fourth += s4
        energy += e
    return deviation, second, third, fourth, energy


@no_type_check
@njit(cache=True, nogil=True)
def _keep(values, low, high, kept):
    """Copy the values in range in place, zero elsewhere, so that numpy adds them as PyRadiomics does."""
    n_kept = 0
    for index, value in enumerate(values):
        inside = (value >= low) & (value <= high)  # no branch: a fifth of the values would be mispredicted
        kept[index] = value if inside else 0.0
        n_kept += inside
    return n_kept


@no_type_check
@njit(cache=True, nogil=True)
def _deviation(values, low, high, mean):
    total = 0.0
    for begin in range(0, len(values), BLOCK):
        block = 0.0
        for value in values[begin : begin + BLOCK]:
            block += abs(value - mean) if (value >= low) & (value <= high) else 0.0
        total += block
    return total
