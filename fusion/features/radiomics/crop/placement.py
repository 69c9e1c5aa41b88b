"""Where each region's crop lies: PyRadiomics 3.0.1's rule (imageoperations.resampleImage, cropToTumorMask)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from fusion.data.image import Geometry
from fusion.types import Spacing

Box = tuple[slice, slice, slice]
"""A part of an image, along (z, y, x)."""
Index = tuple[int, int, int]


@dataclass(frozen=True)
class Grid:
    """A crop's voxels: ``size`` of them from voxel ``first`` on, of the image's grid or of the resampled one."""

    spacing_mm: Spacing
    first: Index
    size: Index
    resampled: bool

    @property
    def box(self) -> Box:
        """The crop as a part of the grid it lies on."""
        return _box(self.first, np.add(self.first, self.size))

    @property
    def voxels(self) -> int:
        """How many."""
        return int(np.prod(self.size))

    def within(self, other: "Grid") -> Box:
        """The crop as a part of another that holds it."""
        first = np.subtract(self.first, other.first)
        return _box(first, first + self.size)

    def row(self, axis: int, geometry: Geometry) -> "Grid":
        """Its row of voxels along ``axis`` that goes through the first voxel of ``geometry``."""
        own = [a == axis for a in range(3)]
        z, y, x = (float(mm) for mm in np.where(own, self.spacing_mm, geometry.spacing_mm))
        return Grid(
            (z, y, x), _index(np.where(own, self.first, 0)), _index(np.where(own, self.size, 1)), resampled=True
        )

    def positions(self, geometry: Geometry) -> list[Float[ndarray, " _"]]:
        """Where the voxels' centres lie along (z, y, x), in voxels of ``geometry``."""
        lines = zip(self.first, self.size, self.spacing_mm, geometry.spacing_mm, strict=True)
        return [
            0.5 * (own - native) / native + np.arange(first, first + size) / (native / own)
            for first, size, own, native in lines
        ]

    def origin_mm(self, geometry: Geometry) -> tuple[float, float, float]:
        """The centre of the first voxel, in ITK's order (x, y, z)."""
        z, y, x = (float(at[0]) for at in replace(self, size=(1, 1, 1)).positions(geometry))
        return tuple(replace(geometry, size=(1, 1, 1)).blank().TransformContinuousIndexToPhysicalPoint((x, y, z)))


def bounding_box(mask: Bool[ndarray, "z y x"]) -> Box | None:
    """The smallest part of ``mask`` that holds every True voxel; None where there is none."""
    z = _ends(np.array([plane.any() for plane in mask]))
    if z is None:
        return None
    flat = np.any(mask[z], axis=0)
    y, x = _ends(np.any(flat, axis=1)), _ends(np.any(flat, axis=0))
    return None if y is None or x is None else (z, y, x)


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds them all.

    >>> union([(slice(0, 1), slice(4, 6), slice(2, 3)), (slice(3, 4), slice(5, 9), slice(2, 3))])
    (slice(0, 4, None), slice(4, 9, None), slice(2, 3, None))
    """
    z, y, x = (
        slice(min(part.start for part in parts), max(part.stop for part in parts)) for parts in zip(*boxes, strict=True)
    )
    return z, y, x


def around(grids: Sequence[Grid]) -> Grid:
    """The smallest crop that holds all of ``grids``, which are of one spacing."""
    box = union(grid.box for grid in grids)
    z, y, x = box
    first, size = (z.start, y.start, x.start), (z.stop - z.start, y.stop - y.start, x.stop - x.start)
    return replace(grids[0], first=first, size=size)


def place(region: Box, geometry: Geometry, spacing_mm: Spacing | None, pad: int, whole: bool) -> Grid:
    """The crop round ``region``: its box and ``pad`` voxels, cut at the image's border.

    The resampled grid has its corner, not its first centre, where the image has it. An axis on which the region is one
    slice keeps its spacing; where the spacing asked for is the image's (numpy.allclose), nothing is resampled.

    Args:
        region: bounding box on the image's grid.
        geometry: the image's grid.
        spacing_mm: voxel size asked for, along (z, y, x); 0 keeps the image's; None asks for no resampling.
        pad: voxels (of the crop) on each side.
        whole: without resampling, the whole image is the crop.
    """
    native, size = np.array(geometry.spacing_mm), np.array(geometry.size)
    low, high = np.array([part.start for part in region]), np.array([part.stop for part in region])
    if spacing_mm is None:
        return _native(geometry, np.zeros(3) if whole else low - pad, size if whole else high + pad)
    wanted = np.where((np.array(spacing_mm) == 0) | (high - low == 1), native, spacing_mm)
    if np.allclose(native, wanted):
        return _native(geometry, low - pad, high + pad)
    ratio = native / wanted
    first = np.maximum(np.floor((low - 0.5) * ratio - pad), 0)
    last = np.minimum(np.ceil((high - 0.5) * ratio + pad), np.ceil(size * ratio) - 1)
    z, y, x = (float(mm) for mm in wanted)
    return Grid((z, y, x), _index(first), _index(last - first + 1), resampled=True)


def _native(geometry: Geometry, low: ndarray, high: ndarray) -> Grid:
    first, stop = np.maximum(low, 0), np.minimum(high, geometry.size)
    return Grid(geometry.spacing_mm, _index(first), _index(stop - first), resampled=False)


def _ends(occupied: Bool[ndarray, " n"]) -> slice | None:
    index = np.flatnonzero(occupied)
    return slice(int(index[0]), int(index[-1]) + 1) if len(index) else None


def _index(values: ndarray) -> Index:
    z, y, x = (int(value) for value in values)
    return z, y, x


def _box(first: Index | ndarray, stop: ndarray) -> Box:
    z, y, x = (slice(int(a), int(b)) for a, b in zip(first, stop, strict=True))
    return z, y, x
