"""Grey values of a series: decoded frame by frame and scaled by each frame's own slope and intercept."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from jaxtyping import Float32, Shaped
from numpy import ndarray
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder

from fusion.data.dicom_grid import Frame, Grid
from fusion.data.dicom_header import Header, Unreadable, opened
from fusion.data.dicom_unfit import NATIVE
from fusion.data.dicom_upright import AIR_HU, mended
from fusion.errors import CohortError, Fault

JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
"""Decoded by ITK where pydicom has no decoder."""


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
        low, high = sorted(((stored * slope + intercept) * grid.scale).astype(np.float32)[[0, -1]])
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
    by_itk = header.transfer in JPEG_LOSSLESS and not get_decoder(header.transfer).is_available
    stored = _by_itk(header) if by_itk else _by_pydicom(header)
    if stored.shape != (header.frames, header.rows, header.columns):
        raise Unreadable("of another size than the header says")
    for position, frame in frames:
        slope, intercept = (1.0, 0.0) if by_itk else _scaling(frame)
        with np.errstate(over="ignore"):  # what overflows is infinite, and told
            values[position] = (stored[frame.index] * slope + intercept) * scale
        if not np.isfinite(values[position]).all():
            raise Unreadable("NaN or infinite after slope and intercept")


def _by_pydicom(header: Header) -> Shaped[ndarray, "frame y x"]:
    with opened(header.path, pixels=True) as own:
        return used_bits(stored_frames(own, header), header)


def used_bits(stored: Shaped[ndarray, "frame y x"], header: Header) -> Shaped[ndarray, "frame y x"]:
    """The numbers without what bits above the stored ones hold: an overlay, as old scanners put one there.

    Raises:
        Unreadable: something else is there, so that nobody knows what the numbers are.
    """
    spare = 8 * stored.dtype.itemsize - header.bits[1]
    if stored.dtype.kind not in "iu" or spare <= 0:
        return stored
    own = (stored << spare) >> spare
    if np.array_equal(own, stored):
        return stored
    if not header.overlay:
        raise Unreadable(f"numbers beyond the {header.bits[1]} bits that the header says are used")
    return own


def stored_frames(own: pydicom.Dataset, header: Header) -> Shaped[ndarray, "frame y x"]:
    """The numbers as they are stored, before slope and intercept.

    Args:
        own: the whole data set.
        header: its header.

    Raises:
        Unreadable: no pixels, more or fewer than the header says, or no decoder for them.
    """
    if "PixelData" not in own:
        raise Unreadable("there are none")
    if header.transfer in NATIVE:
        expected = (header.rows * header.columns * header.frames * header.bits[0] + 7) // 8
        if not expected <= len(own.PixelData) <= expected + expected % 2:
            raise Unreadable(f"{len(own.PixelData)} of {expected} bytes")
    elif not _decoder_there(header.transfer):
        raise Unreadable("no decoder for their compression")
    return np.asarray(own.pixel_array).reshape(-1, *own.pixel_array.shape[-2:])


def _decoder_there(transfer: str) -> bool:
    try:
        return bool(get_decoder(transfer).is_available)
    except NotImplementedError:
        return False


def _by_itk(header: Header) -> Shaped[ndarray, "frame y x"]:
    """Grey values: ITK scales by slope and intercept itself, of which it has one pair for all frames of a file."""
    if header.frames > 1:
        raise Unreadable("several frames in lossless JPEG")
    with opened(header.path, pixels=True) as own:
        if "PixelData" not in own:
            raise Unreadable("there are none")
        _refuse_broken_jpeg(own.PixelData, header)
    try:
        scaled = sitk.GetArrayFromImage(sitk.ReadImage(str(header.path), imageIO="GDCMImageIO"))
    except RuntimeError as error:
        raise Unreadable("broken or cut off") from error
    return np.asarray(scaled.reshape(-1, *scaled.shape[-2:]))


def _refuse_broken_jpeg(content: bytes, header: Header) -> None:
    """ITK makes room for what broken lengths promise, and fills what is cut off, both without a word."""
    whole = next(generate_frames(content, number_of_frames=1))
    start = whole.find(b"\xff\xc3")
    rows, columns = struct.unpack_from(">2H", whole, start + 5)
    if start < 0 or (rows, columns) != (header.rows, header.columns) or not whole.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise Unreadable("broken or cut off")
