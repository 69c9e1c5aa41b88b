"""DICOM series in a folder: which there are, and one of them as an image; right, or refused by name."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fusion.data.dicom_grid import grid
from fusion.data.dicom_header import DIRECTORY, VOLUMES, Header, Unreadable, is_dicom_file, read_header
from fusion.data.dicom_pixels import decode
from fusion.data.image import SUFFIXES, Image, Reference
from fusion.errors import CohortError, Fault
from fusion.store import sha256

MOST_FILES = 20_000
BESIDE = (".txt", ".xml", ".html", ".htm", ".pdf", ".md", ".csv", ".json", ".inf", ".ini", ".png", ".jpg", ".jpeg",
          *SUFFIXES)  # fmt: skip
"""What may lie beside a series without being one of its slices: notes, pictures, volumes."""
LITTER = ("dicomdir", ".ds_store", "thumbs.db", "lockfile", "version")


@dataclass(frozen=True)
class Series:
    """A series, told without anything that may name a person."""

    number: int
    """To choose it by."""
    told: str
    """Modality, slices, size, voxel size."""
    is_volume: bool
    """CT, MR or PET; other objects are no images of a volume."""
    uid: str = field(repr=False)
    headers: tuple[Header, ...] = field(repr=False)

    @property
    def files(self) -> tuple[Path, ...]:
        """Its files, by name."""
        return tuple(sorted(header.path for header in self.headers))


def found(source: Path | Sequence[Path]) -> tuple[Series, ...]:
    """The series in ``source``, volumes first, numbered from 1.

    Args:
        source: a folder, searched to its depths; or the files themselves.

    Raises:
        CohortError: no DICOM file, too many files, or files that can be neither read nor left out.
    """
    headers = _headers(source)
    of_series: dict[str, list[Header]] = {}
    for header in headers:
        of_series.setdefault(header.series, []).append(header)
    ordered = sorted(of_series.items(), key=lambda item: (not _is_volume(item[1]), item[1][0].number, item[0]))
    return tuple(
        Series(number, _in_words(own), _is_volume(own), uid, tuple(own)) for number, (uid, own) in enumerate(ordered, 1)
    )


def read_series(source: Path | Sequence[Path], choose: int | str | None = None) -> Image:
    """One CT, MR or PET series as an image, in float32, sorted along the normal of its slices.

    Args:
        source: a folder, the files themselves, or one file of a series, which chooses that series in its folder.
        choose: number in ``found``, or UID; needed where a folder has several such series.

    Raises:
        CohortError: every reason why it is none, or no even and upright volume.
    """
    series = chosen(source, choose)
    whole = grid(series.headers, _place(source))
    frames = tuple(frame.header.instance for frame in whole.frames)
    reference = Reference(series.uid, series.headers[0].frame_of_reference, frames)
    return Image(decode(whole), whole.geometry, reference)


def chosen(source: Path | Sequence[Path], choose: int | str | None = None) -> Series:
    """The series that ``read_series`` reads."""
    if isinstance(source, Path) and source.is_file():
        own = _header_of(source)
        source, choose = source.parent, own.series if choose is None else choose
    there = found(source)
    volumes = [one for one in there if one.is_volume]
    if choose is not None:
        picked = [one for one in there if choose in (one.number, str(one.number), one.uid)]
    else:
        picked = volumes
    if len(picked) == 1 and picked[0].is_volume:
        return picked[0]
    raise CohortError(_choice(there, len(volumes), len(picked), _place(source)))


def digest(path: Path) -> str:
    """SHA-256 of what is read from ``path``: a file's, or of the digests of a folder's or a series' files, sorted."""
    if path.is_dir():
        files: Sequence[Path] = _walk(path)
    elif is_dicom_file(path) and read_header(path).sop_class in VOLUMES:
        files = chosen(path).files
    else:
        return sha256(path)
    return hashlib.sha256("".join(sorted(sha256(own) for own in files)).encode()).hexdigest()


def _choice(there: Sequence[Series], volumes: int, picked: int, where: Path) -> Fault:
    listed = "; ".join(f"{one.number}: {one.told}" for one in there[:20])
    listed += f"; and {len(there) - 20} more" if len(there) > 20 else ""
    if volumes == 0:
        return Fault(f"no CT, MR or PET series ({listed})", "one", "export the series of the image", file=str(where))
    what = f"{volumes} image series" if picked > 1 else "no image series of that choice"
    remedy = "choose one by its number, by naming one of its files, or leave the others out"
    return Fault(f"{what} ({listed})", "one", remedy, file=str(where))


def _headers(source: Path | Sequence[Path]) -> list[Header]:
    files = _walk(source) if isinstance(source, Path) else list(source)
    headers: list[Header] = []
    reasons: dict[str, list[Path]] = {}
    for path in files:
        try:
            if is_dicom_file(path):
                headers += [own for own in (read_header(path),) if own.sop_class != DIRECTORY]
            elif not _beside(path):
                raise Unreadable("no DICOM file")
        except (Unreadable, OSError) as error:
            reason = str(error) if isinstance(error, Unreadable) else "cannot be opened"
            reasons.setdefault(reason, []).append(path)
    faults = [_fault(reason, paths) for reason, paths in reasons.items()]
    if not headers and not faults:
        faults = [Fault("no DICOM file", "a series", "check the folder", file=str(_place(source)))]
    if faults:
        raise CohortError(faults)
    return headers


def _walk(folder: Path) -> list[Path]:
    """Every file below ``folder``, in order of names; folders that are links are not entered."""
    files: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        files += [Path(root) / name for name in sorted(names)]
        if len(files) > MOST_FILES:
            found = f"more than {MOST_FILES} files"
            raise CohortError(Fault(found, "the files of one patient", "name the series' own folder", file=str(folder)))
    return files


def _beside(path: Path) -> bool:
    name = path.name.lower()
    return name in LITTER or name.startswith("._") or name.endswith(BESIDE)


def _fault(reason: str, paths: Sequence[Path]) -> Fault:
    count = f"{len(paths)} files that are no readable DICOM, first this one" if len(paths) > 1 else "no readable DICOM"
    remedy = "copy it again, or take it out of the folder if it is no slice"
    return Fault(f"{count} ({reason})", "DICOM files", remedy, file=str(paths[0]))


def _header_of(path: Path) -> Header:
    try:
        return read_header(path)
    except (Unreadable, OSError) as error:
        reason = str(error) if isinstance(error, Unreadable) else "cannot be opened"
        raise CohortError(_fault(reason, [path])) from error


def _is_volume(headers: Sequence[Header]) -> bool:
    return any(own.sop_class in VOLUMES for own in headers)


def _place(source: Path | Sequence[Path]) -> Path:
    if isinstance(source, Path):
        return source
    return source[0].parent if source else Path()


def _in_words(headers: Sequence[Header]) -> str:
    """What they are, how many, of which size, and their voxels where they make a volume; no identifier."""
    kinds = " and ".join(sorted({own.modality for own in headers}))
    sizes = sorted({(own.rows, own.columns) for own in headers})
    if sizes[-1] == (0, 0):
        return f"{kinds}, {len(headers)} file{'s' if len(headers) > 1 else ''}"
    slices = sum(own.frames for own in headers)
    size = f"{sizes[0][0]} x {sizes[0][1]} pixels" if len(sizes) == 1 else "several sizes"
    told = f"{kinds}, {slices} slice{'s' if slices > 1 else ''} of {size}"
    try:
        spacing = grid(headers, headers[0].path).geometry.spacing_mm if _is_volume(headers) else None
    except CohortError:
        return f"{told}, no volume as it is"
    return f"{told}, voxels of {' x '.join(f'{side:.4g}' for side in spacing)} mm" if spacing else told
