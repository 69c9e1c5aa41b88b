"""Principal axes of a region: eigenvalues of the covariance of its voxel centres."""

import numpy as np
from jaxtyping import Bool, Float, Int


def eigenvalues_mm2(
    mask: Bool[np.ndarray, "..."], moments: Int[np.ndarray, "10"], spacing_mm: tuple[float, ...]
) -> Float[np.ndarray, " axis"]:
    """Ascending eigenvalues of the covariance over N, as many as ``spacing_mm`` has axes.

    Args:
        mask: the region, axes (z, y, x) or (y, x).
        moments: ``Census.moments`` of it.
        spacing_mm: voxel size along the axes of ``mask``.
    """
    n = int(moments[0])
    scatter = [row[-len(spacing_mm) :] for row in _scatter(moments)[-len(spacing_mm) :]]
    if _determinant(scatter) == 0:
        return _rounded(np.argwhere(mask), np.array(spacing_mm))
    covariance = np.array(scatter, dtype=np.float64) / n**2 * np.outer(spacing_mm, spacing_mm)
    return np.maximum(np.linalg.eigvalsh(covariance), 0)


def _scatter(moments: Int[np.ndarray, "10"]) -> list[list[int]]:
    """N squared times the covariance in voxels: n * sum(ab) - sum(a) * sum(b), integers of any size."""
    n, z, y, x, zz, yy, xx, zy, zx, yx = (int(moment) for moment in moments)
    return [
        [n * zz - z * z, n * zy - z * y, n * zx - z * x],
        [n * zy - z * y, n * yy - y * y, n * yx - y * x],
        [n * zx - z * x, n * yx - y * x, n * xx - x * x],
    ]


def _determinant(rows: list[list[int]]) -> int:
    if len(rows) == 2:
        return rows[0][0] * rows[1][1] - rows[0][1] * rows[1][0]
    minors = [[row[:column] + row[column + 1 :] for row in rows[1:]] for column in range(len(rows))]
    return sum((-1) ** column * rows[0][column] * _determinant(minor) for column, minor in enumerate(minors))


def _rounded(
    voxels: Int[np.ndarray, "voxel axis"], spacing_mm: Float[np.ndarray, " axis"]
) -> Float[np.ndarray, " axis"]:
    """Eigenvalues of voxels in one plane or line, whose zeros PyRadiomics reports with their rounding.

    The square root makes 1e-8 of a zero that is 1e-16 off: only its operations in its order give the same number.
    """
    centres = (voxels - voxels.min(axis=0) + 1) * spacing_mm
    centres -= centres.mean(axis=0)
    centres /= np.sqrt(len(voxels))
    found = np.linalg.eigvals(centres.T.copy() @ centres)
    found[found < 0] = 0
    return np.sort(np.sqrt(found).real ** 2)  # rounding makes two equal ones complex; the axis is the real part
