"""The tumour of one case: what is drawn for it, and how the latents act on it."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import expit, ndtr, ndtri

from fusion.phantom.latent import Latent, Law

DIAMETER_MM, DIAMETER_SD_MM, DIAMETER_RANGE_MM = 22.87, 8.0, (10.0, 44.0)
"""Pooled diameter of Shen 2026, Suppl. T2; tumours under 10 mm were excluded there."""
ENHANCEMENT_HU = ((43.0, 15.0), (65.0, 18.0), (58.0, 18.0), (48.0, 16.0))
"""Mean and SD of arterial enhancement: pleomorphic adenoma, Warthin tumour, other benign, malignant."""
BENIGN_MIX = (0.48, 0.38, 0.14, 0.0)


@dataclass(frozen=True)
class Lesion:
    """Lengths in mm, grey values in HU; positions relative to the tumour's centre."""

    diameter_mm: float
    semi_axes_mm: tuple[float, float, float]
    angle_rad: float
    roughness: float
    plain_hu: float
    enhancement_hu: float
    texture_sd_hu: float
    texture_mm: float
    cyst: bool
    cyst_hu: float
    cyst_radius_mm: float
    cyst_centre_mm: tuple[float, float, float]
    edge_mm: float
    infiltration: float
    infiltration_mm: float
    capsule_hu: float


def draw_lesion(event: int, latent: Latent, law: Law, prevalence: float, rng: Generator) -> Lesion:
    """The tumour of one case; the same numbers are drawn for either class, and switched off by a factor."""
    u, e = rng.random(12).tolist(), rng.standard_normal(9).tolist()
    semi = _semi_axes(u)
    return Lesion(
        diameter_mm=2 * max(semi),
        semi_axes_mm=semi,
        angle_rad=np.pi * u[6],
        roughness=0.05 + 0.05 * float(expit(latent.tumour - 1)) + 0.04 * latent.unclear,
        plain_hu=32 + 5 * e[0],
        enhancement_hu=_enhancement(event, law, prevalence, u[7], e[1]),
        texture_sd_hu=8 * float(np.exp(0.50 * latent.tumour + 0.08 * e[2])),
        texture_mm=1.2 + 2.0 * u[8],
        cyst=bool(u[9] < expit(-1.35 + 0.45 * latent.tumour)),
        cyst_hu=14 + 5 * e[3],
        cyst_radius_mm=(0.25 + 0.20 * u[10]) * min(semi),
        cyst_centre_mm=_inside(e[4:7], semi),
        edge_mm=0.7 * float(np.exp(0.12 * latent.external2 + 0.35 * latent.unclear + 0.15 * e[7])),
        infiltration=float(np.clip(0.12 + 0.42 * latent.external2 + 0.06 * e[8], 0, 1)),
        infiltration_mm=1.5 + 2.0 * u[11],
        capsule_hu=_capsule(*rng.random(2).tolist()),
    )


def diameter_at(u: float) -> float:
    """The longest diameter in mm at the quantile ``u``: one lognormal law, cut at both ends, for every tumour."""
    spread = np.sqrt(np.log1p((DIAMETER_SD_MM / DIAMETER_MM) ** 2))
    centre = np.log(DIAMETER_MM) - spread**2 / 2
    low, high = ndtr((np.log(DIAMETER_RANGE_MM) - centre) / spread)
    return float(np.exp(centre + spread * ndtri(low + u * (high - low))))


def _semi_axes(u: list[float]) -> tuple[float, float, float]:
    ratios = np.array([1.0, 0.7 + 0.3 * u[1], 0.65 + 0.30 * u[2]])
    z, y, x = diameter_at(u[0]) / 2 * ratios[np.argsort(u[3:6])]
    return float(z), float(y), float(x)


def _enhancement(event: int, law: Law, prevalence: float, u: float, e: float) -> float:
    malignant = np.array([0.0, 0.0, 0.0, 1.0])
    share = event if law.separate_enhancement else prevalence
    mix = share * malignant + (1 - share) * np.array(BENIGN_MIX)
    mean, sd = ENHANCEMENT_HU[min(int(np.searchsorted(np.cumsum(mix), u, side="right")), 3)]
    return max(mean + sd * e, 6.0)


def _inside(direction: list[float], semi: tuple[float, float, float]) -> tuple[float, float, float]:
    z, y, x = 0.4 * np.array(semi) * direction / np.linalg.norm(direction)
    return float(z), float(y), float(x)


def _capsule(present: float, strength: float) -> float:
    return (present < 0.25) * (8 + 14 * strength)
