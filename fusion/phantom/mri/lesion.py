"""The tumour of one case: what is drawn for it, and how its histology's law acts on it."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import expit

from fusion.phantom.lesion import diameter_at
from fusion.phantom.mri.law import BETWEEN_SD, CONTRASTS, LEAST_ADC, Law

B0_SD = 0.15
"""SD of b0's z about T2's."""


@dataclass(frozen=True)
class Lesion:
    """Lengths in mm, z against muscle, ADC in 1e-3 mm2/s, the cyst relative to the tumour's centre."""

    semi_axes_mm: tuple[float, float]
    angle_rad: float
    offset_mm: tuple[float, float]
    z: dict[str, float]
    adc: float
    malignancy: float
    roughness: float
    texture_sd: float
    texture_mm: float
    edge_mm: float
    infiltration: float
    infiltration_mm: float
    capsule: bool
    cyst: bool
    cyst_radius_mm: float
    cyst_centre_mm: tuple[float, float]


def draw_lesion(law: Law, rng: Generator) -> Lesion:
    """The tumour of one case; the same numbers are drawn for every law, and size and place do not see it."""
    u, e = rng.random(10).tolist(), rng.standard_normal(11).tolist()
    semi = _semi_axes(u)
    latent = law.malignancy + e[0]
    contrast = {name: z + BETWEEN_SD * own for name, z, own in zip(CONTRASTS, law.z, e[1:4], strict=True)}
    turn, far = 2 * np.pi * u[2], np.sqrt(u[3])
    return Lesion(
        semi_axes_mm=semi,
        angle_rad=np.pi * u[4],
        offset_mm=(5 * far * float(np.cos(turn)), 11 * far * float(np.sin(turn))),
        z={**contrast, "dwi_b0": contrast["t2w"] + B0_SD * e[4]},
        adc=max(law.adc + law.adc_sd * e[5], LEAST_ADC),
        malignancy=latent,
        roughness=0.04 + 0.07 * float(expit(latent - 1)),
        texture_sd=0.22 * float(np.exp(0.40 * latent + 0.10 * e[6])),
        texture_mm=1.2 + 1.3 * u[5],
        edge_mm=0.6 * float(np.exp(0.30 * latent + 0.15 * e[7])),
        infiltration=float(np.clip(0.10 + 0.22 * latent + 0.06 * e[8], 0, 0.9)),
        infiltration_mm=2.0 + 2.0 * u[6],
        capsule=bool(u[7] < expit(0.3 - 0.9 * latent)),
        cyst=bool(u[8] < law.cyst),
        cyst_radius_mm=(0.30 + 0.25 * u[9]) * min(semi),
        cyst_centre_mm=_inside(e[9:11], semi),
    )


def _semi_axes(u: list[float]) -> tuple[float, float]:
    long = diameter_at(u[0]) / 2
    return long, long * (0.7 + 0.3 * u[1])


def _inside(direction: list[float], semi: tuple[float, float]) -> tuple[float, float]:
    across, along = 0.35 * min(semi) * np.array(direction) / np.linalg.norm(direction)
    return float(across), float(along)
