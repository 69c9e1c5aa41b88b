"""The networks' input: a box round the tumour as grey values and one signed distance, small enough to keep them all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int8, Int16, UInt8
from numpy import ndarray
from scipy.ndimage import distance_transform_edt

from fusion import store
from fusion.config.roi import Patch
from fusion.errors import CohortError, Fault, RegionError
from fusion.roi.across import slice_axis
from fusion.types import Mask, Spacing, Volume

MARGIN_MM = 4.0
"""Room kept on each side in plane, for shift and rotation."""
MARGIN_SLICES = 2
"""Slices kept on each side, for the shift along z."""
STEP_MM = 0.25
"""One count of a stored distance."""
FARTHEST_MM = 31.0
"""Distances are clipped here, so that they fit into a byte."""
TOLERANCE_MM = 1e-3
"""Resampling rounds; a voxel on the ring's edge stays in the ring."""
WIDE = 4
"""Width of the networks' wide window, in windows."""


@dataclass(frozen=True)
class CasePatch:
    """One case's box, margin included; its distance is negative inside the tumour."""

    grey: Int16[ndarray, "z y x"]
    distance: Int8[ndarray, "z y x"]
    """In steps of `STEP_MM`."""
    drawn: UInt8[ndarray, "z y x"] | None
    """A hand-refined ring, which replaces the distance rule."""
    exceeds: bool
    """The tumour is larger than the networks' box."""


@dataclass(frozen=True)
class Patches:
    """Every case's box, stacked."""

    cases: tuple[str, ...]
    grey: Int16[ndarray, "case z y x"]
    distance: Int8[ndarray, "case z y x"]
    drawn: UInt8[ndarray, "drawn z y x"]
    """The hand-refined rings alone, in case order."""
    has_drawn: Bool[ndarray, " case"]
    exceeds: Bool[ndarray, " case"]

    @classmethod
    def stack(cls, cases: Sequence[str], boxes: Sequence[CasePatch]) -> "Patches":
        """The boxes of ``cases``, in their order."""
        drawn = [box.drawn for box in boxes if box.drawn is not None]
        return cls(
            cases=tuple(cases),
            grey=np.stack([box.grey for box in boxes]),
            distance=np.stack([box.distance for box in boxes]),
            drawn=np.stack(drawn) if drawn else np.zeros((0, *boxes[0].grey.shape), np.uint8),
            has_drawn=np.array([box.drawn is not None for box in boxes], dtype=bool),
            exceeds=np.array([box.exceeds for box in boxes], dtype=bool),
        )

    @classmethod
    def gathered(
        cls, cases: Sequence[str], boxes: Iterable[tuple[str, CasePatch]], shape: tuple[int, int, int]
    ) -> "Patches":
        """The boxes of ``cases`` in their order, from pairs in any order, each box held once.

        A case without a box is left out.

        Args:
            cases: names.
            boxes: name and box.
            shape: of every box, as ``stored_shape`` gives it.
        """
        place, there = {case: n for n, case in enumerate(cases)}, np.zeros(len(cases), dtype=bool)
        grey, distance = np.zeros((len(cases), *shape), np.int16), np.zeros((len(cases), *shape), np.int8)
        exceeds, drawn = np.zeros(len(cases), dtype=bool), dict[int, ndarray]()
        for case, own in boxes:
            n = place[case]
            there[n], grey[n], distance[n], exceeds[n] = True, own.grey, own.distance, own.exceeds
            if own.drawn is not None:
                drawn[n] = own.drawn
        rings, has_drawn = np.zeros((len(drawn), *shape), np.uint8), np.zeros(len(cases), dtype=bool)
        for row, n in enumerate(sorted(drawn)):
            rings[row], has_drawn[n] = drawn.pop(n), True
        every = cls(tuple(cases), grey, distance, rings, has_drawn, exceeds)
        return every if there.all() else every.of([case for case in cases if there[place[case]]])

    def of(self, cases: Sequence[str]) -> "Patches":
        """The boxes of ``cases``, in their order."""
        place = {case: n for n, case in enumerate(self.cases)}
        at = np.array([place[case] for case in cases], dtype=int)
        drawn = self.drawn[(np.cumsum(self.has_drawn) - 1)[at][self.has_drawn[at]]]
        return Patches(tuple(cases), self.grey[at], self.distance[at], drawn, self.has_drawn[at], self.exceeds[at])

    def save(self, path: Path) -> None:
        """Write an npz file, whole or not at all."""
        with store.whole(path) as part, part.open("wb") as file:
            np.savez(file, **{**vars(self), "cases": np.array(self.cases, dtype=np.str_)})

    @classmethod
    def load(cls, path: Path) -> "Patches":
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return cls(**{**arrays, "cases": tuple(arrays["cases"].tolist())})


def stored_shape(patch: Patch) -> tuple[int, int, int]:
    """Voxels of the stored box: the networks' box and its margin.

    >>> stored_shape(Patch())
    (20, 112, 112)
    """
    return tuple(n + 2 * m for n, m in zip(patch.shape, margin(patch), strict=True))  # type: ignore[return-value]


def margin(patch: Patch) -> tuple[int, int, int]:
    """Voxels of margin on each side, along (z, y, x)."""
    return MARGIN_SLICES, round(MARGIN_MM / patch.spacing_mm[1]), round(MARGIN_MM / patch.spacing_mm[2])


def cut(
    image: Volume,
    tumour: Mask,
    external2: Mask | None,
    spacing_mm: Spacing,
    patch: Patch,
    grid: Literal["in_plane", "volume"] = "in_plane",
    case: str | None = None,
) -> CasePatch:
    """The box round ``tumour``'s centroid, parallel to the image's grid, resampled to ``patch.spacing_mm``.

    Outside the image grey values are the low end of the window. Grey values are interpolated linearly. The distance
    is to the nearest voxel centre of the other side, as in the regions.

    Args:
        image: grey values (HU for CT), axes (z, y, x), upright: else the box is a mirrored or turned one.
        tumour: True inside the tumour.
        external2: a hand-refined ring (resampled by nearest neighbour), or None for the distance rule.
        spacing_mm: voxel size of ``image`` along (z, y, x), in mm.
        patch: the networks' box.
        grid: `in_plane` measures the distance within each slice and keeps slices apart (nearest neighbour across
            ``fusion.roi.across.slice_axis``), so that thick slices do not decide where the ring is; `volume` measures
            in three dimensions.
        case: named in an error.

    Raises:
        RegionError: no voxel is tumour.
        CohortError: grey values are not finite, or too large for 16 bits.
    """
    if not tumour.any():
        raise RegionError(Fault("no tumour voxel", "at least one", "check the mask and its label", case))
    index = np.argwhere(tumour)
    lines = _lines(index.mean(axis=0), spacing_mm, patch)
    low = float(np.rint(patch.window[0]))
    grey = _sample(image, lines, (True, True, True), low)
    limits = np.iinfo(np.int16)
    if not (np.isfinite(grey).all() and limits.min <= grey.min() and grey.max() <= limits.max):
        raise CohortError(
            Fault(f"grey values from {grey.min()} to {grey.max()}", "finite 16-bit values", "rescale the image", case)
        )
    across = None if grid == "volume" else slice_axis(spacing_mm)
    z, y, x = (axis != across for axis in range(3))
    distance = _sample(_signed_mm(tumour, lines, spacing_mm, across), lines, (z, y, x), FARTHEST_MM)
    drawn = None if external2 is None else _sample(external2, lines, (False, False, False), 0.0).astype(np.uint8)
    return CasePatch(np.rint(grey).astype(np.int16), _steps(distance), drawn, _exceeds(index, spacing_mm, patch))


def _lines(centre: ndarray, spacing_mm: Spacing, patch: Patch) -> list[ndarray]:
    """Where the box's voxel centres lie on the image's grid, axis by axis."""
    lines = zip(centre, stored_shape(patch), patch.spacing_mm, spacing_mm, strict=True)
    return [middle + (np.arange(n) - (n - 1) / 2) * fine / coarse for middle, n, fine, coarse in lines]


def _sample(volume: ndarray, lines: Sequence[ndarray], linear: tuple[bool, bool, bool], outside: float) -> ndarray:
    """``volume`` at every crossing of ``lines``, linear or nearest an axis; ``outside`` beyond its outermost voxels."""
    sampled = volume
    for axis in (2, 1, 0):
        last = volume.shape[axis] - 1
        at = np.clip(lines[axis], 0, last)
        if linear[axis]:
            floor = np.floor(at).astype(int)
            share = (at - floor).reshape([-1 if a == axis else 1 for a in range(3)])
            below, above = sampled.take(floor, axis), sampled.take(np.minimum(floor + 1, last), axis)
            sampled = below * (1 - share) + above * share
        else:
            sampled = sampled.take(np.rint(at).astype(int), axis)
    z, y, x = [(at >= -0.5) & (at <= n - 0.5) for at, n in zip(lines, volume.shape, strict=True)]
    return np.where(z[:, None, None] & y[:, None] & x, sampled, outside)


def _signed_mm(tumour: Mask, lines: Sequence[ndarray], spacing_mm: Spacing, across: int | None) -> Volume:
    """Distance to the tumour's edge in mm, negative inside, exact where a distance up to the clip can be seen.

    Within each slice across the axis ``across``; with None in three dimensions.
    """
    room = [FARTHEST_MM / s + 1 for s in spacing_mm]
    near = tuple(slice(max(int(at[0] - r), 0), max(int(at[-1] + r) + 1, 0)) for at, r in zip(lines, room, strict=True))
    signed = np.full(tumour.shape, FARTHEST_MM)
    if across is None:
        signed[near] = _edge(tumour[near], spacing_mm)
    else:
        within_mm = spacing_mm[:across] + spacing_mm[across + 1 :]
        slices = np.moveaxis(tumour[near], across, 0)
        signed[near] = np.stack([_edge(own, within_mm) for own in slices], axis=across)
    return signed


def _edge(inside: ndarray, spacing_mm: tuple[float, ...]) -> ndarray:
    if not inside.any():
        return np.full(inside.shape, FARTHEST_MM)
    if inside.all():
        return np.full(inside.shape, -FARTHEST_MM)
    outer, inner = (distance_transform_edt(side, sampling=spacing_mm) for side in (~inside, inside))
    return np.clip(outer - inner, -FARTHEST_MM, FARTHEST_MM)


def _steps(distance: Volume) -> Int8[ndarray, "z y x"]:
    """Whole steps away from zero: no voxel changes sides, and a ring of whole steps has the same voxels as before."""
    steps = np.ceil(np.abs(distance) / STEP_MM - 1e-4)
    return (np.sign(distance) * steps).astype(np.int8)


def _exceeds(index: ndarray, spacing_mm: Spacing, patch: Patch) -> bool:
    reach = np.abs(index - index.mean(axis=0)).max(axis=0) * np.asarray(spacing_mm)
    return bool((reach > np.asarray(patch.shape) * np.asarray(patch.spacing_mm) / 2).any())
