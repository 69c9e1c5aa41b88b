"""The axial slice around the tumour: drawn without the label, as a map of tissues that a growing mass has pushed aside.

Lateral and back are mm from the gland's centre, away from the midline and towards the back; the right half of the face
as a radiologist sees it, so that a left side is its mirror image.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from numpy.random import Generator

from fusion.phantom.mri.lesion import Lesion

FIELD_MM = 100.0
"""Side of the picture."""
KEPT = 0.45
"""Part of the tumour's diameter whose tissue it has replaced; the rest it has pushed aside, at equal area."""

Plane = Float[ndarray, "y x"]


class Tissue(IntEnum):
    """What a pixel shows without a tumour."""

    AIR = 0
    SKIN = 1
    FAT = 2
    GLAND = 3
    MUSCLE = 4
    CORTEX = 5
    MARROW = 6
    VEIN = 7
    ARTERY = 8
    MUCOSA = 9


@dataclass(frozen=True)
class Oval:
    """Centre and semi-axes in mm along (lateral, back), tilted."""

    tissue: Tissue
    lateral: float
    back: float
    semi: tuple[float, float]
    tilt_rad: float = 0.0

    def inside(self, lateral: Plane, back: Plane) -> np.ndarray:
        """True for points within."""
        cos, sin = np.cos(self.tilt_rad), np.sin(self.tilt_rad)
        x, y = lateral - np.float32(self.lateral), back - np.float32(self.back)
        across, along = (cos * x + sin * y) / self.semi[0], (cos * y - sin * x) / self.semi[1]
        return across * across + along * along < 1


STRUCTURES = (
    Oval(Tissue.MUSCLE, -26.0, 54.0, (26.0, 13.0), 0.3),
    Oval(Tissue.MUSCLE, -44.0, 22.0, (15.0, 7.0), 0.2),
    Oval(Tissue.CORTEX, -52.0, 40.0, (19.0, 14.0)),
    Oval(Tissue.MARROW, -52.0, 40.0, (17.0, 12.0)),
    Oval(Tissue.MUSCLE, -48.0, -42.0, (24.0, 17.0)),
    Oval(Tissue.MUCOSA, -48.0, -4.0, (14.0, 17.0)),
    Oval(Tissue.AIR, -51.0, -2.0, (10.0, 9.0)),
    Oval(Tissue.GLAND, 10.0, 3.0, (14.0, 27.0), -0.15),
    Oval(Tissue.GLAND, -4.0, 6.0, (12.0, 10.0)),
    Oval(Tissue.MUSCLE, 9.0, -31.0, (7.0, 18.0), 0.30),
    Oval(Tissue.MUSCLE, -15.0, -22.0, (6.5, 14.0), -0.25),
    Oval(Tissue.CORTEX, -3.0, -26.0, (5.2, 17.0), 0.15),
    Oval(Tissue.MARROW, -3.0, -26.0, (3.2, 15.0), 0.15),
    Oval(Tissue.MUSCLE, 12.0, 36.0, (7.5, 14.0), -0.45),
    Oval(Tissue.MUSCLE, -3.0, 27.0, (6.0, 7.5), 0.4),
    Oval(Tissue.CORTEX, -11.0, 12.0, (2.2, 2.2)),
    Oval(Tissue.ARTERY, -23.0, 13.0, (3.0, 3.0)),
    Oval(Tissue.VEIN, -20.0, 21.0, (4.2, 3.6)),
    Oval(Tissue.ARTERY, -6.0, 1.0, (1.6, 1.6)),
    Oval(Tissue.VEIN, 0.0, -2.0, (2.2, 2.2)),
)
"""In the order in which they are painted."""
SKIN = Oval(Tissue.SKIN, -42.0, 0.0, (76.0, 104.0))
SKIN_MM = 2.0


@dataclass(frozen=True)
class Anatomy:
    """How one patient differs from ``STRUCTURES``: moves in mm, scales as factors, one row a structure."""

    fat_mm: float
    move_mm: tuple[tuple[float, float], ...]
    scale: tuple[float, ...]
    centre_mm: tuple[float, float]
    coil_mm: tuple[float, float]
    coil: float


def draw_anatomy(rng: Generator) -> Anatomy:
    """The surroundings of one patient's tumours; nothing here sees the label."""
    u, move = rng.random(6).tolist(), rng.standard_normal((len(STRUCTURES), 2))
    scale = np.exp(0.07 * rng.standard_normal(len(STRUCTURES)))
    for bone, marrow in _pairs():
        move[marrow], scale[marrow] = move[bone], scale[bone]
    return Anatomy(
        fat_mm=3.0 + 6.0 * u[0],
        move_mm=tuple((float(a), float(b)) for a, b in 1.2 * np.clip(move, -2.5, 2.5)),
        scale=tuple(scale.tolist()),
        centre_mm=(-10.0 + 8 * (u[1] - 0.5), 8 * (u[2] - 0.5)),
        coil_mm=(30 + 20 * u[3], 60 * (u[4] - 0.5)),
        coil=0.10 + 0.10 * u[5],
    )


def tissues(anatomy: Anatomy, lesion: Lesion, lateral: Plane, back: Plane) -> Int[ndarray, "y x"]:
    """The tissue of every point as if the tumour had only pushed; a superficial mass makes the skin bulge."""
    lateral, back = _before(lesion, lateral, back)
    found = np.full(lateral.shape, Tissue.AIR, np.int64)
    found[SKIN.inside(lateral, back)] = Tissue.SKIN
    under, deep = (_shrunk(by).inside(lateral, back) for by in (SKIN_MM, SKIN_MM + anatomy.fat_mm))
    found[under] = Tissue.FAT
    for shape, move, scale in zip(STRUCTURES, anatomy.move_mm, anatomy.scale, strict=True):
        found[_moved(shape, move, scale).inside(lateral, back) & deep] = shape.tissue
    return found


def ellipse_radius(lesion: Lesion, lateral: Plane, back: Plane) -> Plane:
    """Distance from the tumour's centre in units of its smooth ellipse's radius in that direction."""
    own = Oval(Tissue.GLAND, *tumour_centre(lesion), lesion.semi_axes_mm, lesion.angle_rad)
    cos, sin = np.cos(own.tilt_rad), np.sin(own.tilt_rad)
    x, y = lateral - np.float32(own.lateral), back - np.float32(own.back)
    return np.hypot((cos * x + sin * y) / own.semi[0], (cos * y - sin * x) / own.semi[1])


def tumour_centre(lesion: Lesion) -> tuple[float, float]:
    """Lateral and back of the tumour's centre, within the gland."""
    return 8.0 + lesion.offset_mm[0], 4.0 + lesion.offset_mm[1]


def _before(lesion: Lesion, lateral: Plane, back: Plane) -> tuple[Plane, Plane]:
    """Where each point lay before the tumour grew: outside it, area is kept along every ray."""
    radius = np.maximum(ellipse_radius(lesion, lateral, back), np.float32(1e-3))
    outside = np.sqrt(np.maximum(radius**2 - (1 - KEPT**2), KEPT**2))
    shrink = np.where(radius > 1, outside / radius, KEPT)
    x, y = tumour_centre(lesion)
    return x + (lateral - x) * shrink, y + (back - y) * shrink


def _shrunk(by_mm: float) -> Oval:
    return Oval(SKIN.tissue, SKIN.lateral, SKIN.back, (SKIN.semi[0] - by_mm, SKIN.semi[1] - by_mm))


def _moved(shape: Oval, move: tuple[float, float], scale: float) -> Oval:
    semi = (shape.semi[0] * scale, shape.semi[1] * scale)
    return Oval(shape.tissue, shape.lateral + move[0], shape.back + move[1], semi, shape.tilt_rad)


def _pairs() -> list[tuple[int, int]]:
    """Every marrow with the cortex that it fills."""
    return [(n - 1, n) for n, shape in enumerate(STRUCTURES) if shape.tissue == Tissue.MARROW]
