"""Zones of connected voxels of one grey level (GLSZM; Thibault 2013, doi:10.1142/S0218001413570024)."""

from functools import cache
from typing import no_type_check

import numpy as np
from jaxtyping import Integer
from numba import njit
from numpy import ndarray

MOST = 4
"""Neighbours behind a voxel that are not next to each other, at most: the four corners of the plane before it."""


def find_zones(
    rank: Integer[ndarray, " box"],
    likeness: Integer[ndarray, " voxel"],
    start: Integer[ndarray, " row"],
    length: Integer[ndarray, " row"],
    offsets: Integer[ndarray, "angle 3"],
    steps: Integer[ndarray, " angle"],
) -> tuple[Integer[ndarray, " zone"], Integer[ndarray, " zone"]]:
    """Rank and size of every zone: voxels of equal rank connected through the neighbours at ``offsets``.

    Args:
        rank: flattened box, 0 outside the region.
        likeness: ``find_likeness`` of the region for these offsets.
        start, length: the region's rows, in C order.
        offsets: (z, y, x) of the neighbours that come after a voxel in C order.
        steps: the same in the flattened box.
    """
    return label_zones(rank, likeness, start, length, steps, representatives(tuple(map(tuple, offsets.tolist()))))


@cache
def representatives(offsets: tuple[tuple[int, int, int], ...]) -> Integer[ndarray, "pattern 4"]:
    """For every pattern of equal neighbours behind a voxel, those that stand for all: one of each connected group.

    Neighbours that are next to each other and equal the same voxel belong to one zone already. -1 fills up.
    """
    behind = -np.asarray(offsets).reshape(-1, 3)
    touch = np.abs(behind[:, None] - behind[None]).max(axis=2) <= 1
    allowed = {tuple(step) for step in np.concatenate([behind, -behind]).tolist()}
    touch &= np.array([[tuple(step) in allowed for step in (behind - own).tolist()] for own in behind]).reshape(
        touch.shape
    )
    return _groups(touch)


@no_type_check
@njit(cache=True, nogil=True)
def _groups(touch):
    count = touch.shape[0]
    few = np.full((1 << count, MOST), -1, np.int8)
    for pattern in range(1 << count):
        left, found = pattern, 0
        for d in range(count):
            if left >> d & 1:
                few[pattern, found] = d
                found += 1
                group = 1 << d
                while group:  # take everything that d is connected with out of what is left
                    left &= ~group
                    wider = 0
                    for a in range(count):
                        if group >> a & 1:
                            for b in range(count):
                                if touch[a, b] and left >> b & 1:
                                    wider |= 1 << b
                    group = wider
    return few


@no_type_check
@njit(cache=True, nogil=True)
def label_zones(rank, likeness, start, length, steps, few):
    """The work of ``find_zones``, with ``representatives`` of its offsets."""
    node = np.empty(rank.size, np.int32)  # read only where an earlier voxel of the region has been written
    parent, size, of = (
        np.zeros(likeness.size, np.int32),
        np.zeros(likeness.size, np.int32),
        np.zeros(likeness.size, np.uint16),
    )
    nodes, n, behind = 0, 0, np.uint32((1 << steps.size) - 1)
    for row in range(start.size):
        for c in range(start[row], start[row] + length[row]):
            pattern = likeness[n] & behind
            n += 1
            if pattern == 0:
                own = nodes
                parent[own], of[own] = own, rank[c]
                nodes += 1
            else:
                own = node[c - steps[few[pattern, 0]]]
                for k in range(1, MOST):
                    if few[pattern, k] < 0:
                        break
                    own = _join(parent, own, node[c - steps[few[pattern, k]]])
            node[c] = own
            size[own] += 1
    for last in range(nodes - 1, -1, -1):  # a parent comes before its children: sizes add up from the last
        if parent[last] != last:
            size[parent[last]] += size[last]
    root = parent[:nodes] == np.arange(nodes)
    return of[:nodes][root], size[:nodes][root]


@no_type_check
@njit(cache=True, nogil=True)
def _join(parent, a, b):
    """The earlier of two roots, made the parent of the other."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    while parent[b] != b:
        parent[b] = parent[parent[b]]
        b = parent[b]
    if a < b:
        parent[b] = a
        return a
    parent[a] = b
    return b
