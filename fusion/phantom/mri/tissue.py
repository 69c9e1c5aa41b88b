"""The noiseless slice of every quantity: z against muscle, and ADC."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import ndtr

from fusion.phantom.mri.anatomy import Anatomy, Plane, Tissue, tissues, tumour_centre
from fusion.phantom.mri.contour import sheet
from fusion.phantom.mri.lesion import Lesion
from fusion.phantom.mri.signal import TISSUES, table

LOBULE_MM, STRAND_MM = 1.3, 1.1
CAPSULE_MM, REACH_MM = 1.4, 8.0
GRAIN = {
    "t2w": table(fat=0.15, gland=0.28, muscle=0.10, marrow=0.15, mucosa=0.2),
    "t1w": table(fat=0.15, gland=0.30, muscle=0.08, marrow=0.15, mucosa=0.1),
    "t1c": table(fat=0.10, gland=0.25, muscle=0.10, marrow=0.10, mucosa=0.2, vein=0.1),
    "dwi_b0": table(fat=0.10, gland=0.25, muscle=0.10, marrow=0.10, mucosa=0.2),
    "adc": table(fat=0.10, gland=0.12, muscle=0.08, marrow=0.10, mucosa=0.2, skin=0.1, vein=0.1, artery=0.1),
}
"""SD of a tissue's texture."""
TEXTURE = {"t2w": (1.0, 0.0), "t1w": (0.3, 0.4), "t1c": (0.2, 1.0), "dwi_b0": (0.9, 0.0), "adc": (0.25, 0.1)}
"""How two independent fields, of water and of vessels, make the tumour's texture; ADC in 1e-3 mm2/s."""
CAPSULE = {"t2w": -1.0, "t1w": -0.4, "t1c": 0.7, "dwi_b0": -0.6, "adc": -0.1}
"""What a fibrous capsule adds."""
CYST = {"t2w": 2.5, "t1w": -0.5, "t1c": -0.4, "dwi_b0": 2.5, "adc": 2.3}
"""Fluid; 2.5 in T2 is PHANTOM.md 8's."""
FOCUS_Z, FOCUS_FROM = 0.9, 1.3
"""Bright foci in T1, where the texture is above a level; of tumours with a cyst, as of a Warthin tumour's content."""


@dataclass(frozen=True)
class Fields:
    """The random fields of one tumour and of its patient's tissue."""

    tissue: Plane
    strands: Plane
    water: Plane
    vessels: Plane


def draw_fields(lesion: Lesion, lateral: Plane, back: Plane, background: Generator, own: Generator) -> Fields:
    """Tissue texture of the patient; strands and two textures of the tumour."""
    strands, water, vessels = own.spawn(3)
    return Fields(
        tissue=sheet(background, LOBULE_MM, lateral, back),
        strands=sheet(strands, STRAND_MM, lateral, back),
        water=sheet(water, lesion.texture_mm, lateral, back),
        vessels=sheet(vessels, lesion.texture_mm, lateral, back),
    )


def slices(
    anatomy: Anatomy, lesion: Lesion, distance: Plane, fields: Fields, lateral: Plane, back: Plane
) -> dict[str, Plane]:
    """The quantities of ``TISSUES`` on every point.

    Args:
        anatomy: the patient's.
        lesion: the tumour's.
        distance: to the tumour's outline in mm, negative inside.
        fields: textures.
        lateral: mm of every point.
        back: mm of every point.
    """
    found = tissues(anatomy, lesion, lateral, back)
    spread = _infiltrated(found, distance, lesion, fields)
    rim = lesion.capsule * np.exp(-0.5 * ((distance - CAPSULE_MM / 2) / (CAPSULE_MM / 2)) ** 2)
    share = ndtr(-distance / np.float32(lesion.edge_mm))
    cyst = _cyst(lesion, lateral, back)
    whole = {}
    for name, value in TISSUES.items():
        around = value[found] + GRAIN[name][found] * fields.tissue
        mean = lesion.adc if name == "adc" else lesion.z[name]
        around = around + spread * (mean - around) + CAPSULE[name] * rim * (found != Tissue.AIR)
        whole[name] = around + share * (_tumour(name, mean, lesion, fields, cyst) - around)
    whole["adc"] = np.maximum(whole["adc"], 0.02)
    return {name: value.astype(np.float32) for name, value in whole.items()}


def _infiltrated(found: np.ndarray, distance: Plane, lesion: Lesion, fields: Fields) -> Plane:
    """How much of the tumour grows into gland and fat: on strands, fading with distance."""
    soft = np.isin(found, (Tissue.GLAND, Tissue.FAT, Tissue.MUSCLE))
    near = soft & (distance > 0) & (distance < REACH_MM) & (fields.strands > -0.1)
    return np.where(near, lesion.infiltration * np.exp(-distance / lesion.infiltration_mm), 0)


def _tumour(name: str, mean: float, lesion: Lesion, fields: Fields, cyst: Plane) -> Plane:
    water, vessels = TEXTURE[name]
    solid = mean + lesion.texture_sd * (water * fields.water + vessels * fields.vessels)
    if name == "t1w":
        solid = solid + FOCUS_Z * lesion.cyst * (fields.water > FOCUS_FROM)
    return solid + cyst * (CYST[name] - solid)


def _cyst(lesion: Lesion, lateral: Plane, back: Plane) -> Plane:
    """Share of each point in the cyst, with an edge of 0.4 mm."""
    x, y = (own + move for own, move in zip(tumour_centre(lesion), lesion.cyst_centre_mm, strict=True))
    return lesion.cyst * ndtr((lesion.cyst_radius_mm - np.hypot(lateral - x, back - y)) / 0.4)
