"""Grey values of crops: read where they are needed, interpolated once for all regions of one spacing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import SimpleITK as sitk
from jaxtyping import Num
from numpy import ndarray

from fusion.data.image import Geometry
from fusion.errors import Fault
from fusion.features.radiomics.crop import spline
from fusion.features.radiomics.crop.nearest import from_origin, resample_by_itk
from fusion.features.radiomics.crop.placement import Box, Grid, around
from fusion.types import Mask

SPLINE = "sitkBSpline"
NOISE = 1e-10
"""Share of the largest grey value below which a spline's value may be rounding alone."""
Values = Num[ndarray, "_ _ _"]
"""Grey values along (z, y, x), of whichever size."""


@dataclass(frozen=True)
class Group:
    """Regions whose grey values are made in one go."""

    names: tuple[str, ...]
    grid: Grid
    """Holds the crops of all."""
    needed: Box
    """The part of the image that decides the values on ``grid``."""


def groups(grids: dict[str, Grid], geometry: Geometry, interpolator: str) -> list[Group]:
    """The regions by what they share: B-splines of one spacing are read off one grid; other crops must be equal.

    Other interpolators may jump with the rounding of ITK's coordinates, which depends on the crop.
    """

    def kind(name: str) -> tuple[Any, ...]:
        grid = grids[name]
        smooth = grid.resampled and interpolator == SPLINE
        return (grid.spacing_mm, grid.resampled) + (() if smooth else (grid.first, grid.size))

    alike = [tuple(same) for _, same in groupby(sorted(grids, key=kind), kind)]
    parts = [names for together in alike for names in _worth_sharing(together, grids)]
    made = [(names, around([grids[name] for name in names])) for names in parts]
    return [Group(names, grid, _needed(grid, geometry, interpolator)) for names, grid in made]


def not_finite(image: Values, parts: Sequence[Group], whole: bool) -> Iterator[Fault]:
    """A fault for each group whose part of the image, or the ``whole`` of it, has NaN or infinite voxels."""
    for group in parts:
        values = image if whole else image[group.needed]
        if bad := int(values.size - np.isfinite(values).sum()):
            where = "the image" if whole else "the part of the image that is read"
            found = f"{' and '.join(group.names)}: {bad} NaN or infinite voxels in {where}"
            yield Fault(found, "finite grey values", "fill them or export the image again")


def read(
    image: Values,
    group: Group,
    grids: dict[str, Grid],
    geometry: Geometry,
    interpolator: str,
    normalise: Callable[[Values], Values] | None,
) -> dict[str, Values]:
    """The grey values of every crop of ``group`` by region, contiguous; integers become float32 first."""
    values = image[group.needed]
    values = values if values.dtype.kind == "f" else values.astype(np.float32)
    values = values if normalise is None else normalise(values)
    values = _resampled(values, group, geometry, interpolator) if group.grid.resampled else values
    return {name: np.ascontiguousarray(values[grids[name].within(group.grid)]) for name in group.names}


def settle_zeros(
    values: Values,
    region: Mask,
    image: Values,
    grid: Grid,
    geometry: Geometry,
    normalise: Callable[[Values], Values] | None,
) -> None:
    """Put ITK's own values where a spline that should be 0 is rounding noise: its sign decides the grey level.

    A voxel of 0 HU that the new grid meets exactly is such a place. Elsewhere float32 swallows the noise. Few images
    have one; theirs cost what PyRadiomics' do.

    Args:
        values: of the crop; changed in place.
        region: where they count.
        image: the whole image.
        grid: of the crop.
        geometry: of the image.
        normalise: what was done to the image before.
    """
    if not grid.resampled:
        return
    doubtful = region & (np.abs(values) < NOISE * np.abs(values).max())
    if doubtful.any():
        native = image[from_origin(grid, geometry)].astype(np.float32 if image.dtype.kind != "f" else image.dtype)
        native = native if normalise is None else normalise(native)
        values[doubtful] = resample_by_itk(native, grid, geometry, sitk.sitkBSpline)[doubtful]


def _worth_sharing(names: tuple[str, ...], grids: dict[str, Grid]) -> list[tuple[str, ...]]:
    """All names together, or each alone where the crops lie so far apart that one round all is more work."""
    apart = sum(grids[name].voxels for name in names)
    return [names] if around([grids[name] for name in names]).voxels <= apart else [(name,) for name in names]


def _needed(grid: Grid, geometry: Geometry, interpolator: str) -> Box:
    if not grid.resampled:
        return grid.box
    if interpolator == SPLINE:
        return spline.support(grid.positions(geometry), geometry.size)
    return from_origin(grid, geometry)


def _resampled(values: Values, group: Group, geometry: Geometry, interpolator: str) -> Values:
    if interpolator == SPLINE:
        positions = group.grid.positions(geometry)
        return spline.resample(values, [at - part.start for at, part in zip(positions, group.needed, strict=True)])
    return resample_by_itk(values, group.grid, geometry, getattr(sitk, interpolator))
