"""One case from plan to voxels: scanned volume, the tumour's distance map, and the readers' masks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int16, Num
from numpy.random import Generator, SeedSequence, default_rng

from fusion.phantom import tissue
from fusion.phantom.anatomy import Layout, lay_out
from fusion.phantom.field import Field, Grid
from fusion.phantom.plan import Plan
from fusion.phantom.scanner import SLICE_MM, THIN_SLICES, expose, thick
from fusion.phantom.surface import signed_distance_mm
from fusion.types import Mask, Spacing, Volume

Window = tuple[slice, slice, slice]
SIZES = {"crop": ((12, 112, 112), (12, 112, 112)), "neck": ((24, 512, 512), (16, 176, 176))}
"""Voxels of the field, and of the part round the tumour that is made in fine detail."""
PIXEL_MM = (0.40, 0.60)
CONTOUR_MM, FIRST_READER_MM, SECOND_READER_MM, SECOND_READER_BIAS_MM = 3.0, 0.35, 0.5, 0.2


@dataclass(frozen=True)
class Scan:
    """One rendered case; ``reader2`` and ``repeat`` are made for every case and kept for the ICC cases."""

    hu: Int16[np.ndarray, "z y x"]
    tumour: Mask
    reader2: Mask
    repeat: Mask
    spacing_mm: Spacing


def render(plan: Plan, size: str) -> Scan:
    """The scan and masks of one case, a function of ``plan`` and ``size`` alone."""
    fields, surface, scanner, *readers = (default_rng(seed) for seed in SeedSequence(plan.seed).spawn(6))
    layout = lay_out(plan.anatomy, plan.lesion)
    grid, window = frame(plan, layout, size)
    hu, distance = _anatomy(plan, layout, grid, window, fields, surface)
    contour = [_contour(distance, grid.part(window), rng, sd) for rng, sd in zip(readers, _reader_sd(), strict=True)]
    bias = SECOND_READER_BIAS_MM * float(readers[1].standard_normal())
    first, second, again = (
        _embed(line < 0, grid, window) for line in (contour[0], contour[1] - np.float32(bias), contour[2])
    )
    return Scan(expose(hu, plan.acquisition, grid, scanner), first, second, again, _spacing(grid))


def frame(plan: Plan, layout: Layout, size: str) -> tuple[Grid, Window]:
    """The scanned grid round the tumour's centre, and the window of it that is made in fine detail."""
    field, detail = SIZES[size]
    pixel = pixel_mm(plan)
    z, y, x = plan.acquisition.shift_mm
    centre = (z, y, x) if size == "crop" else (6 * z, layout.skin.back + 3 * y, layout.midline + 3 * x)
    steps = (SLICE_MM, pixel, pixel if plan.acquisition.left else -pixel)
    axes = [(np.arange(n) - (n - 1) / 2) * step + c for n, step, c in zip(field, steps, centre, strict=True)]
    starts = [_start(axis, n) for axis, n in zip(axes, detail, strict=True)]
    z_part, y_part, x_part = (slice(start, start + n) for start, n in zip(starts, detail, strict=True))
    return Grid(*axes), (z_part, y_part, x_part)


def pixel_mm(plan: Plan) -> float:
    """In-plane voxel size; the field must hold the tumour and its surroundings, so a large one has large pixels."""
    least = max(PIXEL_MM[0], (1.2 * plan.lesion.diameter_mm + 12) / SIZES["crop"][0][1])
    return round(least + (PIXEL_MM[1] - least) * plan.acquisition.zoom, 4)


def _anatomy(
    plan: Plan, layout: Layout, grid: Grid, window: Window, fields_rng: Generator, surface_rng: Generator
) -> tuple[Volume, Num[np.ndarray, "near_z near_y near_x"]]:
    """HU of the whole grid before the scanner, and the distance to the tumour within the window."""
    fields = tissue.draw_fields(plan.lesion, fields_rng)
    fine = grid.part(window).slabs(THIN_SLICES)
    distance = signed_distance_mm(plan.lesion, fine, surface_rng)
    hu, gland = tissue.neck(plan.anatomy, layout, plan.lesion, fields, fine)
    hu = tissue.add_air_cells(hu, plan.anatomy, plan.lesion, fine)
    detail = thick(tissue.add_tumour(hu, gland, distance, plan.lesion, fields, fine))
    if detail.shape == grid.shape:
        return detail, thick(distance)
    whole, _ = tissue.neck(plan.anatomy, layout, plan.lesion, fields, grid)
    whole[window] = detail
    return whole, thick(distance)


def _contour(distance_mm: Volume, grid: Grid, rng: Generator, sd_mm: float) -> Volume:
    """A reader's outline: the true distance, moved by a smooth error that knows nothing of the label."""
    return distance_mm + np.float32(sd_mm) * Field.draw(rng, (CONTOUR_MM,) * 3, half_mm=64.0).on(grid)


def _reader_sd() -> tuple[float, float, float]:
    return FIRST_READER_MM, SECOND_READER_MM, FIRST_READER_MM


def _embed(part: Bool[np.ndarray, "near_z near_y near_x"], grid: Grid, window: Window) -> Mask:
    mask = np.zeros(grid.shape, bool)
    mask[window] = part
    return mask


def _start(axis: np.ndarray, n: int) -> int:
    """First index of the ``n`` neighbours that lie evenly round 0."""
    nearest = int(np.abs(axis).argmin())
    return min(max(nearest - n // 2, 0), len(axis) - n)


def _spacing(grid: Grid) -> Spacing:
    return SLICE_MM, abs(round(float(grid.y[1] - grid.y[0]), 4)), abs(round(float(grid.x[1] - grid.x[0]), 4))
