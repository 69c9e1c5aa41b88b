"""Cubic B-spline interpolation on a grid parallel to the image's, axis by axis, equal to ITK's."""

import math
from collections.abc import Sequence
from typing import no_type_check

import numpy as np
from jaxtyping import Float, Int, Num
from numba import njit
from numpy import ndarray

MARGIN = 22
"""Voxels read beyond the support: a cut that far away moves a value by 0.268 ** 22 = 3e-13 of the grey range."""
POLE = math.sqrt(3.0) - 2.0
"""Of the filter that turns grey values into cubic B-spline coefficients: Unser 1999, doi:10.1109/79.799930."""
HORIZON = math.ceil(math.log(1e-10) / math.log(-POLE))
"""Terms after which ITK ends the sum that starts the filter at a border (its tolerance is 1e-10)."""
WIDTH = 16
"""Lines filtered side by side: whole vector registers, and a block that stays in the first-level cache."""

Positions = Sequence[Float[ndarray, " _"]]
"""Where to read, along (z, y, x), in voxels of the image: 0 is the centre of its first voxel."""


def support(positions: Positions, shape: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """The part of an image of ``shape`` that decides its values at ``positions``.

    >>> support([np.array([40.0, 41.5]), np.zeros(1), np.zeros(1)], (100, 1, 1))
    (slice(17, 66, None), slice(0, 1, None), slice(0, 1, None))
    """
    z, y, x = (
        slice(max(int(at.min()) - 1 - MARGIN, 0), min(int(at.max()) + 3 + MARGIN, size))
        for at, size in zip(positions, shape, strict=True)
    )
    return z, y, x


def resample(values: Num[ndarray, "z y x"], positions: Positions) -> Float[ndarray, "Z Y X"]:
    """The cubic B-spline through ``values``, mirrored at their borders, read at every crossing of ``positions``.

    Where ``values`` are a part of an image, it is the part that ``support`` names, and positions count from its corner.
    The axes are filtered and read one after the other, in float64. An image of two slices is mirrored like any other
    (ITK 5.4 reads outside its memory beyond the second slice).

    Args:
        values: grey values, without NaN.
        positions: along (z, y, x); within half a voxel of the image.

    Returns:
        Values of the same floating-point type as ``values``, float32 where they are integers.
    """
    kind = values.dtype if values.dtype.kind == "f" else np.dtype(np.float32)
    lines = values
    for at in reversed(positions):  # x, y, z: each pass reads the last axis and puts it first
        index, weights = _taps(at, lines.shape[-1])
        read = np.empty((len(at), *lines.shape[:-1]))
        _read_lines(lines, index, weights, read.reshape(len(at), -1))
        lines = read
    return lines.astype(kind, copy=False)


def _taps(at: Float[ndarray, " n"], size: int) -> tuple[Int[ndarray, "n 4"], Float[ndarray, "n 4"]]:
    """The four coefficients that each position reads, and their weights (Unser 1999, box 1)."""
    floor = np.floor(at).astype(np.int64)
    t = at - floor
    last = t**3 / 6
    first = 1 / 6 + t * (t - 1) / 2 - last
    third = t + first - 2 * last
    weights = np.stack([first, 1 - first - third - last, third, last], axis=1)
    index = floor[:, None] + np.arange(-1, 3)
    period = max(2 * (size - 1), 1)
    index %= period
    return np.minimum(index, period - index) if size > 1 else np.zeros_like(index), weights


@no_type_check
@njit(cache=True, nogil=True)
def _read_lines(source, index, weights, target):
    """``target[i, r]``: the spline along the last axis, through row ``r`` of ``source``, at position ``i``."""
    planes, height, size = source.shape
    rows = planes * height
    block = np.zeros((size, WIDTH))
    for start in range(0, rows, WIDTH):
        width = min(WIDTH, rows - start)
        for r in range(width):
            plane, row = divmod(start + r, height)
            for j in range(size):
                block[j, r] = source[plane, row, j]
        if size > 1:
            _filter(block)
        for i in range(len(index)):
            a, b, c, d = index[i, 0], index[i, 1], index[i, 2], index[i, 3]
            u, v, w, x = weights[i, 0], weights[i, 1], weights[i, 2], weights[i, 3]
            for r in range(width):
                target[i, start + r] = u * block[a, r] + v * block[b, r] + w * block[c, r] + x * block[d, r]


@no_type_check
@njit(cache=True, nogil=True)
def _filter(block):
    """Grey values down each column become B-spline coefficients, in place: forth, then back (Unser 1999, box 2)."""
    size = len(block)
    block *= (1.0 - POLE) * (1.0 - 1.0 / POLE)
    _begin(block)
    for n in range(1, size):
        for r in range(WIDTH):
            block[n, r] += POLE * block[n - 1, r]
    for r in range(WIDTH):
        block[size - 1, r] = POLE / (POLE * POLE - 1.0) * (POLE * block[size - 2, r] + block[size - 1, r])
    for n in range(size - 2, -1, -1):
        for r in range(WIDTH):
            block[n, r] = POLE * (block[n + 1, r] - block[n, r])


@no_type_check
@njit(cache=True, nogil=True)
def _begin(block):
    """The filter's first value: the sum over the mirrored column, cut off after ``HORIZON`` terms as in ITK."""
    size = len(block)
    forth = POLE
    if size > HORIZON:
        for n in range(1, HORIZON):
            for r in range(WIDTH):
                block[0, r] += forth * block[n, r]
            forth *= POLE
        return
    back = POLE ** (2 * size - 3)
    for r in range(WIDTH):
        block[0, r] += POLE ** (size - 1) * block[size - 1, r]
    for n in range(1, size - 1):
        for r in range(WIDTH):
            block[0, r] += (forth + back) * block[n, r]
        forth *= POLE
        back /= POLE
    for r in range(WIDTH):
        block[0, r] /= 1.0 - forth * forth
