"""A ring refined by hand, against the automatic one: may it be used, and how much was changed?

``roi.ring_files.found_rings`` finds the edited file; ``data.case.load`` lands it on the image's grid (a file cropped,
flipped or turned by the program that saved it lands exactly) and refuses an empty one, or one outside the image.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.ndimage import distance_transform_edt

from fusion.config.roi import Ring, Roi
from fusion.data.case import Case
from fusion.data.image import read_labels
from fusion.errors import CohortError, Fault
from fusion.roi.region import external2
from fusion.roi.ring_files import EDITED, ring_file
from fusion.types import Mask

How = Literal["automatic", "edited", "given"]
FAR = 3.0
"""In thicknesses (and one voxel more), how far from the tumour a refined ring is expected to stay."""
LOW_DICE = 0.5
"""Below it, the file may be another region than the ring."""


@dataclass(frozen=True)
class Refined:
    """The ring that counts, and how it came about."""

    ring: Mask
    how: How
    dice: float
    """Overlap with the automatic ring, 0 to 1."""
    voxels: int
    automatic_voxels: int
    notes: tuple[str, ...] = ()


def judged(
    case: Case,
    drawn: Path | None,
    roi: Roi,
    origin: Literal["edited", "given"] = "edited",
    written: Mask | None = None,
) -> Refined:
    """The ring of ``case``, compared with the automatic one, which is made again.

    Args:
        case: loaded with its drawn ring as ``external2``, or with None, which gives the automatic ring.
        drawn: the ring's file, for messages; in a run's folder, a file of another name beside it is looked at too.
        roi: how the automatic ring is made.
        origin: where ``drawn`` lies: in the run's folder (``found_rings``), or in the column of the cohort.
        written: the ring that the run itself wrote, where that was not the automatic one but the column's.

    Raises:
        CohortError: all at once: an empty ring, one over the tumour (unless ``roi.external2.shape`` is `filled`), or
            two files of the run's folder that were both edited.
    """
    automatic = external2(case, roi.external2)
    if case.external2 is None:
        return Refined(automatic, "automatic", 1.0, int(automatic.sum()), int(automatic.sum()))
    ring = case.external2
    faults = [*_unusable(ring, case.tumour, roi.external2), *_edited_twice(drawn, origin, written, automatic)]
    if faults:
        file = None if drawn is None else str(drawn)
        raise CohortError([Fault(*one, case=case.name, file=file) for one in faults])
    how = _how(ring, automatic, origin, written)
    overlap = dice(ring, automatic)
    notes = () if how == "automatic" else tuple(_doubts(ring, case, roi.external2, overlap))
    return Refined(ring, how, overlap, int(ring.sum()), int(automatic.sum()), notes)


def dice(one: Mask, other: Mask) -> float:
    """Twice the shared voxels by the voxels of both (Dice 1945, doi:10.2307/1932409); 1 for two empty masks.

    >>> dice(np.array([[[True, True]]]), np.array([[[True, False]]]))
    0.6666666666666666
    """
    both = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / both if both else 1.0


def _how(ring: Mask, automatic: Mask, origin: Literal["edited", "given"], written: Mask | None) -> How:
    if np.array_equal(ring, automatic):
        return "automatic"
    return "given" if written is not None and np.array_equal(ring, written) else origin


def _unusable(ring: Mask, tumour: Mask, wanted: Ring) -> Iterable[tuple[str, str, str]]:
    if not ring.any():
        yield "an empty ring", "at least one voxel", "draw it again, or delete the file for the automatic ring"
    shared = int((ring & tumour).sum())
    if shared and wanted.shape == "shell":
        found = f"a ring over the tumour ({shared} of its {int(ring.sum())} voxels)"
        yield found, "a ring beside the tumour", "erase it there, or set roi.external2.shape=filled"


def _edited_twice(
    drawn: Path | None, origin: Literal["edited", "given"], written: Mask | None, automatic: Mask
) -> Iterable[tuple[str, str, str]]:
    """A file saved under another name, beside one that was edited in its place: which is meant?"""
    if drawn is None or origin != "edited" or EDITED.search(drawn.name) is None:
        return
    base = ring_file(drawn.parent, EDITED.sub("", drawn.name))
    if base == drawn or not base.is_file():
        return
    stored = read_labels(base).values != 0
    if not np.array_equal(stored, automatic if written is None else written):
        found = f"two edited rings: this one and {base.name}"
        yield found, "one", f"delete the one that does not count; {base.name} is then written anew"


def _doubts(ring: Mask, case: Case, wanted: Ring, overlap: float) -> Iterable[str]:
    """What a refined ring may be, but seldom is."""
    limit_mm = FAR * wanted.thickness_mm + max(case.geometry.spacing_mm)
    if far := _farther(ring, case, limit_mm):
        yield f"external2: {far} of {int(ring.sum())} voxels lie more than {limit_mm:.3g} mm away from the tumour"
    if overlap < LOW_DICE:
        yield f"external2: little in common with the automatic ring (Dice {overlap:.2f}); is it the ring?"
    if wanted.shape == "filled" and (left := int((case.tumour & ~ring).sum())):
        yield f"external2: a filled ring without {left} of the tumour's {int(case.tumour.sum())} voxels"


def _farther(ring: Mask, case: Case, limit_mm: float) -> int:
    """Voxels of the ring farther than ``limit_mm`` from the tumour, in three dimensions."""
    index = np.argwhere(case.tumour)
    room = np.ceil(limit_mm / np.asarray(case.geometry.spacing_mm)).astype(int) + 1
    low, high = np.maximum(index.min(axis=0) - room, 0), index.max(axis=0) + room + 1
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    distance_mm = distance_transform_edt(~case.tumour[box], sampling=case.geometry.spacing_mm)
    near = ring[box] & (distance_mm <= limit_mm + 1e-6)
    return int(ring.sum()) - int(near.sum())
