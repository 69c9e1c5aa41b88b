"""Stationary wavelet transform, one band for each choice of low or high pass along x, y and z.

The periodic convolution and the order of its sums are PyWavelets' (Lee et al. 2019, doi:10.21105/joss.01237), in the
image's own precision, so that one level is equal to the last bit.
"""

import functools
import math
from collections.abc import Iterator
from typing import Any, no_type_check

import numpy as np
import pywt
from jaxtyping import Float
from numba import njit
from numpy import ndarray

from fusion.features.radiomics.filters.laplacian import bounding_box
from fusion.types import Mask, Volume

CHUNK = 1024
"""Voxels of a row that are filtered at once, so that its sums stay in the first-level cache."""


def wavelet(
    image: Volume,
    where: Mask,
    *,
    name: str = "coif1",
    start_level: int = 0,
    level: int = 1,
    force2d_dimension: int | None = None,
) -> dict[str, Float[ndarray, " voxel"]]:
    """Values at ``image[where]`` of every band, under PyRadiomics' names: details level by level, approximation last.

    Args:
        image: grey values, axes (z, y, x).
        where: True where values are wanted.
        name: a wavelet of PyWavelets.
        start_level: levels that are passed over before the first that is kept.
        level: number of levels kept; the second is named "wavelet2-...".
        force2d_dimension: axis that is not transformed; None transforms all three.

    The letters are the passes along x, y, z in that order: "LLH" is high along z.
    """
    axes = tuple(axis for axis in (2, 1, 0) if axis != force2d_dimension)
    even = np.pad(image, [(0, size % 2 if axis in axes else 0) for axis, size in enumerate(image.shape)], "wrap")
    taps = pywt.Wavelet(name)
    if level == 1 and start_level == 0 and min(even.shape) >= taps.dec_len:
        return _one_level(even, where, axes, taps)
    return _levels(even, where, axes, taps, start_level, level)


def _levels(
    even: ndarray, where: Mask, axes: tuple[int, ...], taps: Any, start_level: int, level: int
) -> dict[str, Float[ndarray, " voxel"]]:
    """Any number of levels, by PyWavelets; each level starts from the approximation before it."""
    inside = tuple(slice(size) for size in where.shape)
    approximation, values = "a" * len(axes), {}
    for step in range(start_level + level):
        bands = pywt.swtn(even, taps, level=1, axes=axes)[0]
        even = bands[approximation]
        for letters, band in bands.items():
            if step >= start_level and letters != approximation:
                values[_name(letters, step - start_level + 1)] = band[inside][where]
    return values | {_name(approximation, level): even[inside][where]}


def _name(letters: str, level: int) -> str:
    """PyRadiomics' name of a band.

    >>> _name("aad", 1), _name("add", 2)
    ('wavelet-LLH', 'wavelet2-LHH')
    """
    return f"wavelet{level if level > 1 else ''}-{letters.replace('a', 'L').replace('d', 'H')}"


def _one_level(even: ndarray, where: Mask, axes: tuple[int, ...], taps: Any) -> dict[str, Float[ndarray, " voxel"]]:
    """All bands of the first level; each pass keeps only what the region's box needs."""
    box = bounding_box(where)
    inside = np.flatnonzero(where[tuple(box[axis] if axis in axes else slice(None) for axis in range(3))])
    even = np.ascontiguousarray(even, np.float32 if even.dtype == np.float32 else np.float64)
    passes = _passes(even, box, axes, _taps(taps.name, even.dtype.char))
    values = {_name(letters, 1): band.reshape(-1)[inside] for letters, band in passes}
    approximation = _name("a" * len(axes), 1)
    return {name: values[name] for name in values if name != approximation} | {approximation: values[approximation]}


def _passes(
    band: ndarray, box: tuple[slice, ...], axes: tuple[int, ...], taps: tuple[ndarray, ndarray], letters: str = ""
) -> Iterator[tuple[str, ndarray]]:
    """Every band with its letters; one after the other, so that few volumes exist at a time."""
    if not axes:
        yield letters, band
        return
    smooth, detail = _along(band, axes[0], box[axes[0]], *taps)
    yield from _passes(smooth, box, axes[1:], taps, letters + "a")
    yield from _passes(detail, box, axes[1:], taps, letters + "d")


@functools.lru_cache(maxsize=16)
def _taps(name: str, dtype: str) -> tuple[ndarray, ndarray]:
    """Low and high pass of a wavelet in PyWavelets' own rounding, read off its response to one bright voxel."""
    length = pywt.Wavelet(name).dec_len
    voxel = np.zeros(2 * length, dtype)
    voxel[length // 2] = 1
    low, high = pywt.swt(voxel, name, level=1)[0]
    return low[:length].copy(), high[:length].copy()


def _along(band: ndarray, axis: int, keep: slice, low: ndarray, high: ndarray) -> tuple[ndarray, ndarray]:
    """Low and high pass along one axis, of which only the planes ``keep`` are returned."""
    shape = list(band.shape)
    size, shape[axis] = shape[axis], keep.stop - keep.start
    smooth, detail = np.empty(shape, band.dtype), np.empty(shape, band.dtype)
    tap, source = _sums(size, len(low), keep.start, keep.stop)
    inner = math.prod(band.shape[axis + 1 :])
    flat = band.reshape(-1), size, keep.start, tap, source, low, high, smooth.reshape(-1), detail.reshape(-1)
    if inner == 1:
        _filter_lines(*flat)
    else:
        _filter_rows(inner, *flat)
    return smooth, detail


@functools.lru_cache(maxsize=64)
def _sums(size: int, length: int, first: int, last: int) -> tuple[ndarray, ndarray]:
    """Which tap meets which voxel of a periodic line, in the order of PyWavelets' sum, for each output kept.

    The sum goes through the taps from the first to the last; only those that reach beyond the line's end come before
    all others and from the last to the first.
    """
    at = np.arange(first, last)[:, None] + length // 2
    tap = np.broadcast_to(np.arange(length), (len(at), length))
    beyond = at - size
    tap = np.where(tap <= beyond, beyond - tap, tap)
    return tap, (at - tap) % size


@no_type_check
@njit(cache=True, nogil=True)
def _filter_rows(inner, band, size, first, tap, source, low, high, smooth, detail):
    """Both passes along an axis whose neighbours are ``inner`` apart."""
    kept = len(tap)
    for outer in range(band.size // (size * inner)):
        for begin in range(0, inner, CHUNK):
            width = min(CHUNK, inner - begin)
            for i in range(kept):
                row = (outer * kept + i) * inner + begin
                smooth[row : row + width] = 0
                detail[row : row + width] = 0
                for k in range(tap.shape[1]):
                    voxels = band[(outer * size + source[i, k]) * inner + begin :]
                    _add(voxels, low[tap[i, k]], high[tap[i, k]], smooth[row : row + width], detail[row : row + width])


@no_type_check
@njit(cache=True, nogil=True)
def _filter_lines(band, size, first, tap, source, low, high, smooth, detail):
    """Both passes along the contiguous axis: as rows where no tap leaves the line, one by one near its ends."""
    kept, length = tap.shape
    begin = min(max(length - 1 - length // 2 - first, 0), kept)
    end = max(min(size - length // 2 - first, kept), begin)
    for line in range(band.size // size):
        voxels = band[line * size : (line + 1) * size]
        s, d = smooth[line * kept : (line + 1) * kept], detail[line * kept : (line + 1) * kept]
        s[:], d[:] = 0, 0
        for k in range(length):
            _add(voxels[first + begin + length // 2 - k :], low[k], high[k], s[begin:end], d[begin:end])
            for i in range(begin):
                s[i] += low[tap[i, k]] * voxels[source[i, k]]
                d[i] += high[tap[i, k]] * voxels[source[i, k]]
            for i in range(end, kept):
                s[i] += low[tap[i, k]] * voxels[source[i, k]]
                d[i] += high[tap[i, k]] * voxels[source[i, k]]


@no_type_check
@njit(cache=True, nogil=True)
def _add(voxels, low, high, smooth, detail):
    for i in range(len(smooth)):
        smooth[i] += low * voxels[i]
        detail[i] += high * voxels[i]
