"""The numbers in a DICOM file's pictures, decoded; before slope and intercept where that can be had."""

import struct

import numpy as np
import pydicom
import SimpleITK as sitk
from jaxtyping import Shaped
from numpy import ndarray
from pydicom.encaps import generate_frames
from pydicom.pixels import get_decoder

from fusion.data.dicom.header import Header, Unreadable, opened
from fusion.data.dicom.unfit import NATIVE

JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
"""Decoded by ITK where pydicom has no decoder."""
WHOLE_WORDS = (*NATIVE, "1.2.840.10008.1.2.5")
"""Transfer syntaxes, of which RLE is the last, that keep unused bits."""


def stored_or_scaled(header: Header) -> tuple[Shaped[ndarray, "frame y x"], bool]:
    """The numbers of all frames of a file; and whether they are scaled by slope and intercept already.

    Raises:
        Unreadable: no pixels, not to be decoded, or not to be understood.
    """
    by_itk = header.transfer in JPEG_LOSSLESS and not get_decoder(header.transfer).is_available
    return (_by_itk(header), True) if by_itk else (_by_pydicom(header), False)


def _by_pydicom(header: Header) -> Shaped[ndarray, "frame y x"]:
    with opened(header.path, pixels=True) as own:
        if header.transfer not in WHOLE_WORDS or header.bits[1] == header.bits[0]:
            return stored_frames(own, header)
        own.pixel_array_options(correct_unused_bits=False)  # what is in them decides; see used_bits
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
