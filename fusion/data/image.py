"""Read and write volumes and masks (NIfTI, NRRD, MHA; DICOM is read) with their geometry."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from jaxtyping import Shaped

from fusion.config.dicom import Dicom
from fusion.data import nifti
from fusion.data.announced import refuse_empty_promise
from fusion.errors import CohortError, Fault
from fusion.types import Mask, Spacing, Volume
from fusion.volume_file import write_volume

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
DICOM_SUFFIX = ".dcm"
ZIP_SUFFIX = ".zip"
USUAL = Dicom()
"""How DICOM is read where nobody said."""
sitk.ProcessObject.SetGlobalWarningDisplay(False)  # faults carry the reason; ITK would print it a second time


@dataclass(frozen=True)
class Geometry:
    """Where voxels lie: size and spacing along (z, y, x); origin in mm and direction cosines as ITK writes them."""

    size: tuple[int, int, int]
    spacing_mm: Spacing
    origin_mm: tuple[float, float, float]
    direction: tuple[float, ...]

    def difference(self, other: "Geometry", tolerance_mm: float, tolerance_direction: float) -> list[str]:
        """What differs from ``other``, in words; empty when the two grids are the same within the tolerances."""
        pairs = [
            ("size (z, y, x)", self.size, other.size, 0.0),
            ("spacing (z, y, x) mm", self.spacing_mm, other.spacing_mm, tolerance_mm),
            ("origin mm", self.origin_mm, other.origin_mm, tolerance_mm),
            ("direction", self.direction, other.direction, tolerance_direction),
        ]
        return [
            f"{name} {_short(mine)} against {_short(its)}"
            for name, mine, its, tolerance in pairs
            if np.abs(np.subtract(mine, its)).max() > tolerance
        ]

    def blank(self) -> Any:
        """An empty SimpleITK image on this grid."""
        image = sitk.Image(self.size[::-1], sitk.sitkUInt8)
        image.SetSpacing(self.spacing_mm[::-1])
        image.SetOrigin(self.origin_mm)
        image.SetDirection(self.direction)
        return image


@dataclass(frozen=True)
class Reference:
    """Identifiers of a DICOM series, to which its masks refer; for comparison alone, never printed."""

    series: str = field(repr=False)
    frame_of_reference: str = field(repr=False)
    instances: tuple[str, ...] = field(repr=False)
    """Of each slice; of a file of several frames the same for all."""


@dataclass(frozen=True)
class Image:
    """Grey values in float32 and their grid."""

    values: Volume
    geometry: Geometry
    reference: Reference | None = None
    """Of an image read from DICOM."""
    notes: tuple[str, ...] = ()
    """What was decided in reading it."""


@dataclass(frozen=True)
class Labels:
    """Integer labels of a mask file and their grid."""

    values: Shaped[np.ndarray, "z y x"]
    geometry: Geometry
    notes: tuple[str, ...] = ()
    """What was decided in reading it."""


def is_zip(path: Path) -> bool:
    """Whether the name says zip."""
    return path.name.lower().endswith(ZIP_SUFFIX)


def is_dicom(path: Path) -> bool:
    """Whether ``path`` is a folder, which can only hold a DICOM series, or a DICOM file by its name or first bytes."""
    if path.is_dir() or path.name.lower().endswith(DICOM_SUFFIX):
        return True
    if not path.is_file() or path.name.lower().endswith(SUFFIXES):
        return False
    from fusion.data.dicom.file import is_dicom_file

    try:
        return is_dicom_file(path)
    except OSError:
        return False


def read_image(path: Path, dicom: Dicom = USUAL) -> Image:
    """The volume in ``path`` as float32: a file, a folder or zip with a DICOM series, or one file of such a series.

    Integer CT is cast before anything resamples it: PyRadiomics would truncate interpolated integers toward zero.

    Args:
        path: see above; a zip is unpacked for each reading.
        dicom: of DICOM, which of several series, and what may be mended.

    Raises:
        CohortError: no such file, unknown format, unreadable, not one 3-D volume of scalars, NaN or infinite voxels.
    """
    if path.exists() and is_dicom(path):
        from fusion.data.dicom.series import read_series  # which takes Image from here

        return read_series(path, dicom=dicom)
    if path.is_file() and is_zip(path):
        from fusion.data.unzipped import unzipped

        with unzipped(path) as real:
            return read_image(real[path], dicom)
    raw = _read(path)
    values = sitk.GetArrayFromImage(raw).astype(np.float32)
    bad = nifti.not_finite(path) if nifti.is_nifti(path) else int(values.size - np.isfinite(values).sum())
    if bad:
        found = f"{bad} voxels that are NaN or infinite"
        raise CohortError(Fault(found, "finite grey values", "fill them or export the image again", file=str(path)))
    return Image(values, geometry_of(raw))


def read_labels(path: Path) -> Labels:
    """The labels in ``path``.

    Raises:
        CohortError: as ``read_image``, or a value that is not a whole number.
    """
    raw = _read(path)
    values = sitk.GetArrayFromImage(raw)
    if not np.issubdtype(values.dtype, np.integer):
        if not np.isfinite(values).all() or not np.equal(values, np.round(values)).all():
            remedy = "threshold it and save it with an integer type"
            raise CohortError(Fault("mask values that are not whole numbers", "labels", remedy, file=str(path)))
        if np.abs(values).max(initial=0) >= 2**31:
            found = f"mask values up to {np.abs(values).max():.3g}"
            raise CohortError(Fault(found, "labels", "draw the mask or save it again", file=str(path)))
        values = values.astype(np.int32)
    return Labels(values, geometry_of(raw))


def regrid(labels: Labels, geometry: Geometry) -> Labels:
    """``labels`` on another grid, by nearest neighbour; 0 outside their own grid."""
    moved = sitk.Resample(to_sitk(labels.values, labels.geometry), geometry.blank(), sitk.Transform(),
                          sitk.sitkNearestNeighbor, 0)  # fmt: skip
    return Labels(sitk.GetArrayFromImage(moved), geometry)


def to_sitk(values: Shaped[np.ndarray, "z y x"], geometry: Geometry) -> Any:
    """A SimpleITK image with these voxels on this grid."""
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(geometry.blank())
    return image


def write_mask(path: Path, mask: Mask, geometry: Geometry, label: int = 1) -> None:
    """Write ``mask`` with ``label`` where it is True and 0 elsewhere; the suffix of ``path`` chooses the format."""
    values = mask.astype(np.min_scalar_type(label)) * label
    write_volume(path, to_sitk(values, geometry))


def read_raw(path: Path) -> Any:
    """The SimpleITK image in ``path``, of any dimension and number of values a voxel.

    Raises:
        CohortError: no such file, unknown format, unreadable, or without a place in space.
    """
    if not path.is_file():
        raise CohortError(Fault("no such file", "an image", "check the path in the table", file=str(path)))
    if not path.name.lower().endswith(SUFFIXES):
        remedy = "convert it to NIfTI"
        raise CohortError(Fault("an unknown format", f"one of {', '.join(SUFFIXES)}, or DICOM", remedy, file=str(path)))
    try:
        refuse_empty_promise(path)
        raw = sitk.ReadImage(str(path))
        if nifti.is_nifti(path):
            nifti.refuse_cut_off(path)
    except (RuntimeError, OSError, EOFError, zlib.error) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        if "No such file" in reason:  # what MetaImage says of a file that is there and cut off
            reason = "cut off, or not what its header says"
        remedy = "export or copy the file again"
        raise CohortError(Fault(f"an unreadable file ({reason})", "a volume", remedy, file=str(path))) from error
    if not _is_somewhere(raw):
        remedy = "export it again"
        raise CohortError(Fault("voxels that lie nowhere", "a place in the header", remedy, file=str(path)))
    return raw


def _is_somewhere(raw: Any) -> bool:
    """Whether spacing, origin and directions are numbers, and the directions span space: no tolerance refuses NaN."""
    place = (*raw.GetSpacing(), *raw.GetOrigin(), *raw.GetDirection())
    if not np.isfinite(place).all():
        return False
    return bool(abs(np.linalg.det(np.reshape(raw.GetDirection(), (raw.GetDimension(), -1)))) > 1e-3)


def _read(path: Path) -> Any:
    raw = read_raw(path)
    if raw.GetDimension() == 4 and raw.GetSize()[3] == 1:
        raw = raw[..., 0]
    if raw.GetDimension() != 3 or raw.GetNumberOfComponentsPerPixel() != 1:
        found = f"{raw.GetDimension()} dimensions and {raw.GetNumberOfComponentsPerPixel()} values a voxel"
        raise CohortError(Fault(found, "one 3-D volume with one value a voxel", "export it again", file=str(path)))
    return raw


def geometry_of(raw: Any) -> Geometry:
    """The grid of a SimpleITK image in three dimensions, or of a reader that has read a header."""
    return Geometry(raw.GetSize()[::-1], raw.GetSpacing()[::-1], raw.GetOrigin(), raw.GetDirection())


def _short(numbers: tuple[float | int, ...]) -> str:
    return "(" + ", ".join(f"{number:.6g}" for number in numbers) + ")"
