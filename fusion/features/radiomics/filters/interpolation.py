"""Cubic B-spline interpolation at constant offsets from many voxels, and at one voxel in scipy's order of sums.

The weights are those of Unser, Aldroubi & Eden 1991, doi:10.1109/34.75515. The image comes as spline coefficients,
padded by its mirror image.
"""

from typing import no_type_check

import numpy as np
from numba import njit


@no_type_check
@njit(cache=True, nogil=True)
def mix_planes(padded, z, taps, begin, end, planes):
    """Interpolate along z: one plane for each offset, of which the voxels ``begin`` to ``end`` are made."""
    first, weights = taps
    for k in range(len(first)):
        i = z + first[k]
        a, b = padded[i].reshape(-1)[begin:end], padded[i + 1].reshape(-1)[begin:end]
        c, d = padded[i + 2].reshape(-1)[begin:end], padded[i + 3].reshape(-1)[begin:end]
        _mix(a, b, c, d, weights[k], planes[k, begin:end])


@no_type_check
@njit(cache=True, nogil=True)
def mix_rows(planes, begin, length, stride, pair_z, taps, rows):
    """Interpolate along y, whose neighbours are ``stride`` apart: one row for each pair of offsets along z and y."""
    first, weights = taps
    for k in range(len(first)):
        a = planes[pair_z[k]][begin + first[k] * stride :]
        _mix(a, a[stride:], a[2 * stride :], a[3 * stride :], weights[k], rows[k, :length])


@no_type_check
@njit(cache=True, nogil=True)
def sample(rows, length, margin, pair, taps, samples):
    """Interpolate along x: one row for each vertex; the rows it is made from begin ``margin`` voxels before."""
    first, weights = taps
    for v in range(len(pair)):
        a = rows[pair[v]][margin + first[v] :]
        _mix(a, a[1:], a[2:], a[3:], weights[v], samples[v, :length])


@no_type_check
@njit(cache=True, nogil=True)
def _mix(a, b, c, d, weights, mixed):
    w0, w1, w2, w3 = weights
    for i in range(len(mixed)):
        mixed[i] = a[i] * w0 + b[i] * w1 + c[i] * w2 + d[i] * w3


@no_type_check
@njit(cache=True, nogil=True)
def sample_voxel(padded, margin, z, y, x, vertices, samples):
    """All samples of one voxel in scipy's order: every coefficient times its three weights, x fastest; 0 outside."""
    depth, height, width = padded.shape[0] - 2 * margin, padded.shape[1] - 2 * margin, padded.shape[2] - 2 * margin
    wz, wy, wx = np.empty(4), np.empty(4), np.empty(4)
    for v in range(len(vertices)):
        at_z, at_y, at_x = z + vertices[v, 0], y + vertices[v, 1], x + vertices[v, 2]
        total = 0.0
        if 0 <= at_z <= depth - 1 and 0 <= at_y <= height - 1 and 0 <= at_x <= width - 1:
            first_z, first_y, first_x = _weigh(at_z, wz), _weigh(at_y, wy), _weigh(at_x, wx) + margin
            for i in range(4):
                for j in range(4):
                    row = padded[first_z + margin + i, first_y + margin + j]
                    for k in range(4):
                        total += row[first_x + k] * wz[i] * wy[j] * wx[k]
        samples[v] = total


@no_type_check
@njit(cache=True, nogil=True)
def taps_of(offsets):
    """First voxel and the weights of four for each offset."""
    first, weights = np.empty(len(offsets), np.int64), np.empty((len(offsets), 4))
    for k in range(len(offsets)):
        first[k] = _weigh(offsets[k], weights[k])
    return first, weights


@no_type_check
@njit(cache=True, nogil=True)
def _weigh(at, weights):
    """Cubic B-spline weights of the four voxels around a point; returns the first of them."""
    below = np.floor(at)
    y = at - below
    z = 1.0 - y
    weights[0] = z * z * z / 6.0
    weights[1] = (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0
    weights[2] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0
    weights[3] = 1.0 - weights[0] - weights[1] - weights[2]
    return int(below) - 1
