"""Where slices lie along their normal: in even steps, or made even on request, or refused."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.config.dicom import Dicom
from fusion.data.dicom.unfit import LONGEST_MM
from fusion.errors import Fault

WIDEST_STEPS = 3.0
"""Of a gap that may be filled, in usual steps; in a wider one nobody knows what was there."""

Along = Float[ndarray, " scanned"]
"""Millimetres along the normal, from the first slice to the last."""


@dataclass(frozen=True)
class Levels:
    """The volume's slices by their places among the scanned ones."""

    step_mm: float
    source: Float[ndarray, " slice"]
    """See ``Mend.source``."""
    note: str
    """Empty where slices are as they were scanned."""


def levels(along: Along, uneven: float, dicom: Dicom, where: Path) -> Levels | Fault:
    """The slices of an even volume, or why there are none.

    Args:
        along: where slices lie, in order, no two at one place.
        uneven: of the step, how far a slice may lie from its place.
        dicom: whether missing slices may be filled.
        where: named in the fault.
    """
    gaps = np.diff(along)
    usual = float(np.median(gaps))
    told = f"steps between slices from {gaps.min():.4g} to {gaps.max():.4g} mm"
    if usual > LONGEST_MM:
        return Fault(told, f"{LONGEST_MM:g} mm at most", "export the series again", file=str(where))
    off = np.abs(along - np.linspace(along[0], along[-1], len(along))).max()
    if max(off, np.abs(gaps - usual).max() / 2) <= uneven * usual:
        step = float(along[-1] - along[0]) / (len(along) - 1)
        return Levels(step, np.arange(len(along), dtype=float), "")
    lost = sum(max(0, round(float(gap) / usual) - 1) for gap in gaps)
    found = f"{told}: {lost} slice{'s' if lost > 1 else ''} missing" if lost else told
    if dicom.missing_slices == "refuse":
        remedy = "find the missing slices, or set cohort.dicom.missing_slices=interpolate"
        return Fault(found, "even steps", remedy, file=str(where))
    if gaps.max() > WIDEST_STEPS * usual * (1 + uneven):
        expected = f"gaps of {WIDEST_STEPS:g} usual steps at most, to be filled"
        return Fault(found, expected, "find the missing slices", file=str(where))
    return _filled(along, usual, uneven, told, where)


def _filled(along: Along, usual_mm: float, uneven: float, told: str, where: Path) -> Levels | Fault:
    """Even slices from the first to the last; a scanned one stands where it lies near enough."""
    count = max(1, round(float(along[-1] - along[0]) / usual_mm))
    at = np.linspace(along[0], along[-1], count + 1)
    step = float(at[1] - at[0])
    source = np.interp(at, along, np.arange(len(along)))
    nearest = np.round(source)
    scanned = np.abs(along[nearest.astype(int)] - at) <= uneven * step
    source = np.where(scanned, nearest, source)
    made = int((~scanned).sum())
    if made > len(along):
        found = f"{made} slices to be made of {len(along)} scanned ones"
        return Fault(found, "no more made than scanned", "find the missing slices", file=str(where))
    note = f"{made} of {len(at)} slices made between their neighbours (linear), of {len(along)} scanned: {told}"
    return Levels(step, source, f"{note}, now {step:.4g} mm")
