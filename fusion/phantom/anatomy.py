"""What surrounds the tumour: numbers drawn without the label, and the neck that they lay out.

Lateral and back are mm from the tumour's centre, away from the midline and towards the back. Structures are pushed
away from the tumour until a drawn gap is left, as a growing mass would do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.spatial.distance import cdist

from fusion.phantom.lesion import Lesion

LOCATIONS = ("superficial", "deep", "both")
LOCATION_SHARE = (0.832, 0.022, 0.146)
"""Shen 2026, Suppl. T2."""
HALF_NECK_MM = (70.0, 92.0)


@dataclass(frozen=True)
class Anatomy:
    """Grey values in HU, lengths in mm."""

    location: str
    fat_hu: float
    gland_hu: float
    muscle_hu: float
    cortex_hu: float
    vein_hu: float
    artery: bool
    skin_gap_mm: float
    fat_mm: float
    rim_mm: float
    bone_gap_mm: float
    masseter_gap_mm: float
    neck_muscle_gap_mm: float
    styloid_gap_mm: float
    vein_gap_mm: float
    vein_turn_rad: float
    air_cells: bool
    air_direction: tuple[float, float, float]
    air_gap_mm: tuple[float, float, float, float]
    air_radius_mm: tuple[float, float, float, float]


@dataclass(frozen=True)
class Ellipse:
    """An upright elliptical cylinder; centre and semi-axes in mm along (lateral, back)."""

    lateral: float
    back: float
    semi: tuple[float, float]
    hu: float

    def inside(self, lateral: np.ndarray, back: np.ndarray) -> np.ndarray:
        """True for points within, on the plane spanned by the two coordinate vectors (back, lateral)."""
        across = ((lateral - self.lateral) / self.semi[0]) ** 2
        return across[None, :] + (((back - self.back) / self.semi[1]) ** 2)[:, None] < 1

    def beside(self, lateral: float, back: float, semi: tuple[float, float], hu: float) -> "Ellipse":
        """Another cylinder at an offset from this one."""
        return Ellipse(self.lateral + lateral, self.back + back, semi, hu)

    def border(self) -> np.ndarray:
        """64 points on the outline, columns (lateral, back)."""
        turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        return np.stack([self.lateral + self.semi[0] * np.cos(turn), self.back + self.semi[1] * np.sin(turn)], axis=1)


@dataclass(frozen=True)
class Layout:
    """The neck of one case: skin outline, midline, and structures in the order in which they are painted."""

    skin: Ellipse
    painted: tuple[Ellipse, ...]

    @property
    def midline(self) -> float:
        """Lateral position of the midline, in mm from the tumour's centre."""
        return self.skin.lateral


def draw_anatomy(rng: Generator) -> Anatomy:
    """The surroundings of one case; nothing here sees the label."""
    u, e = rng.random(22).tolist(), rng.standard_normal(6).tolist()
    location = LOCATIONS[min(int(np.searchsorted(np.cumsum(LOCATION_SHARE), u[0], side="right")), 2)]
    skin_gap = (18 + 10 * u[1]) if location == "deep" else (6 + 8 * u[1])
    away = np.array([e[3], abs(e[4]) + 0.5, e[5]])
    return Anatomy(
        location=location,
        fat_hu=-100 + 8 * e[0],
        gland_hu=float(np.clip(12 + 7 * e[1], -10, 35)),
        muscle_hu=66 + 5 * e[2],
        cortex_hu=850 + 450 * u[2],
        vein_hu=110 + 60 * u[3],
        artery=bool(u[4] < 0.5),
        skin_gap_mm=skin_gap,
        fat_mm=skin_gap * (0.25 + 0.35 * u[5]),
        rim_mm=5 + 6 * u[6],
        bone_gap_mm=0.2 + 15.8 * u[7],
        masseter_gap_mm=1 + 9 * u[8],
        neck_muscle_gap_mm=2 + 12 * u[9],
        styloid_gap_mm=8 + 12 * u[10],
        vein_gap_mm=0.5 + 5.5 * u[11],
        vein_turn_rad=0.6 * (2 * u[12] - 1),
        air_cells=bool(u[13] < 0.12),
        air_direction=tuple((away / np.linalg.norm(away)).tolist()),
        air_gap_mm=(0.1 + 0.8 * u[14], 0.1 + 0.8 * u[15], 0.1 + 0.8 * u[16], 0.1 + 0.8 * u[17]),
        air_radius_mm=(2.0 + 2.0 * u[18], 2.0 + 2.0 * u[19], 2.0 + 2.0 * u[20], 2.0 + 2.0 * u[21]),
    )


def lay_out(anatomy: Anatomy, lesion: Lesion) -> Layout:
    """Place skin, muscles, bones, vessels and airway round the tumour."""
    tumour = _outline(lesion)
    skin_lateral = tumour[:, 0].max() + anatomy.skin_gap_mm
    skin = Ellipse(skin_lateral - HALF_NECK_MM[0], 4.0, HALF_NECK_MM, anatomy.fat_hu)
    muscle = anatomy.muscle_hu
    ramus = _push(Ellipse(-2.0, -6.0, (4.5, 15.0), anatomy.cortex_hu), (-0.85, -0.53), anatomy.bone_gap_mm, tumour)
    masseter = _push(ramus.beside(10.0, -5.0, (6.5, 15.0), muscle), (0.0, -1.0), anatomy.masseter_gap_mm, tumour)
    neck_muscle = _push(Ellipse(1.0, 8.0, (8.0, 13.0), muscle), (-0.25, 0.97), anatomy.neck_muscle_gap_mm, tumour)
    styloid = _push(Ellipse(-2.0, 1.0, (2.2, 2.2), anatomy.cortex_hu), (-0.95, 0.3), anatomy.styloid_gap_mm, tumour)
    return Layout(
        skin,
        (
            *_midline(skin, muscle),
            ramus.beside(-12.0, -1.0, (5.5, 13.0), muscle),
            neck_muscle.beside(-15.0, -3.0, (6.0, 6.0), muscle),
            masseter,
            neck_muscle,
            styloid,
            ramus,
            ramus.beside(0.0, 0.0, (2.5, 12.5), 180.0),
            *_vessels(anatomy, tumour),
        ),
    )


def _midline(skin: Ellipse, muscle_hu: float) -> tuple[Ellipse, ...]:
    """Neck muscles, vertebra, spinal canal, tongue, pharynx wall and airway."""
    at = skin.lateral
    return (
        Ellipse(at, 52.0, (42.0, 30.0), muscle_hu),
        Ellipse(at, -32.0, (24.0, 30.0), muscle_hu),
        Ellipse(at, 4.0, (20.0, 12.0), muscle_hu),
        Ellipse(at, -2.0, (12.0, 6.0), -1000.0),
        Ellipse(at, 26.0, (14.0, 11.0), 320.0),
        Ellipse(at, 42.0, (9.0, 7.0), 35.0),
    )


def _vessels(anatomy: Anatomy, tumour: np.ndarray) -> tuple[Ellipse, ...]:
    """Retromandibular vein, medial to a superficial and lateral to a deep tumour, with or without the artery."""
    middle = {"superficial": np.pi, "deep": 0.0, "both": np.pi / 2}[anatomy.location]
    turn = middle + anatomy.vein_turn_rad
    away = (float(np.cos(turn)), float(np.sin(turn)))
    vein = _push(Ellipse(0.0, 0.0, (1.8, 1.8), anatomy.vein_hu), away, anatomy.vein_gap_mm, tumour)
    artery = _push(vein.beside(-4.0, 2.0, (1.5, 1.5), 280.0), (-1.0, 0.3), anatomy.vein_gap_mm + 2, tumour)
    return (vein, artery) if anatomy.artery else (vein,)


def _outline(lesion: Lesion) -> np.ndarray:
    """64 points on the smooth tumour's largest axial section, columns (lateral, back)."""
    _, y, x = lesion.semi_axes_mm
    cos, sin = np.cos(lesion.angle_rad), np.sin(lesion.angle_rad)
    return Ellipse(0.0, 0.0, (x, y), 0.0).border() @ np.array([[cos, sin], [-sin, cos]])


def _push(shape: Ellipse, away: tuple[float, float], gap_mm: float, tumour: np.ndarray) -> Ellipse:
    """Move ``shape`` along ``away``, in steps of 0.5 mm, until ``gap_mm`` is left between it and the tumour."""
    direction = np.array(away)
    least = (tumour @ direction).max() / 2
    border, centre = shape.border(), np.array([shape.lateral, shape.back])
    for step in np.arange(0, 80, 0.5):
        move = direction * step
        beyond = (centre + move) @ direction > least
        outside = ((((tumour - centre - move) / shape.semi) ** 2).sum(axis=1)).min() >= 1
        if beyond and outside and cdist(border + move, tumour).min() >= gap_mm:
            return shape.beside(float(move[0]), float(move[1]), shape.semi, shape.hu)
    raise AssertionError("a structure cannot be placed beside the tumour")
