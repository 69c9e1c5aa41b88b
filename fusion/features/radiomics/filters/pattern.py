"""Local binary patterns: how a voxel's surroundings compare with it, on a sphere or on a circle in its slice.

On the sphere, the pattern is expanded in spherical harmonics and its norm in each degree is kept, which no rotation
changes: Banerjee et al. 2013, doi:10.1007/978-3-642-37410-4_3, as PyRadiomics computes it.
"""

import functools
import warnings

import numpy as np
from jaxtyping import Float, UInt64
from numpy import ndarray
from scipy.special import sph_harm_y

from fusion.features.radiomics.filters import sphere
from fusion.features.radiomics.filters.rounding import norms
from fusion.types import Mask, Volume

Values = Float[ndarray, " voxel"]
Pattern = UInt64[ndarray, "voxel word"]


def pattern3d(
    image: Volume, where: Mask, *, levels: int = 2, radius: float = 1.0, subdivision: int = 1
) -> dict[str, Values]:
    """Norms of the binary pattern on a sphere, degree by degree, and the kurtosis of the grey values on it.

    Args:
        image: grey values in floating point, axes (z, y, x); comparisons are made in their precision.
        where: True where values are wanted.
        levels: number of degrees of spherical harmonics.
        radius: of the sphere, in voxels.
        subdivision: of the icosahedron; 1 gives 42 vertices.

    Returns:
        "lbp-3D-m1" (degree 0), "lbp-3D-m2", ..., and "lbp-3D-k", nan where the surroundings are flat.
    """
    plan, harmonics = _sphere(levels, radius, subdivision)
    pattern, kurtosis = sphere.surroundings(image, where, plan)
    values = {f"lbp-3D-m{n}": _norms(pattern, degree) for n, degree in enumerate(harmonics, start=1)}
    return values | {"lbp-3D-k": kurtosis.astype(np.float64)}


def pattern2d(
    image: Volume,
    where: Mask,
    *,
    radius: float = 1.0,
    samples: int = 8,
    method: str = "uniform",
    force2d_dimension: int = 0,
) -> dict[str, Values]:
    """Binary pattern on a circle around each voxel, slice by slice (Ojala et al. 2002, doi:10.1109/TPAMI.2002.1017623).

    Args:
        image: grey values, axes (z, y, x).
        where: True where values are wanted.
        radius: of the circle, in voxels.
        samples: points on the circle.
        method: one of scikit-image's: "default", "ror", "uniform", "nri_uniform", "var".
        force2d_dimension: axis along which slices are taken.

    Returns:
        "lbp-2D", in the image's precision.
    """
    from skimage.feature import local_binary_pattern

    patterns = np.zeros_like(image)
    slices, targets = image.swapaxes(0, force2d_dimension), patterns.swapaxes(0, force2d_dimension)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Applying `local_binary_pattern` to floating-point images", UserWarning)
        for i in np.flatnonzero(where.swapaxes(0, force2d_dimension).any(axis=(1, 2))):
            targets[i] = local_binary_pattern(slices[i], P=samples, R=radius, method=method)
    return {"lbp-2D": patterns[where]}


@functools.lru_cache(maxsize=4)
def _sphere(levels: int, radius: float, subdivision: int) -> tuple[sphere.Plan, tuple[ndarray, ...]]:
    """The vertices, and for each degree n the spherical harmonics there, (vertex, 2n + 1)."""
    from trimesh.creation import icosphere

    vertices = np.array(icosphere(subdivision, radius).vertices)
    # PyRadiomics hands the angle from the third axis over as the azimuth and the other as the polar angle
    azimuth, polar = np.arccos(vertices[:, 2] / radius), np.arctan2(vertices[:, 1], vertices[:, 0])
    degrees = (np.stack([sph_harm_y(n, m, polar, azimuth) for m in range(-n, n + 1)], axis=1) for n in range(levels))
    return sphere.plan(vertices), tuple(degrees)


def _norms(pattern: Pattern, harmonics: ndarray) -> Values:
    """Euclidean norm over the vertices of each pattern's part of one degree."""
    vertices, orders = harmonics.shape
    if orders > 1:
        return norms(pattern, harmonics)
    # all vertices weigh the same, only their number counts; numpy adds them one after the other
    sums = (np.tri(vertices + 1, vertices, -1)[:, :, None] * harmonics).cumsum(axis=1)[:, -1]
    by_count = np.sqrt(((sums * harmonics[:, 0]) ** 2).cumsum(axis=1)[:, -1]).real
    return by_count[np.bitwise_count(pattern).sum(axis=1)]
