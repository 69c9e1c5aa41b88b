"""Read a single DICOM slice: the header by pydicom, the pixels, compressed or not, by ITK."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from jaxtyping import Float32
from numpy import ndarray
from pydicom.errors import InvalidDicomError

from fusion.errors import CohortError, Fault


@dataclass(frozen=True)
class DicomSlice:
    """Grey values after the header's rescaling, high is bright; pixel size along (y, x) in mm where it is told."""

    values: Float32[ndarray, "y x"]
    pixel_mm: tuple[float, float] | None
    bits: int
    """8 where the values are those of an 8-bit picture, else as many as the file stores."""


def is_dicom(path: Path) -> bool:
    """Whether the name says DICOM: .dcm, no suffix, or a number after the last point, as in names made of an UID."""
    suffix = path.suffix.lower()[1:]
    return suffix in ("", "dcm", "dicom", "ima") or suffix.isdigit()


def read_dicom(path: Path) -> DicomSlice:
    """The slice in ``path``.

    ITK applies slope and intercept, and turns MONOCHROME1 (high is dark) into MONOCHROME2.

    Raises:
        CohortError: no DICOM picture, several frames, colours, a lookup table, unreadable pixels, or a pixel size of
            no sense.
    """
    header = _header(path)
    faults = [Fault(*told, file=str(path)) for told in _unfit(header)]
    if faults:
        raise CohortError(faults)
    try:
        values = sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO="GDCMImageIO"))
    except RuntimeError as error:
        found = f"pixels that cannot be decoded ({header.file_meta.TransferSyntaxUID.name}), or a file that is cut off"
        raise CohortError(Fault(found, "a whole picture", "export or copy the file again", file=str(path))) from error
    plain = header.BitsAllocated == 8 and header.get("PixelRepresentation", 0) == 0 and values.dtype == np.uint8
    bits = 8 if plain else max(16, int(header.BitsAllocated))
    return DicomSlice(values.reshape(values.shape[-2:]).astype(np.float32), _pixel_mm(header), bits)


def _header(path: Path) -> pydicom.Dataset:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of values that break the standard; those that matter are checked here
            return pydicom.dcmread(path, stop_before_pixels=True)
    except (InvalidDicomError, OSError, EOFError, ValueError, KeyError) as error:
        reason = str(error).replace(str(path), "the file").strip().splitlines() or [type(error).__name__]
        found = f"an unreadable DICOM file ({reason[0]})"
        raise CohortError(Fault(found, "a single slice", "export or copy the file again", file=str(path))) from error


def _unfit(header: pydicom.Dataset) -> list[tuple[str, str, str]]:
    """What was found, expected and helps, for each reason why this is no grey slice."""
    if header.get("Rows") is None:
        kind = header.get("SOPClassUID")
        return [
            (f"a DICOM file without a picture ({kind.name if kind else 'of no class'})", "a slice", "choose a slice")
        ]
    reasons, colours = [], header.get("PhotometricInterpretation", "")
    if (frames := int(header.get("NumberOfFrames") or 1)) > 1:
        remedy = "export the frame with the largest tumour area alone, or the series as NIfTI with a mask"
        reasons.append((f"a DICOM file of {frames} frames", "a single slice", remedy))
    if colours not in ("MONOCHROME1", "MONOCHROME2") or header.get("SamplesPerPixel", 1) != 1:
        found = f"a DICOM picture in colours ({colours}, {header.get('SamplesPerPixel', 1)} channels)"
        reasons.append((found, "a grey slice (MONOCHROME1 or MONOCHROME2)", "choose the original series"))
    if "ModalityLUTSequence" in header:
        reasons.append(("grey values behind a modality lookup table", "slope and intercept", "export the slice as PNG"))
    spacing = _spacing(header)
    if spacing and not (len(spacing) == 2 and np.isfinite(spacing).all() and min(spacing) > 0):
        reasons.append((f"pixel spacing {spacing}", "two lengths in mm", "export the slice again"))
    return reasons


def _spacing(header: pydicom.Dataset) -> list[float]:
    told = header.get("PixelSpacing") or header.get("ImagerPixelSpacing") or []
    return np.atleast_1d(np.asarray(told, dtype=float)).tolist()


def _pixel_mm(header: pydicom.Dataset) -> tuple[float, float] | None:
    """PixelSpacing is between rows, then between columns: (y, x)."""
    spacing = _spacing(header)
    return (spacing[0], spacing[1]) if spacing else None
