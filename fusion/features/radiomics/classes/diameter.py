"""The largest distance between mesh vertices, in planes and in space, from the corners of convex hulls.

The two ends of a largest distance are corners of the convex hull, in every plane through them as well: so the
first and last vertices of each line, thinned by the hull of each plane, hold them all.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Int
from numba import njit

from fusion.types import Spacing


def diameters_mm(
    along_x: Int[np.ndarray, "z2 y2 2"], along_y: Int[np.ndarray, "x2 z2 2"], spacing_mm: Spacing
) -> tuple[float, float, float, float]:
    """Largest distance within one z (Slice), within one y (Column), within one x (Row), and in space.

    Args:
        along_x: first and last vertex of each line along x in half voxels, by (z, y); -1 where there is none.
        along_y: the same along y, by (x, z).
        spacing_mm: voxel size along (z, y, x).
    """
    z, y, x = (0.5 * size for size in spacing_mm)
    slices = along_x.copy()
    columns = np.ascontiguousarray(along_x.swapaxes(0, 1))
    rows = along_y.copy()
    widest = (widest_mm(slices, y, x), widest_mm(columns, z, x), widest_mm(rows, z, y))
    return *widest, _farthest(_corners(slices, columns, rows, z, y, x), max(widest))


@no_type_check
@njit(cache=True, nogil=True)
def widest_mm(planes, line_mm, place_mm):
    """Thin each plane to the corners of its hull; return the largest distance between two of one plane."""
    n_lines = planes.shape[1]
    lines = np.empty(2 * n_lines, np.int64)
    places = np.empty(2 * n_lines, np.int64)
    best = 0.0
    for plane in planes:
        left = _chain(plane, 0, lines, places, 0)
        found = _chain(plane, 1, lines, places, left)
        for one in range(found):
            for other in range(one + 1, found):
                apart = ((lines[one] - lines[other]) * line_mm) ** 2 + ((places[one] - places[other]) * place_mm) ** 2
                best = max(best, apart)
    return np.sqrt(best)


@no_type_check
@njit(cache=True, nogil=True)
def _chain(plane, side, lines, places, begin):
    """Convex chain of the first (side 0) or last (side 1) places, line by line (Andrew 1979); erase the others."""
    end = begin
    turn = 1 - 2 * side
    for line in range(len(plane)):
        place = plane[line, side]
        if place < 0:
            continue
        while end - begin > 1:
            ahead = (places[end - 1] - places[end - 2]) * (line - lines[end - 2])
            across = (place - places[end - 2]) * (lines[end - 1] - lines[end - 2])
            if turn * (ahead - across) < 0:
                break
            end -= 1
            plane[lines[end], side] = -1
        lines[end] = line
        places[end] = place
        end += 1
    return end


def _farthest(points_mm: Float[np.ndarray, "point axis"], least_mm: float) -> float:
    """Largest distance between two points, known to be at least ``least_mm``."""
    middle = (points_mm.min(axis=0) + points_mm.max(axis=0)) / 2
    radii = np.sqrt(((points_mm - middle) ** 2).sum(axis=1))
    order = np.argsort(-radii)
    return _search(points_mm[order], radii[order], least_mm)


@no_type_check
@njit(cache=True, nogil=True)
def _search(points, radii, best):
    """Radii descend: once two of them add up to less than the best distance, no later point can be farther."""
    squared = best**2
    for one in range(len(points)):
        reach = np.sqrt(squared) * (1 - 1e-12) - radii[one]
        for other in range(one + 1, len(points)):
            if radii[other] < reach:
                break
            z = points[one, 0] - points[other, 0]
            y = points[one, 1] - points[other, 1]
            x = points[one, 2] - points[other, 2]
            squared = max(squared, z * z + y * y + x * x)
    return np.sqrt(squared)


@no_type_check
@njit(cache=True, nogil=True)
def _corners(slices, columns, rows, z_mm, y_mm, x_mm):
    """Points that are corners in all three of their planes."""
    found = np.empty((slices.size, 3), np.float64)
    n_found = 0
    for z in range(slices.shape[0]):
        for y in range(slices.shape[1]):
            for side in range(2):
                x = slices[z, y, side]
                if x >= 0 and columns[y, z, side] == x and (rows[x, z, 0] == y or rows[x, z, 1] == y):
                    found[n_found, 0], found[n_found, 1], found[n_found, 2] = z * z_mm, y * y_mm, x * x_mm
                    n_found += 1
    return found[:n_found]
