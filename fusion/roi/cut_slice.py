"""Cut the square round the tumour out of a slice, in grey values from 0 to 255."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from PIL import Image

from fusion.config import roi, tasks
from fusion.config.cohort import Cohort
from fusion.data.slice import Slice, read_scan
from fusion.data.study import Study
from fusion.errors import CohortError, Fault
from fusion.roi.slice import Slices

PERCENTILES = 0.5, 99.5
"""Of a slice's grey values; they become 0 and 255 where no window is given."""


class Piece(NamedTuple):
    """One sequence of a case as the networks see it."""

    grey: UInt8[ndarray, "y x"]
    mask: Bool[ndarray, "y x"]
    """False everywhere without a mask."""
    pixel_mm: Float[ndarray, "2"]
    """Pixel size along (y, x) of this picture; 1 where the file does not say."""


def look(study: Study, cohort: Cohort, slice: roi.Slice) -> dict[str, Piece]:
    """The case's pieces by sequence, of the sequences that it has.

    Args:
        study: paths of the case's scans.
        cohort: sequences, label value and tolerances.
        slice: the square and its size.

    Raises:
        CohortError: every fault of every scan at once.
    """
    pieces: dict[str, Piece] = {}
    faults: list[Fault] = []
    for scan in study.scans:
        sequence = cohort.sequences[scan.sequence]
        try:
            pieces[scan.sequence] = cut(read_scan(scan, sequence, cohort, study.case), sequence, slice)
        except CohortError as error:
            faults += [replace(fault, case=study.case, file=fault.file or str(scan.image)) for fault in error.faults]
    if faults:
        raise CohortError(faults)
    return pieces


def stack(studies: Sequence[Study], pieces: Sequence[Mapping[str, Piece]], sequences: Sequence[str]) -> Slices:
    """The pieces of all cases as one array, 0 where a case lacks a sequence.

    Args:
        studies: the cases.
        pieces: of each case, by sequence; one piece at least, and all of one size.
        sequences: in the run's order.
    """
    shape = next(piece.grey.shape for own in pieces for piece in own.values())
    size = len(studies), len(sequences)
    found = Slices(
        cases=tuple(study.case for study in studies),
        sequences=tuple(sequences),
        grey=np.zeros((*size, *shape), np.uint8),
        there=np.zeros(size, bool),
        mask=np.zeros((*size, *shape), bool),
        pixel_mm=np.ones((*size, 2)),
    )
    for row, own in enumerate(pieces):
        for column, name in enumerate(sequences):
            if name in own:
                found.grey[row, column], found.mask[row, column], found.pixel_mm[row, column] = own[name]
                found.there[row, column] = True
    return found


def cut(found: Slice, sequence: tasks.Sequence, slice: roi.Slice) -> Piece:
    """The square round the tumour, or the whole slice made square, resized to ``slice.shape``.

    The square lies centred on the tumour's centroid, its side is ``slice.crop`` times the longer side of the tumour's
    bounding box; it is a square in mm where the pixel size is known. Outside the slice the nearest pixel goes on.

    Args:
        found: grey values, and the tumour where it is known.
        sequence: its window of grey values.
        slice: the square and its size; pixels along (y, x).

    Raises:
        CohortError: one grey value is left in the window or in the square.
    """
    pixel_mm = np.array(found.pixel_mm or (1.0, 1.0))
    centre, side_mm = _square(found, pixel_mm, slice.crop)
    half = side_mm / 2 / pixel_mm
    low, high = centre - half, centre + half
    grey = _resized(_shades(found, sequence), low, high, slice.shape)
    if grey.min() == grey.max():
        told = f"one grey value ({grey.min()}) in the square round the tumour"
        remedy = "set the sequence's window, or check that mask and slice belong together"
        raise CohortError(Fault(told, "a picture", remedy))
    return Piece(grey, _mask(found.mask, low, high, slice.shape), side_mm / np.array(slice.shape, float))


def _square(found: Slice, pixel_mm: Float[ndarray, "2"], crop: float | None) -> tuple[Float[ndarray, "2"], float]:
    """Centre in pixels along (y, x), counted from the outer edge of the first pixel; side in mm."""
    if found.mask is None or crop is None:
        size = np.array(found.values.shape)
        return size / 2, float((size * pixel_mm).max())
    tumour = np.argwhere(found.mask)
    longest = (np.ptp(tumour, axis=0) + 1) * pixel_mm
    return tumour.mean(axis=0) + 0.5, crop * float(longest.max())


def _shades(found: Slice, sequence: tasks.Sequence) -> Float[ndarray, "y x"]:
    """Grey values from 0 to 255, clipped to the window; 8-bit pictures without a window are left as they are."""
    values = found.values.astype(float)
    if sequence.window is None and found.bits == 8:
        return values
    low, high = np.percentile(values, PERCENTILES) if sequence.window is None else sequence.window
    if low == high:
        told = f"no contrast: {PERCENTILES[0]:g} to {PERCENTILES[1]:g} percent of the pixels have grey value {low:g}"
        raise CohortError(Fault(told, "a picture", "set the sequence's window"))
    return np.clip((values - low) / (high - low), 0, 1) * 255


def _resized(
    shades: Float[ndarray, "y x"], low: Float[ndarray, "2"], high: Float[ndarray, "2"], shape: tuple[int, int]
) -> UInt8[ndarray, "row column"]:
    """Linear, with a filter as wide as the new pixels where they are larger than the old."""
    before = np.maximum(np.ceil(-low), 0).astype(int)
    after = np.maximum(np.ceil(high - shades.shape), 0).astype(int)
    padded = np.pad(shades, np.stack([before, after], axis=1), mode="edge").astype(np.float32)
    (top, left), (bottom, right) = low + before, np.minimum(high + before, padded.shape)
    box = (float(left), float(top), float(right), float(bottom))
    resized = Image.fromarray(padded).resize(shape[::-1], Image.Resampling.BILINEAR, box=box)
    return np.clip(np.rint(np.asarray(resized)), 0, 255).astype(np.uint8)


def _mask(
    mask: Bool[ndarray, "y x"] | None, low: Float[ndarray, "2"], high: Float[ndarray, "2"], shape: tuple[int, int]
) -> Bool[ndarray, "row column"]:
    """By nearest neighbour; of a tumour between the new pixels' centres, those that its pixels' centres fall into."""
    if mask is None:
        return np.zeros(shape, bool)
    at = [first + (np.arange(n) + 0.5) * (last - first) / n for n, first, last in zip(shape, low, high, strict=True)]
    inside = [(place >= 0) & (place < size) for place, size in zip(at, mask.shape, strict=True)]
    row, column = (np.clip(place.astype(int), 0, size - 1) for place, size in zip(at, mask.shape, strict=True))
    moved = mask[np.ix_(row, column)] & inside[0][:, None] & inside[1]
    if not moved.any():
        place = (np.argwhere(mask) + 0.5 - low) / (high - low) * shape
        moved[tuple(np.clip(place.astype(int), 0, np.array(shape) - 1).T)] = True
    return moved
