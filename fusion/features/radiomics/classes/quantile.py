"""Order statistics of many values without sorting them: buckets first, then only those that hold a wanted rank."""

from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit

BUCKETS = 1024
SORTED = 64
"""So few values are sorted."""


def percentiles(
    values: Float[np.ndarray, " voxel"], lowest: float, highest: float, percents: tuple[int, ...]
) -> list[float]:
    """Percentiles with linear interpolation, to the bit those of ``numpy.percentile`` (Hyndman & Fan 1996, type 7).

    Args:
        values: finite numbers, at least one.
        lowest: their minimum.
        highest: their maximum.
        percents: from 0 to 100.
    """
    if lowest == highest:
        return [lowest] * len(percents)
    if not highest - lowest < np.inf:
        return [float(value) for value in np.percentile(values, percents)]
    places = [(len(values) - 1) * (percent / 100) for percent in percents]
    ranks = np.array(sorted({min(int(place) + more, len(values) - 1) for place in places for more in (0, 1)}))
    found = np.empty(len(ranks))
    _find(values, lowest, highest, ranks, 0, found)
    at = dict(zip(ranks.tolist(), found.tolist(), strict=True))
    return [_between(at[int(place)], at[min(int(place) + 1, len(values) - 1)], place % 1) for place in places]


def _between(low: float, high: float, share: float) -> float:
    """From the nearer end, as numpy does, so that a value equal to a percentile compares equal."""
    return low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share)


@no_type_check
@njit(cache=True, nogil=True)
def _find(values, lowest, highest, ranks, passed, found):
    """Write the values that a sort would put at ``ranks``, which ascend, after ``passed`` lower ones.

    The lowest and the highest value fall into different buckets, so every round leaves fewer values.
    """
    if len(values) <= SORTED or lowest == highest:
        ascending = _sorted(values) if lowest < highest else values
        for index, rank in enumerate(ranks):
            found[index] = ascending[rank - passed]
        return
    spread = highest - lowest
    filled = np.zeros(BUCKETS + 1, np.int64)
    for value in values:
        filled[np.int64((value - lowest) / spread * BUCKETS)] += 1
    wanted, before = _wanted(filled, ranks, passed)
    held = _held(values, lowest, spread, filled, wanted)
    first = begin = 0
    while first < len(ranks):
        last = first + 1
        while last < len(ranks) and wanted[last] == wanted[first]:
            last += 1
        end = begin + filled[wanted[first]]
        inside = held[begin:end]
        low, high = _extremes(inside)
        _find(inside, low, high, ranks[first:last], before[first], found[first:last])
        first, begin = last, end


@no_type_check
@njit(cache=True, nogil=True)
def _wanted(filled, ranks, passed):
    """The bucket that holds each rank, and how many values lie before that bucket."""
    wanted, before = np.empty(len(ranks), np.int64), np.empty(len(ranks), np.int64)
    bucket = 0
    for index, rank in enumerate(ranks):
        while passed + filled[bucket] <= rank:
            passed += filled[bucket]
            bucket += 1
        wanted[index], before[index] = bucket, passed
    return wanted, before


@no_type_check
@njit(cache=True, nogil=True)
def _held(values, lowest, spread, filled, wanted):
    """The values of the wanted buckets, bucket by bucket."""
    places = np.full(len(filled), -1, np.int64)
    size = 0
    for bucket in wanted:
        if places[bucket] < 0:
            places[bucket] = size
            size += filled[bucket]
    held = np.empty(size, np.float64)
    for value in values:
        bucket = np.int64((value - lowest) / spread * BUCKETS)
        if places[bucket] >= 0:
            held[places[bucket]] = value
            places[bucket] += 1
    return held


@no_type_check
@njit(cache=True, nogil=True)
def _sorted(values):
    """By insertion: numba takes seconds to compile numpy's sort."""
    ascending = values.copy()
    for end in range(1, len(ascending)):
        value = ascending[end]
        place = end
        while place > 0 and ascending[place - 1] > value:
            ascending[place] = ascending[place - 1]
            place -= 1
        ascending[place] = value
    return ascending


@no_type_check
@njit(cache=True, nogil=True)
def _extremes(values):
    low = high = values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
    return low, high
