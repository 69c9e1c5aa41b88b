"""Grey values of a series: decoded frame by frame and scaled by each frame's own slope and intercept."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from jaxtyping import Float, Float32, Shaped
from numpy import ndarray
from pydicom.pixels import get_decoder

from fusion.data.dicom_grid import Frame, Grid
from fusion.data.dicom_header import Header, Unreadable, opened
from fusion.data.dicom_unfit import NATIVE
from fusion.errors import CohortError, Fault

JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
"""Decoded by ITK where pydicom has no decoder."""


def decode(grid: Grid) -> Float32[ndarray, "z y x"]:
    """The grey values of ``grid``, in float32.

    Raises:
        CohortError: every file whose picture is missing, cut off, not to be decoded, of another size than its header
            says, or not finite after scaling.
    """
    values = np.empty(grid.geometry.size, np.float32)
    of_file: dict[Path, list[tuple[int, Frame]]] = {}
    for position, frame in enumerate(grid.frames):
        of_file.setdefault(frame.header.path, []).append((position, frame))
    reasons: dict[str, list[Path]] = {}
    for path, frames in of_file.items():
        try:
            _fill(values, frames)
        except Unreadable as reason:
            reasons.setdefault(str(reason), []).append(path)
    if reasons:
        raise CohortError([_fault(reason, files, len(of_file)) for reason, files in reasons.items()])
    return values


def _fault(reason: str, files: Sequence[Path], total: int) -> Fault:
    found = f"pixels that cannot be read ({reason})"
    found += f" in {len(files)} of {total} files, first in this one" if total > 1 else ""
    return Fault(found, "whole pictures", "copy or export the series again", file=str(min(files)))


def _fill(values: Float32[ndarray, "z y x"], frames: Sequence[tuple[int, Frame]]) -> None:
    """Put the frames of one file where they belong."""
    header = frames[0][1].header
    scaled = _by_itk(header) if _needs_itk(header) else _by_pydicom(header)
    if scaled.shape != (header.frames, header.rows, header.columns):
        raise Unreadable("of another size than the header says")
    for position, frame in frames:
        values[position] = scaled[frame.index]
    if not np.isfinite(values[[position for position, _ in frames]]).all():
        raise Unreadable("NaN or infinite after slope and intercept")


def _needs_itk(header: Header) -> bool:
    return header.transfer in JPEG_LOSSLESS and not get_decoder(header.transfer).is_available


def _by_pydicom(header: Header) -> Float[ndarray, "frame y x"]:
    with opened(header.path, pixels=True) as own:
        stored = stored_frames(own, header)
    slopes = np.array([1.0 if plane.slope is None else plane.slope for plane in header.planes])
    intercepts = np.array([plane.intercept or 0.0 for plane in header.planes])
    return (stored * slopes[:, None, None] + intercepts[:, None, None]).astype(np.float32)


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


def _by_itk(header: Header) -> Float[ndarray, "frame y x"]:
    """ITK scales by the file's slope and intercept itself; it has one pair for all frames of a file."""
    if header.frames > 1:
        raise Unreadable("several frames in lossless JPEG")
    with opened(header.path, pixels=True) as own:  # ITK's decoder fills a cut-off file in silence; this one does not
        if "PixelData" not in own:
            raise Unreadable("there are none")
    try:
        scaled = sitk.GetArrayFromImage(sitk.ReadImage(str(header.path), imageIO="GDCMImageIO"))
    except RuntimeError as error:
        raise Unreadable("broken or cut off") from error
    return scaled.reshape(-1, *scaled.shape[-2:]).astype(np.float32)
