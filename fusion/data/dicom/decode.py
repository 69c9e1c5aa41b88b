"""Grey values of a series: every frame scaled by its own slope and intercept, in order, mended where asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from fusion.data.dicom.grid import Frame, Grid
from fusion.data.dicom.header import Unreadable
from fusion.data.dicom.pixels import stored_or_scaled
from fusion.data.dicom.upright import AIR_HU, mended
from fusion.errors import CohortError, Fault


@dataclass(frozen=True)
class Decoded:
    """Grey values, and what was seen in them."""

    values: Float32[ndarray, "z y x"]
    notes: tuple[str, ...]


def decode(grid: Grid) -> Decoded:
    """The grey values of ``grid``, in float32; of PET as SUV.

    Raises:
        CohortError: every file whose picture is missing, cut off, not to be decoded, of another size than its header
            says, or not finite after scaling.
    """
    header = grid.frames[0].header
    scanned = _scanned(grid, np.empty((len(grid.frames), header.rows, header.columns), np.float32))
    notes = _padding(scanned, grid)
    if grid.mend is None:
        return Decoded(scanned, notes)
    outside = AIR_HU if header.modality == "CT" else float(scanned.min())
    where = (f"{outside:g} where no slice reaches",) if grid.mend.tilted else ()
    return Decoded(mended(scanned, grid.mend, outside), (*notes, *where))


def _scanned(grid: Grid, values: Float32[ndarray, "z y x"]) -> Float32[ndarray, "z y x"]:
    of_file: dict[Path, list[tuple[int, Frame]]] = {}
    for position, frame in enumerate(grid.frames):
        of_file.setdefault(frame.header.path, []).append((position, frame))
    reasons: dict[str, list[Path]] = {}
    for path, frames in of_file.items():
        try:
            _fill(values, frames, grid.scale)
        except Unreadable as reason:
            reasons.setdefault(str(reason), []).append(path)
    if reasons:
        raise CohortError([_fault(reason, files, len(of_file)) for reason, files in reasons.items()])
    return values


def _padding(scanned: Float32[ndarray, "z y x"], grid: Grid) -> tuple[str, ...]:
    """A note of voxels that the scanner did not measure; they stay as they are, far from tissue in CT."""
    count, grey = 0, set[float]()
    for picture, frame in zip(scanned, grid.frames, strict=True):
        if not (stored := np.asarray(frame.header.padding)).size:
            continue
        slope, intercept = _scaling(frame)
        with np.errstate(over="ignore"):  # what overflows is infinite, as no voxel is
            low, high = sorted(((stored * slope + intercept) * grid.scale).astype(np.float32))
        found = int(((picture >= low) & (picture <= high)).sum())
        count += found
        grey |= {float(low)} if found else set()
    told = f"{min(grey):g}" + (f" to {max(grey):g}" if len(grey) > 1 else "") if grey else ""
    return (f"{count / scanned.size:.1%} of the voxels outside the scanner's field (padding, {told})",) if count else ()


def _scaling(frame: Frame) -> tuple[float, float]:
    return frame.plane.slope or 1.0, frame.plane.intercept or 0.0


def _fault(reason: str, files: Sequence[Path], total: int) -> Fault:
    found = f"pixels that cannot be read ({reason})"
    found += f" in {len(files)} of {total} files, first in this one" if total > 1 else ""
    return Fault(found, "whole pictures", "copy or export the series again", file=str(min(files)))


def _fill(values: Float32[ndarray, "z y x"], frames: Sequence[tuple[int, Frame]], scale: float) -> None:
    """Put the frames of one file where they belong."""
    header = frames[0][1].header
    stored, scaled = stored_or_scaled(header)
    if stored.shape != (header.frames, header.rows, header.columns):
        raise Unreadable("of another size than the header says")
    for position, frame in frames:
        slope, intercept = (1.0, 0.0) if scaled else _scaling(frame)
        with np.errstate(over="ignore"):  # what overflows is infinite, and told
            values[position] = (stored[frame.index] * slope + intercept) * scale
        if not np.isfinite(values[position]).all():
            raise Unreadable("NaN or infinite after slope and intercept")
