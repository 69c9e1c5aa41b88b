"""Kurtosis over the rows of a table, equal to ``scipy.stats.kurtosis`` to the last bit.

Sums run in the table's own precision and in numpy's pairwise order (Higham 1993, doi:10.1137/0914050), because in
float32 that order shows.
"""

from typing import no_type_check

import numpy as np
from numba import njit


def additions(first: int, count: int) -> list[tuple[int, int]]:
    """Numpy's pairwise sum of ``count`` terms: rows (first, count) of a block to add up, (0, 0) to add two results."""
    if count <= 128:
        return [(first, count)]
    half = count // 2 - count // 2 % 8
    return [*additions(first, half), *additions(first + half, count - half), (0, 0)]


@no_type_check
@njit(cache=True, nogil=True, error_model="numpy")
def kurtosis_of(samples, low, high, order, powers, work):
    """Kurtosis over the rows, written to ``work[0]``, and variance, to ``work[2]``."""
    count = samples.dtype.type(len(samples))
    lanes, stack = work[3:11], work[11:]
    excess, mean, variance = work[0, low:high], work[1, low:high], work[2, low:high]
    _sum(samples, low, high, order, lanes, stack)
    for x in range(high - low):
        mean[x] = stack[0, low + x] / count
    for v in range(len(samples)):
        row, power = samples[v, low:high], powers[v, low:high]
        for x in range(high - low):
            power[x] = (row[x] - mean[x]) * (row[x] - mean[x])
    _sum(powers, low, high, order, lanes, stack)
    for x in range(high - low):
        variance[x] = stack[0, low + x] / count
    for v in range(len(samples)):
        power = powers[v, low:high]
        for x in range(high - low):
            power[x] = power[x] * power[x]
    _sum(powers, low, high, order, lanes, stack)
    finest = np.finfo(samples.dtype).eps
    for x in range(high - low):
        if variance[x] <= (finest * mean[x]) * (finest * mean[x]):
            excess[x] = np.nan
        else:
            excess[x] = stack[0, low + x] / count / (variance[x] * variance[x]) - samples.dtype.type(3)


@no_type_check
@njit(cache=True, nogil=True)
def _sum(rows, low, high, order, lanes, stack):
    """Numpy's pairwise sum over the rows, written to ``stack[0]``."""
    top = 0
    for a in range(len(order)):
        first, count = order[a]
        if count:
            _add_block(rows[first : first + count], low, high, lanes, stack[top, low:high])
            top += 1
        else:
            top -= 1
            stack[top - 1, low:high] += stack[top, low:high]


@no_type_check
@njit(cache=True, nogil=True)
def _add_block(rows, low, high, lanes, total):
    """Rows in eight interleaved sums, these in pairs, then the rows left over."""
    whole = len(rows) // 8 * 8
    total[:] = 0
    if whole:
        for k in range(8):
            lanes[k, low:high] = rows[k, low:high]
        for i in range(8, whole):
            _increase(lanes[i % 8, low:high], rows[i, low:high])
        for step in (1, 2, 4):
            for k in range(0, 8, 2 * step):
                _increase(lanes[k, low:high], lanes[k + step, low:high])
        total[:] = lanes[0, low:high]
    for i in range(whole, len(rows)):
        _increase(total, rows[i, low:high])


@no_type_check
@njit(cache=True, nogil=True)
def _increase(total, row):
    for x in range(len(total)):
        total[x] += row[x]
