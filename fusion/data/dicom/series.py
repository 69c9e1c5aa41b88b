"""One DICOM series as an image; right, or refused by name."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from fusion.config.dicom import Dicom
from fusion.data.dicom import choice as dicom_choice
from fusion.data.dicom.decode import decode
from fusion.data.dicom.file import is_dicom_file
from fusion.data.dicom.found import Series, found, header_of, place, walk
from fusion.data.dicom.grid import grid
from fusion.data.dicom.header import VOLUMES
from fusion.data.image import USUAL, Image, Reference
from fusion.store import sha256

__all__ = ["Series", "chosen", "digest", "found", "read_series"]


def read_series(
    source: Path | Sequence[Path],
    choose: int | str | None = None,
    dicom: Dicom = USUAL,
) -> Image:
    """One CT, MR or PET series as an image, in float32, sorted along the normal of its slices; PET as SUV.

    Args:
        source: a folder, the files themselves, or one file of a series, which chooses that series in its folder.
        choose: number in ``found``, or UID; in place of ``dicom.series``.
        dicom: which of several series, and what may be mended.

    Raises:
        CohortError: every reason why it is none, or no even and upright volume.
    """
    series, told = _chosen(source, choose, dicom)
    whole = grid(series.headers, place(source), dicom)
    decoded = decode(whole)
    reference = Reference(series.uid, series.headers[0].frame_of_reference, whole.instances)
    return Image(decoded.values, whole.geometry, reference, (*told, *whole.notes, *decoded.notes))


def chosen(
    source: Path | Sequence[Path],
    choose: int | str | None = None,
    dicom: Dicom = USUAL,
) -> Series:
    """The series that ``read_series`` reads."""
    return _chosen(source, choose, dicom)[0]


def digest(path: Path) -> str:
    """SHA-256 of what is read from ``path``: a file's, or of the digests of a folder's or a series' files, sorted."""
    if path.is_dir():
        files: Sequence[Path] = walk(path)
    elif is_dicom_file(path) and header_of(path).sop_class in VOLUMES:
        files = chosen(path).files
    else:
        return sha256(path)
    return hashlib.sha256("".join(sorted(sha256(own) for own in files)).encode()).hexdigest()


def _chosen(source: Path | Sequence[Path], choose: int | str | None, dicom: Dicom) -> tuple[Series, tuple[str, ...]]:
    """The series, and what is told of the choice."""
    if isinstance(source, Path) and source.is_file():
        own = header_of(source)
        source, choose = source.parent, own.series if choose is None else choose
    there = found(source, dicom)
    series = dicom_choice.one_of(there, choose, dicom, place(source))
    return series, dicom_choice.note(there, series)
