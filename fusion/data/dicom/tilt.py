"""Whether slices are stacked along their normal, or aslant as under a tilted gantry; positions decide."""

from collections.abc import Set
from dataclasses import dataclass
from math import atan2, degrees
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.config.dicom import Dicom
from fusion.errors import Fault

SHIFTED = 0.1
"""Of a pixel, how far a slice may lie sideways of the line through the slices."""
SAME_DEG = 0.5
"""How far header and positions may differ."""
TOLD_DEG = 0.1
"""A smaller tilt in the header is none."""
STEEPEST_DEG = 45.0


@dataclass(frozen=True)
class Tilt:
    """How far each slice lies aside of the first, in pixels along (y, x)."""

    shift_px: Float[ndarray, "scanned 2"]
    note: str
    """Empty where slices lie above each other."""


def tilt(offsets_mm: Float[ndarray, "scanned 3"], pixel_mm: tuple[float, ...], given_deg: Set[float],
         incline_deg: float, dicom: Dicom, where: Path) -> Tilt | Fault:  # fmt: skip
    """How slices are stacked, or why they make no volume.

    Args:
        offsets_mm: of slices in order from the first one, along row (x), column (y) and normal (z).
        pixel_mm: between rows, between columns.
        given_deg: tilts that the headers tell; 0 where they do not, or say so unasked.
        incline_deg: between the slices' normal and the patient's long axis.
        dicom: whether a tilt may be mended.
        where: named in the fault.
    """
    aside, file = offsets_mm[:, :2], str(where)
    most_mm = SHIFTED * min(pixel_mm)
    far = float(np.linalg.norm(aside, axis=1).max())
    even = (offsets_mm[:, 2] / offsets_mm[-1, 2])[:, None] * aside[-1]
    if np.abs(aside - even).max() > most_mm:
        found = f"slices shifted sideways by up to {far:.3g} mm"
        return Fault(found, "slices above each other", "choose the slices of one volume", file=file)
    lean_deg = degrees(atan2(float(np.linalg.norm(aside[-1])), float(offsets_mm[-1, 2]))) if far > most_mm else 0.0
    contradicted = _contradicted(given_deg, lean_deg, incline_deg)
    if contradicted is not None:
        found = f"a gantry tilt of {contradicted:.3g} degrees in the header, and slices stacked {lean_deg:.3g} aslant"
        return Fault(found, "the same by header and positions", "export NIfTI", file=file)
    if not lean_deg:
        return Tilt(np.zeros_like(aside), "")
    found = f"a gantry tilt of {lean_deg:.3g} degrees: slices are stacked aslant"
    if dicom.tilt == "refuse" or lean_deg > STEEPEST_DEG:
        remedy = "set cohort.dicom.tilt=resample, or export NIfTI" if lean_deg <= STEEPEST_DEG else "export NIfTI"
        return Fault(found, "slices stacked along their normal", remedy, file=file)
    shift_px = even[:, ::-1] / pixel_mm
    shift_px[:, np.abs(shift_px).max(axis=0) <= SHIFTED] = 0.0
    note = f"a gantry tilt of {lean_deg:.3g} degrees: slices shifted within their planes onto an upright grid (linear)"
    return Tilt(shift_px, note)


def _contradicted(given_deg: Set[float], lean_deg: float, incline_deg: float) -> float | None:
    """A tilt of the header that neither the stacking nor the slices' own incline bears out."""
    for given in sorted(given_deg):
        borne_out = abs(given - lean_deg) <= SAME_DEG or (not lean_deg and abs(given - incline_deg) <= SAME_DEG)
        if given > TOLD_DEG and not borne_out:
            return given
    return None
