"""Laplacian of Gaussian by recursive filters along each axis, equal to ITK's to the last bit.

ITK's image is float32 between passes and double within one; each of the three second derivatives along one axis is
smoothed along the other two, x before y before z, and they are added up in that order.
"""

import math
from collections.abc import Sequence
from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit
from numpy import ndarray

from fusion.features.radiomics.filters.deriche import Recursion, second_derivative, smoothing
from fusion.types import Mask, Spacing, Volume

LINES = 32
"""Lines filtered side by side: wide enough for SIMD, narrow enough for the first-level cache."""
SMALLEST = 4
"""Voxels that the recursion needs along each axis."""


def laplacians(
    image: Volume, where: Mask, spacing_mm: Spacing, sigmas_mm: Sequence[float]
) -> list[Float[ndarray, " voxel"]]:
    """Scale-normalised Laplacian of Gaussian at ``image[where]`` for each sigma, as float32.

    Args:
        image: grey values, axes (z, y, x); at least 4 voxels along each, see ``fits``.
        where: True where values are wanted.
        spacing_mm: voxel size along (z, y, x), in millimetres.
        sigmas_mm: widths of the Gaussian, in millimetres.
    """
    image = np.ascontiguousarray(image)
    box = bounding_box(where)
    inside = np.flatnonzero(where[box])
    scratch = np.empty((2, image.size), np.float32)  # once for all passes: fresh memory costs as much as a pass
    return [_laplacian(image, box, inside, spacing_mm, sigma_mm, scratch) for sigma_mm in sigmas_mm]


def fits(shape: tuple[int, int, int], spacing_mm: Spacing, sigma_mm: float) -> bool:
    """Whether a crop of this shape is large enough; PyRadiomics leaves the image out of one that is not.

    >>> fits((30, 30, 4), (1.0, 1.0, 1.0), 3.0), fits((30, 30, 3), (1.0, 1.0, 1.0), 1.0)
    (True, False)
    """
    enough = (size >= math.ceil(sigma_mm / mm) + 1 for size, mm in zip(shape, spacing_mm, strict=True))
    return min(shape) >= SMALLEST and all(enough)


def bounding_box(where: Mask) -> tuple[slice, slice, slice]:
    """The smallest box, along (z, y, x), that holds every True voxel."""
    along = (where.any(axis=others) for others in ((1, 2), (0, 2), (0, 1)))
    z, y, x = (slice(int(used[0]), int(used[-1]) + 1) for used in map(np.flatnonzero, along))
    return z, y, x


def _laplacian(
    image: Volume, box: tuple[slice, ...], inside: ndarray, spacing_mm: Spacing, sigma_mm: float, scratch: ndarray
) -> Float[ndarray, " voxel"]:
    gaussian = [smoothing(sigma_mm, mm) for mm in spacing_mm]
    total = np.zeros(len(inside), np.float32)
    for axis, mm in zip((2, 1, 0), spacing_mm[::-1], strict=True):
        first, last = (other for other in (2, 1, 0) if other != axis)
        values = _along(image, axis, box[axis], second_derivative(sigma_mm, mm), scratch[0])
        values = _along(values, first, box[first], gaussian[first], scratch[1])
        values = _along(values, last, box[last], gaussian[last], scratch[0])
        total = (total + values.reshape(-1)[inside] * np.float64(1 / (mm * mm))).astype(np.float32)
    return total


def _along(image: ndarray, axis: int, keep: slice, recursion: Recursion, scratch: ndarray) -> ndarray:
    """The image filtered along one axis, of which only the planes ``keep`` are returned, in memory of ``scratch``."""
    shape = list(image.shape)
    shape[axis] = keep.stop - keep.start
    filtered = scratch[: math.prod(shape)]
    inner = math.prod(image.shape[axis + 1 :])
    _filter(image.reshape(-1), image.shape[axis], inner, keep.start, keep.stop, filtered, *recursion)
    return filtered.reshape(shape)


@no_type_check
@njit(cache=True, nogil=True)
def _filter(image, size, inner, first, last, filtered, forward, backward, feedback, forward_edge, backward_edge):
    """Filter every line of ``size`` voxels that are ``inner`` apart; keep voxels ``first`` to ``last`` of each."""
    lines = image.size // size
    source = np.empty(LINES, np.int64)
    target = np.empty(LINES, np.int64)
    values = np.empty(size * LINES)
    ahead = np.empty(size * LINES)
    back = np.empty(size * LINES)
    for start in range(0, lines, LINES):
        for w in range(LINES):
            line = min(start + w, lines - 1)  # the last block repeats the last line
            source[w] = line // inner * inner * size + line % inner
            target[w] = line // inner * inner * (last - first) + line % inner
        adjacent = start % inner + LINES <= inner
        _gather(image, source, adjacent, inner, size, values)
        _run_forward(values, ahead, size, forward, feedback, forward_edge)
        _run_backward(values, back, size, backward, feedback, backward_edge)
        _scatter(ahead, back, target, adjacent, inner, first, last, filtered)


@no_type_check
@njit(cache=True, nogil=True)
def _gather(image, source, adjacent, inner, size, values):
    for i in range(size):
        row = values[i * LINES : (i + 1) * LINES]
        if adjacent:
            begin = source[0] + i * inner
            voxels = image[begin : begin + LINES]
            for w in range(LINES):
                row[w] = voxels[w]
        else:
            voxels = image[i * inner :]
            for w in range(LINES):
                row[w] = voxels[source[w]]


@no_type_check
@njit(cache=True, nogil=True)
def _scatter(ahead, back, target, adjacent, inner, first, last, filtered):
    for i in range(first, last):
        a, b = ahead[i * LINES : (i + 1) * LINES], back[i * LINES : (i + 1) * LINES]
        if adjacent:
            begin = target[0] + (i - first) * inner
            voxels = filtered[begin : begin + LINES]
            for w in range(LINES):
                voxels[w] = a[w] + b[w]
        else:
            voxels = filtered[(i - first) * inner :]
            for w in range(LINES):
                voxels[target[w]] = a[w] + b[w]


@no_type_check
@njit(cache=True, nogil=True)
def _run_forward(x, y, size, n, d, edge):
    """Each output from this and three earlier inputs and four earlier outputs."""
    for i in range(4):
        for w in range(LINES):
            total = 0.0
            for k in range(4):
                total += (y[(i - 1 - k) * LINES + w] * d[k]) if k < i else x[w] * edge[k]
            taps = x[i * LINES + w] * n[0]
            for k in range(1, 4):
                taps += x[max(i - k, 0) * LINES + w] * n[k]
            y[i * LINES + w] = taps - total
    n0, n1, n2, n3 = n
    d1, d2, d3, d4 = d
    for i in range(4, size):
        p, q = x[(i - 3) * LINES : (i + 1) * LINES], y[(i - 4) * LINES : (i + 1) * LINES]
        for w in range(LINES):
            taps = p[w + 3 * LINES] * n0 + p[w + 2 * LINES] * n1 + p[w + LINES] * n2 + p[w] * n3
            total = q[w + 3 * LINES] * d1 + q[w + 2 * LINES] * d2 + q[w + LINES] * d3 + q[w] * d4
            q[w + 4 * LINES] = taps - total


@no_type_check
@njit(cache=True, nogil=True)
def _run_backward(x, y, size, m, d, edge):
    """Each output from four later inputs and four later outputs."""
    end = (size - 1) * LINES
    for i in range(4):
        for w in range(end, end + LINES):
            total = 0.0
            for k in range(4):
                total += (y[w - (i - 1 - k) * LINES] * d[k]) if k < i else x[w] * edge[k]
            taps = 0.0
            for k in range(4):
                taps += x[w - max(i - 1 - k, 0) * LINES] * m[k]
            y[w - i * LINES] = taps - total
    m1, m2, m3, m4 = m
    d1, d2, d3, d4 = d
    for i in range(size - 5, -1, -1):
        p, q = x[(i + 1) * LINES : (i + 5) * LINES], y[i * LINES : (i + 5) * LINES]
        for w in range(LINES):
            taps = p[w] * m1 + p[w + LINES] * m2 + p[w + 2 * LINES] * m3 + p[w + 3 * LINES] * m4
            total = q[w + LINES] * d1 + q[w + 2 * LINES] * d2 + q[w + 3 * LINES] * d3 + q[w + 4 * LINES] * d4
            q[w] = taps - total
