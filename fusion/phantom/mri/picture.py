"""One tumour from plan to pictures: six sequences as 8-bit grey values, and a reader's mask."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from numpy.random import Generator, SeedSequence, default_rng
from scipy.ndimage import gaussian_filter, map_coordinates

from fusion.phantom.mri.anatomy import FIELD_MM, Anatomy, Plane
from fusion.phantom.mri.contour import distance_mm, drawn, sheet
from fusion.phantom.mri.plan import Plan
from fusion.phantom.mri.signal import DISPLAY, SEQUENCES, Display, diffusion_weighted, grey, signal
from fusion.phantom.mri.tissue import draw_fields, slices

FINE = 128
"""Least rows of the grid on which tissue is laid out before pixels are averaged."""
DISTORTION_MM, DISTORTION_SIGMA_MM = 0.6, 12.0
"""SD and grain of the shift of diffusion pictures along the phase."""
AIR_ADC = 0.06
"""ADC below which the console shows nothing, in 1e-3 mm2/s."""


@dataclass(frozen=True)
class Pictures:
    """One rendered tumour; the mask lies on the pixels of every sequence."""

    grey: dict[str, UInt8[ndarray, "y x"]]
    tumour: Bool[ndarray, "y x"]


def render(plan: Plan, pixels: int) -> Pictures:
    """The pictures and the mask of one tumour, a function of ``plan`` and ``pixels`` alone."""
    own, surface, reader, bend, scanner = (default_rng(seed) for seed in SeedSequence(plan.seed).spawn(5))
    tissue, coil = default_rng(plan.background).spawn(2)
    fold = max(1, -(-FINE // pixels))
    lateral, back = points(plan.anatomy, pixels * fold)
    distance = distance_mm(plan.lesion, lateral, back, surface)
    fields = draw_fields(plan.lesion, lateral, back, tissue, own)
    quantity = slices(plan.anatomy, plan.lesion, distance, fields, lateral, back)
    shift = np.float32(DISTORTION_MM) * sheet(bend, DISTORTION_SIGMA_MM, lateral, back)
    shade = _shade(plan.anatomy, lateral, back, coil)
    clean = _sequences(quantity, shift, FIELD_MM / (pixels * fold))
    found = {name: _exposed(clean[name], shade, fold, DISPLAY[name], scanner) for name in SEQUENCES}
    outline = _pooled(drawn(distance, lateral, back, reader), fold) < 0
    turn = slice(None, None, 1 if plan.left else -1)
    return Pictures({name: value[:, turn] for name, value in found.items()}, outline[:, turn])


def points(anatomy: Anatomy, rows: int) -> tuple[Plane, Plane]:
    """Lateral and back of every point, in mm: pixel centres of a square field."""
    at = ((np.arange(rows) + 0.5) / rows - 0.5) * FIELD_MM
    across, along = anatomy.centre_mm
    back, lateral = np.meshgrid((at + along).astype(np.float32), (at + across).astype(np.float32), indexing="ij")
    return lateral, back


def _sequences(quantity: dict[str, Plane], shift_mm: Plane, step_mm: float) -> dict[str, Plane]:
    """Signals of six sequences, diffusion ones distorted, all blurred."""
    b0, adc = (_bent(value, shift_mm / step_mm) for value in (signal(quantity["dwi_b0"]), quantity["adc"]))
    plain = {name: signal(quantity[name]) for name in ("t2w", "t1w", "t1c")}
    clean = {**plain, "dwi_b0": b0, "dwi_b2000": diffusion_weighted(b0, adc), "adc": adc}
    return {name: gaussian_filter(value, DISPLAY[name].blur_mm / step_mm) for name, value in clean.items()}


def _bent(value: Plane, shift: Plane) -> Plane:
    """Values moved along y by ``shift`` pixels."""
    y, x = np.indices(value.shape, dtype=np.float32)
    return map_coordinates(value, [y + shift, x], order=1, mode="nearest")


def _exposed(clean: Plane, shade: Plane, fold: int, display: Display, rng: Generator) -> UInt8[ndarray, "row column"]:
    """Grey values of a sequence: pixels averaged, coil shading, noise, window.

    A signal is a magnitude, so its noise is Rician; an ADC map has Gaussian noise where there is signal, and air is 0.
    """
    value = _pooled(clean * shade if display.shaded else clean, fold)
    first, second = np.float32(display.noise) * rng.standard_normal((2, *value.shape), dtype=np.float32)
    if display.shaded:
        return grey(np.hypot(value + first, second), display)
    return grey((value + first) * (value > AIR_ADC), display)


def _shade(anatomy: Anatomy, lateral: Plane, back: Plane, rng: Generator) -> Plane:
    """Gain of a surface coil, 1 near the gland's centre, with a slow ripple."""
    x, y = anatomy.coil_mm
    away = np.hypot(lateral - x, back - y)
    near = np.exp(-away / 90) - np.exp(-float(np.hypot(x, y)) / 90)
    return 1 + anatomy.coil * (near + np.float32(0.4) * sheet(rng, 25.0, lateral, back))


def _pooled(value: Plane, fold: int) -> Float[ndarray, "row column"]:
    """Mean of every ``fold`` x ``fold`` points."""
    rows = value.shape[0] // fold
    return value.reshape(rows, fold, rows, fold).mean(axis=(1, 3))


def noise(plan: Plan, pixels: int) -> Pictures:
    """Pictures of nothing but smooth and sharp noise, under a mask that outlines nothing."""
    _, surface, reader, _, scanner = (default_rng(seed) for seed in SeedSequence(plan.seed).spawn(5))
    lateral, back = points(plan.anatomy, pixels)
    outline = drawn(distance_mm(plan.lesion, lateral, back, surface), lateral, back, reader) < 0
    found = {name: _noise(rng, lateral, back) for name, rng in zip(SEQUENCES, scanner.spawn(6), strict=True)}
    return Pictures(found, outline[:, :: 1 if plan.left else -1])


def _noise(rng: Generator, lateral: Plane, back: Plane) -> UInt8[ndarray, "y x"]:
    smooth, sharp = sheet(rng, 3.0, lateral, back), rng.standard_normal(lateral.shape, dtype=np.float32)
    return np.rint(np.clip(128 + 36 * smooth + 18 * sharp, 0, 255)).astype(np.uint8)
