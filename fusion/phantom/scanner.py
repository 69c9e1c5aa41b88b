"""What the scanner makes of the fine volume: thick slices, blur, correlated noise, whole HU."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16, Num
from numpy.random import Generator
from scipy.ndimage import gaussian_filter

from fusion.phantom.field import Grid
from fusion.types import Volume

SCANNERS = ("Discovery CT750 HD", "SOMATOM Definition Flash", "SOMATOM Force")
"""Shen 2026, Suppl. T1."""
SHARE = (0.34, 0.33, 0.33)
BLUR_MM = (0.42, 0.36, 0.32)
NOISE_HU = (10.0, 8.5, 7.0)
NOISE_GRAIN_MM = 0.35
SLICE_MM, THIN_SLICES = 5.0, 5
HU_RANGE = (-1024, 3071)


@dataclass(frozen=True)
class Acquisition:
    """How one case was scanned; ``zoom`` in 0..1 places the pixel size within its range."""

    scanner: int
    left: bool
    zoom: float
    shift_mm: tuple[float, float, float]
    noise_hu: float
    offset_hu: float


def draw_acquisition(rng: Generator) -> Acquisition:
    """Scanner, side and field of view of one case; nothing here sees the label."""
    u = rng.random(7).tolist()
    scanner = min(int(np.searchsorted(np.cumsum(SHARE), u[0], side="right")), 2)
    return Acquisition(
        scanner=scanner,
        left=u[1] < 0.5,
        zoom=u[2],
        shift_mm=(SLICE_MM * (u[3] - 0.5), 4 * (u[4] - 0.5), 4 * (u[5] - 0.5)),
        noise_hu=NOISE_HU[scanner] * (0.85 + 0.35 * u[6]),
        offset_hu=2 * float(rng.standard_normal()),
    )


def thick(fine: Num[np.ndarray, "thin y x"]) -> Volume:
    """Mean of every five thin slices: the partial volume of a 5-mm slice."""
    return fine.reshape(-1, THIN_SLICES, *fine.shape[1:]).mean(axis=1)


def expose(hu: Volume, acquisition: Acquisition, grid: Grid, rng: Generator) -> Int16[np.ndarray, "z y x"]:
    """The scanned volume in whole HU: in-plane blur, noise that is new in every slice, and an offset."""
    pixel_mm = abs(float(grid.x[1] - grid.x[0]))
    blur = BLUR_MM[acquisition.scanner] / pixel_mm
    sharp = gaussian_filter(hu, (0, blur, blur), truncate=3.0, output=np.float32)
    noise = _grain(grid.shape, NOISE_GRAIN_MM / pixel_mm, rng) * np.float32(acquisition.noise_hu)
    scanned = np.rint(sharp + noise + np.float32(acquisition.offset_hu))
    return np.clip(scanned, *HU_RANGE).astype(np.int16)


def _grain(shape: tuple[int, int, int], sigma: float, rng: Generator) -> Volume:
    """In-plane correlated noise with unit variance; ``sigma`` in pixels."""
    white = rng.standard_normal(shape, dtype=np.float32)
    impulse = np.zeros(33)
    impulse[16] = 1.0
    gain = (gaussian_filter(impulse, sigma, truncate=3.0) ** 2).sum()
    return gaussian_filter(white, (0, sigma, sigma), truncate=3.0) / np.float32(gain)
