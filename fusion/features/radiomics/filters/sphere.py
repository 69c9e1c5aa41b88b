"""Grey values on a small sphere around each voxel: which of them reach the centre's value, and their kurtosis.

Samples are interpolated as ``scipy.ndimage.map_coordinates`` does it, with 0 outside the image. A vertex has the same
offset from every voxel, so its sample is a sum of 4 x 4 x 4 coefficients with constant weights, axis by axis; vertices
share what they have in common. Where the last digits of a sample decide (it ties with its centre, or the
surroundings are flat), and where a vertex may lie outside, it is taken again in scipy's order of sums.
"""

from typing import NamedTuple, no_type_check

import numpy as np
import scipy.ndimage
from jaxtyping import Float, UInt64
from numba import njit
from numpy import ndarray

from fusion.features.radiomics.filters.interpolation import mix_planes, mix_rows, sample, sample_voxel, taps_of
from fusion.features.radiomics.filters.kurtosis import additions, kurtosis_of
from fusion.types import Mask, Volume

ROUNDING = 2e-13
"""Rounding of a sample at most, relative to the largest coefficient."""
FLAT = 1e8
"""Spread of a neighbourhood, in roundings, below which its kurtosis feels them."""
BLOCK = 256
"""Neighbouring voxels of a slice that are sampled at once, so that the samples stay in the second-level cache."""
GAP = 64
"""Voxels outside the region that are sampled along rather than beginning a new block."""


class Plan(NamedTuple):
    """The vertices, and what they share: sums along z, then y, then x."""

    vertices: ndarray
    """Offsets along (z, y, x), in voxels."""
    z_offsets: ndarray
    pair_z: ndarray
    """For each pair of offsets along z and y: which of ``z_offsets``."""
    pair_y: ndarray
    """... and the offset along y."""
    pair: ndarray
    """For each vertex: which pair."""
    order: ndarray
    """The order in which the vertices are added up."""


def plan(vertices: Float[ndarray, "vertex 3"]) -> Plan:
    """How to sample at these offsets, given along (z, y, x) in voxels."""
    z_offsets = np.unique(vertices[:, 0])
    pairs, pair = np.unique(vertices[:, :2], axis=0, return_inverse=True)
    pair_z = np.searchsorted(z_offsets, pairs[:, 0])
    order = np.array(additions(0, len(vertices)))
    return Plan(vertices, z_offsets, pair_z, np.ascontiguousarray(pairs[:, 1]), pair.reshape(-1), order)


def surroundings(
    image: Volume, where: Mask, at: Plan
) -> tuple[UInt64[ndarray, "voxel word"], Float[ndarray, " voxel"]]:
    """For each voxel of ``where``: the vertices that reach its value, a bit each, and the kurtosis over the vertices.

    The kurtosis is that of ``scipy.stats.kurtosis``: 0 for a Gaussian, nan where all samples are equal.
    """
    coefficients = scipy.ndimage.spline_filter(image, 3, output=np.float64, mode="mirror")
    rounding = ROUNDING * max(coefficients.max(), -coefficients.min())
    small = 100 * rounding / np.finfo(image.dtype).eps  # above it, the image's precision hides the rounding
    limits = (image.dtype.type(limit) for limit in (rounding, small, (FLAT * rounding) ** 2))
    margin = int(np.ceil(np.abs(at.vertices).max())) + 2
    padded = np.pad(coefficients, margin, "reflect")
    bits = np.zeros((np.count_nonzero(where), (len(at.vertices) + 63) // 64), np.uint64)
    kurtosis = np.empty(len(bits), image.dtype)
    _surroundings(image[where], *np.nonzero(where), padded, margin, *limits, *at, bits, kurtosis)
    return bits, kurtosis


@no_type_check
@njit(cache=True, nogil=True)
def _surroundings(
    values, zs, ys, xs, padded, margin, rounding, small, flat,
    vertices, z_offsets, pair_z, pair_y, pair, order,
    bits, kurtosis,
):  # fmt: skip
    """Block by block: runs of voxels within a slice, whose rows follow each other in memory."""
    stride = padded.shape[2]
    spots = (ys + margin) * stride + xs + margin
    z_taps, y_taps, x_taps = taps_of(z_offsets), taps_of(pair_y), taps_of(vertices[:, 2])
    planes = np.empty((len(z_offsets), padded[0].size))
    rows = np.empty((len(pair_z), BLOCK + 2 * margin))
    samples = np.empty((len(vertices), BLOCK), values.dtype)
    powers = np.empty((len(vertices), BLOCK), values.dtype)
    work = np.empty((11 + len(order), BLOCK), values.dtype)
    centre = np.zeros(BLOCK, values.dtype)
    nearest = np.empty(BLOCK, values.dtype)
    words = np.empty((bits.shape[1], BLOCK), np.uint64)
    first = 0
    while first < len(values):
        last = _end_of_block(zs, spots, first)
        spot, length = spots[first], spots[last - 1] + 1 - spots[first]
        if first == 0 or zs[first] != zs[first - 1]:
            end = _end_of_slice(zs, first)
            reach = margin * (stride + 1)
            mix_planes(padded, zs[first] + margin, z_taps, spot - reach, spots[end - 1] + 1 + reach, planes)
        mix_rows(planes, spot - margin, length + 2 * margin, stride, pair_z, y_taps, rows)
        sample(rows, length, margin, pair, x_taps, samples)
        for n in range(first, last):
            centre[spots[n] - spot] = values[n]
        _compare(samples, centre, 0, length, words, nearest)
        kurtosis_of(samples, 0, length, order, powers, work)
        for n in range(first, last):
            i = spots[n] - spot
            sensitive = nearest[i] <= rounding or work[2, i] < flat
            if (sensitive and abs(values[n]) < small) or _at_border(zs[n], ys[n], xs[n], padded.shape, margin):
                sample_voxel(padded, margin, zs[n], ys[n], xs[n], vertices, samples[:, i])
                _compare(samples, centre, i, i + 1, words, nearest)
                kurtosis_of(samples, i, i + 1, order, powers, work)
            bits[n] = words[:, i]
            kurtosis[n] = work[0, i]
        first = last


@no_type_check
@njit(cache=True, nogil=True)
def _end_of_block(zs, spots, first):
    last = first + 1
    while last < len(zs) and zs[last] == zs[first] and spots[last] < spots[first] + BLOCK:
        if spots[last] - spots[last - 1] > GAP:
            break
        last += 1
    return last


@no_type_check
@njit(cache=True, nogil=True)
def _end_of_slice(zs, first):
    last = first + 1
    while last < len(zs) and zs[last] == zs[first]:
        last += 1
    return last


@no_type_check
@njit(cache=True, nogil=True)
def _at_border(z, y, x, padded_shape, margin):
    """Whether a vertex may lie outside the image."""
    near = margin - 2
    depth, height, width = padded_shape[0] - 2 * margin, padded_shape[1] - 2 * margin, padded_shape[2] - 2 * margin
    within = near <= z < depth - near and near <= y < height - near and near <= x < width - near
    return not within


@no_type_check
@njit(cache=True, nogil=True)
def _compare(samples, centre, low, high, words, nearest):
    """A bit for each sample that reaches the centre, and how near the nearest sample comes to it."""
    words[:, low:high] = 0
    nearest[low:high] = np.inf
    centre, nearest = centre[low:high], nearest[low:high]
    for v in range(len(samples)):
        row, word, bit = samples[v, low:high], words[v // 64, low:high], np.uint64(1) << np.uint64(v % 64)
        for x in range(high - low):
            word[x] |= bit if row[x] >= centre[x] else np.uint64(0)
        for x in range(high - low):
            distance = abs(row[x] - centre[x])
            nearest[x] = distance if distance < nearest[x] else nearest[x]
