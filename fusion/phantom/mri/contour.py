"""The tumour's outline: a rough ellipse with the area of the smooth one, and another reader's line around it."""

import numpy as np
from numpy.random import Generator
from scipy.ndimage import distance_transform_edt

from fusion.phantom.field import Field, Grid
from fusion.phantom.mri.anatomy import FIELD_MM, Plane, ellipse_radius
from fusion.phantom.mri.lesion import Lesion

ROUGHNESS_MM, NEAR_MM = 3.5, 1.5
READER_MM, READER_SD_MM = 3.0, 0.5


def sheet(rng: Generator, sigma_mm: float, lateral: Plane, back: Plane) -> Plane:
    """A smooth Gaussian random field with unit variance on the picture's points."""
    nodes = 2 * (int(np.ceil(0.6 * FIELD_MM / sigma_mm)) + 3) + 1
    field = Field(rng.standard_normal((1, nodes, nodes), dtype=np.float32), (1.0, sigma_mm, sigma_mm))
    return field.on(Grid(np.zeros(1), back[:, 0], lateral[0]))[0]


def distance_mm(lesion: Lesion, lateral: Plane, back: Plane, rng: Generator) -> Plane:
    """Distance to the tumour's outline in mm, negative inside.

    The level is the quantile that leaves as many points inside as the smooth ellipse has; a fixed one would let
    roughness, and so the label, leak through the area.
    """
    radius = ellipse_radius(lesion, lateral, back)
    rough = radius + np.float32(lesion.roughness) * sheet(rng, ROUGHNESS_MM, lateral, back)
    inside = int((radius < 1).sum())
    level = rough - np.partition(rough.ravel(), inside)[inside]
    return _distance(level, abs(float(back[1, 0] - back[0, 0])))


def drawn(distance: Plane, lateral: Plane, back: Plane, rng: Generator) -> Plane:
    """A reader's outline: the true distance, moved by a smooth error that knows nothing of the label."""
    return distance + np.float32(READER_SD_MM) * sheet(rng, READER_MM, lateral, back)


def _distance(level: Plane, step_mm: float) -> Plane:
    """Exact point distances, refined below a pixel by the level's slope near the outline."""
    inside = level < 0
    coarse = distance_transform_edt(~inside, sampling=step_mm) - distance_transform_edt(inside, sampling=step_mm)
    slope = np.hypot(*np.gradient(level, step_mm))
    near_mm = max(NEAR_MM, 1.5 * step_mm)
    fine = np.clip(level / np.maximum(slope, 1e-6), -near_mm, near_mm)
    return np.where(np.abs(coarse) < near_mm, fine, coarse).astype(np.float32)
