"""The surface mesh of a region, counted by configuration of eight voxels and never built.

In a binary mask every mesh vertex is the midpoint of an edge between two voxels, so the triangles in a cell depend
on its eight corners alone (Lorensen & Cline 1987, doi:10.1145/37402.37422): area and volume follow from how often each
of the 256 configurations occurs, and where.
"""

from functools import cache
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Int, UInt8
from numba import njit

from fusion.types import Mask, Spacing

COMPLEMENTED = 64  # a configuration with this corner, (z, y, x) = (1, 1, 0), has its complement's mesh, turned


class Census(NamedTuple):
    """What one pass over the cells of a region gives."""

    counts: Int[np.ndarray, "256"]
    """Cells of each configuration."""
    places: Int[np.ndarray, "256 3"]
    """Sum of the cells' indices (z, y, x) by configuration."""
    moments: Int[np.ndarray, "10"]
    """Voxels, then the sums of z, y, x, zz, yy, xx, zy, zx, yx over them."""
    along_x: Int[np.ndarray, "z2 y2 2"]
    """First and last mesh vertex of each line along x, in half voxels; -1 where there is none."""
    along_y: Int[np.ndarray, "x2 z2 2"]
    """The same along y, by (x, z)."""


def census(mask: Mask) -> Census:
    """Count the cells of a region, cropped to its bounding box and padded by one voxel as PyRadiomics does.

    Args:
        mask: the region, at least one voxel.
    """
    padded = _padded(mask)
    deep, high, wide = padded.shape
    counts, places, moments = np.zeros(256, np.int64), np.zeros((256, 3), np.int64), np.zeros(10, np.int64)
    along_x = np.full((2 * deep, 2 * high, 2), -1, np.int32)
    along_y = np.full((2 * wide, 2 * deep, 2), -1, np.int32)
    _count(padded.view(np.uint64), counts, places, moments, along_x, along_y)
    return Census(counts, places, moments, along_x, along_y)


def volume_mm3(cells: Census, spacing_mm: Spacing) -> float:
    """Sum of the signed tetrahedra between each triangle and the first voxel, exact up to the last product.

    A cell at p adds det(a + p, b + p, c + p) / 6 for each triangle (a, b, c): a constant and a term linear in p.
    """
    determinants, normals = _table()
    fixed = int(cells.counts @ determinants)
    moved = int((cells.places * normals.sum(axis=1)).sum())
    return (fixed + 2 * moved) / 48 * (spacing_mm[0] * spacing_mm[1] * spacing_mm[2])


def area_mm2(cells: Census, spacing_mm: Spacing) -> float:
    """Sum of the triangles' areas."""
    _, normals = _table()
    z, y, x = spacing_mm
    areas = np.sqrt(((normals * np.array([y * x, z * x, z * y])) ** 2).sum(axis=2)).sum(axis=1) / 8
    return float(cells.counts @ areas)


@cache
def _table() -> tuple[Int[np.ndarray, "256"], Int[np.ndarray, "256 triangle 3"]]:
    """For each configuration the sum of its triangles' determinants, and their normals, in half voxels: integers.

    The triangles are scikit-image's. PyRadiomics gives a configuration with corner ``COMPLEMENTED`` the surface of its
    complement, also where an ambiguous face makes the two differ; test_shape.py compares all 256.
    """
    determinants = np.zeros(256, np.int64)
    normals = np.zeros((256, 5, 3), np.int64)  # no configuration has more than five triangles
    for configuration in range(1, 255):
        if not configuration & COMPLEMENTED:
            corners = _triangles(configuration)
            turned = np.cross(corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 0])
            normals[configuration, : len(turned)] = turned
            determinants[configuration] = (corners[:, 0] * turned).sum()
    opposite = 255 - np.arange(256)
    complemented = (np.arange(256) & COMPLEMENTED) > 0
    determinants[complemented] = -determinants[opposite[complemented]]
    normals[complemented] = -normals[opposite[complemented]]
    return determinants, normals


def _triangles(configuration: int) -> Int[np.ndarray, "triangle 3 3"]:
    from skimage.measure import marching_cubes

    cube = np.array([configuration >> corner & 1 for corner in range(8)], np.float32).reshape(2, 2, 2)
    vertices, faces, _, _ = marching_cubes(cube, 0.5, method="lorensen")
    return np.rint(2 * vertices[faces]).astype(np.int64)


def _padded(mask: Mask) -> UInt8[np.ndarray, "deep high wide"]:
    """The region's bounding box, one empty voxel around it, rows filled up to whole 64-bit words."""
    box = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        box.append(slice(hit[0], hit[-1] + 1))
    inner = mask[tuple(box)]
    deep, high, wide = inner.shape
    padded = np.zeros((deep + 2, high + 2, (wide + 9) // 8 * 8), np.uint8)
    padded[1:-1, 1:-1, 1 : wide + 1] = inner
    return padded


@no_type_check
@njit(cache=True, nogil=True)
def _count(words, counts, places, moments, along_x, along_y):
    """Eight cells at once: bytes hold 0 or 1, so shifts within a word put a cell's corners into one byte."""
    deep, high, wide = words.shape
    everywhere = ~np.uint64(0)
    row = np.empty(3, np.int64)
    for z in range(deep - 1):
        for y in range(high - 1):
            row[:] = 0
            following = _corners(words, z, y, 0)
            for word in range(wide):
                here = following
                following = _corners(words, z, y, word + 1) if word + 1 < wide else np.uint64(0)
                cells = here | ((here >> np.uint64(8)) | (following << np.uint64(56))) << np.uint64(1)
                if cells == 0 or cells == everywhere:
                    continue
                for x in range(8 * word, 8 * word + 8):
                    cell = np.int64(cells & np.uint64(255))
                    cells >>= np.uint64(8)
                    if cell == 0 or cell == 255:
                        continue
                    counts[cell] += 1
                    places[cell, 0] += z
                    places[cell, 1] += y
                    places[cell, 2] += x
                    _vertices(cell, z, y, x, row, along_x, along_y)
            if row[0]:
                _add(moments, row, z, y)


@no_type_check
@njit(cache=True, nogil=True)
def _corners(words, z, y, word):
    """Corners (0, 0), (0, 1), (1, 0), (1, 1) along (z, y) as bits 0, 2, 4, 6 of each byte."""
    near = words[z, y, word] | words[z, y + 1, word] << np.uint64(2)
    far = words[z + 1, y, word] << np.uint64(4) | words[z + 1, y + 1, word] << np.uint64(6)
    return near | far


@no_type_check
@njit(cache=True, nogil=True)
def _vertices(cell, z, y, x, row, along_x, along_y):
    """Note the mesh vertices on the three edges of a cell's first corner, and where a run of voxels starts or ends."""
    first = cell & 1
    step = first - (cell >> 1 & 1)
    if step:
        end = x + 1  # sums over 0 .. end - 1: added where a run ends, taken off where it starts
        row[0] += step * end
        row[1] += step * (end * (end - 1) // 2)
        row[2] += step * ((end - 1) * end * (2 * end - 1) // 6)
        _extend(along_x[2 * z, 2 * y], 2 * x + 1)
        _extend(along_y[2 * x + 1, 2 * z], 2 * y)
    if first != cell >> 2 & 1:
        _extend(along_x[2 * z, 2 * y + 1], 2 * x)
        _extend(along_y[2 * x, 2 * z], 2 * y + 1)
    if first != cell >> 4 & 1:
        _extend(along_x[2 * z + 1, 2 * y], 2 * x)
        _extend(along_y[2 * x, 2 * z + 1], 2 * y)


@no_type_check
@njit(cache=True, nogil=True)
def _extend(line, place):
    """Places come in ascending order."""
    if line[0] < 0:
        line[0] = place
    line[1] = place


@no_type_check
@njit(cache=True, nogil=True)
def _add(moments, row, z, y):
    voxels, sum_x, sum_xx = row
    moments[0] += voxels
    moments[1] += z * voxels
    moments[2] += y * voxels
    moments[3] += sum_x
    moments[4] += z * z * voxels
    moments[5] += y * y * voxels
    moments[6] += sum_xx
    moments[7] += z * y * voxels
    moments[8] += z * sum_x
    moments[9] += y * sum_x
