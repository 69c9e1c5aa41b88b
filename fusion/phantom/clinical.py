"""The clinical row of one case: the person, the readings that a reader takes from the volume, and his slips."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.ndimage import binary_erosion
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from scipy.special import logit, ndtri

from fusion.phantom.lesion import Lesion
from fusion.types import Mask, Volume

FEMALE, SMOKING, DRINKING, MULTIPLE, CALCIFICATION, ROUND = 0.403, 0.454, 0.339, 0.076, 0.034, 0.224
"""Pooled shares of Shen 2026, Suppl. T2."""
ROUGHNESS, ROUGHNESS_SD = 0.075, 0.018
ROUND_ODDS_RATIO = 1.5
SLIP = 0.08
HETEROGENEOUS_SD_HU, UNIFORM_SD_HU = 12.0, 8.4
"""Cuts on the texture that leave the pooled shares .406 heterogeneous and .387 uniform."""
ENHANCEMENT_HU = (20.0, 40.0)
GRADES = ("slight", "moderate", "obvious")


@dataclass(frozen=True)
class Person:
    """Label-free traits of the patient, and the draws behind the reader's judgements."""

    age: int
    female: bool
    smoking: bool
    drinking: bool
    multiple: bool
    calcification: bool
    round_draw: float
    slips: tuple[bool, bool, bool, bool]
    slip_up: bool


def draw_person(rng: Generator) -> Person:
    """The person of one case; being male, smoking and drinking share a liability (pairwise correlation 0.5)."""
    e, u = rng.standard_normal(5).tolist(), rng.random(8).tolist()
    female, smoking, drinking = (np.sqrt(0.5) * (e[1] + own) for own in e[2:5])
    return Person(
        age=round(float(np.clip(52.7 + 14.6 * e[0], 18, 88))),
        female=bool(-female > ndtri(1 - FEMALE)),
        smoking=bool(smoking > ndtri(1 - SMOKING)),
        drinking=bool(drinking > ndtri(1 - DRINKING)),
        multiple=u[0] < MULTIPLE,
        calcification=u[1] < CALCIFICATION,
        round_draw=u[2],
        slips=(u[3] < SLIP, u[4] < SLIP, u[5] < SLIP, u[6] < SLIP),
        slip_up=u[7] < 0.5,
    )


def person_columns(person: Person, lesion: Lesion) -> dict[str, object]:
    """Columns that need no volume; a rougher surface is less often called round."""
    rough = (lesion.roughness - ROUGHNESS) / ROUGHNESS_SD
    is_round = logit(person.round_draw) < logit(ROUND) - np.log(ROUND_ODDS_RATIO) * rough
    return {
        "age": person.age,
        "sex": "F" if person.female else "M",
        "smoking": _yes(person.smoking),
        "drinking": _yes(person.drinking),
        "number": "multiple" if person.multiple else "single",
        "calcification": _yes(person.calcification),
        "shape": "round" if is_round else "non-round",
    }


def read_columns(
    hu: Volume, tumour: Mask, pixel_mm: float, lesion: Lesion, noise_hu: float, person: Person
) -> dict[str, object]:
    """Columns read from the scanned volume: diameter, texture, cyst and enhancement, with 8% slips.

    Args:
        hu: the scanned volume in HU.
        tumour: the first reader's mask.
        pixel_mm: in-plane voxel size in mm.
        lesion: the cyst, and the plain scan's grey value, which the arterial volume does not show.
        noise_hu: SD of the scanner's noise, which a reader looks through.
        person: the reader's slips.
    """
    inner = _interior(tumour)
    sd = float(np.sqrt(max(hu[inner].var() - noise_hu**2, 0.0)))
    grade = int(np.searchsorted(ENHANCEMENT_HU, np.median(hu[inner]) - lesion.plain_hu))
    cystic, density, uniform, enhanced = person.slips
    return {
        "diameter_mm": round(diameter_mm(tumour, pixel_mm), 1),
        "cystic": _yes(lesion.cyst != cystic),
        "density": "heterogeneous" if (sd > HETEROGENEOUS_SD_HU) != density else "homogeneous",
        "uniformity": _yes((sd < UNIFORM_SD_HU) != uniform),
        "enhancement": GRADES[_neighbour(grade, person.slip_up) if enhanced else grade],
    }


def diameter_mm(tumour: Mask, pixel_mm: float) -> float:
    """Longest in-plane diameter, in mm, of the slice with the largest section."""
    section = tumour[tumour.sum(axis=(1, 2)).argmax()]
    corners = np.argwhere(section)
    hull = corners[ConvexHull(corners).vertices]
    return float((pdist(hull).max() + 1) * pixel_mm)


def _interior(tumour: Mask) -> Mask:
    """The tumour without its blurred edge; a sliver that has no interior is read whole."""
    cross = np.zeros((3, 3, 3), bool)
    cross[1, 1, :] = cross[1, :, 1] = True
    inner = binary_erosion(tumour, cross, iterations=3)
    return inner if inner.sum() >= 20 else tumour


def _neighbour(grade: int, up: bool) -> int:
    return {0: 1, 2: 1}.get(grade, 2 if up else 0)


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
