"""Which DICOM series a folder holds, told without anything that may name a person."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fusion.config.dicom import Dicom
from fusion.data.dicom.file import Unreadable, is_dicom_file
from fusion.data.dicom.grid import grid
from fusion.data.dicom.header import DIRECTORY, VOLUMES, Header, read_header
from fusion.data.image import SUFFIXES, USUAL
from fusion.errors import CohortError, Fault

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

    @property
    def localizer(self) -> bool:
        """Whether all its images only show where others lie."""
        return all("LOCALIZER" in header.image_type for header in self.headers)


def found(source: Path | Sequence[Path], dicom: Dicom = USUAL) -> tuple[Series, ...]:
    """The series in ``source``, volumes first, numbered from 1.

    Args:
        source: a folder, searched to its depths; or the files themselves.
        dicom: what may be mended, for the sizes that are told.

    Raises:
        CohortError: no DICOM file, too many files, or files that can be neither read nor left out.
    """
    of_series: dict[str, list[Header]] = {}
    for header in _headers(source):
        of_series.setdefault(header.series, []).append(header)
    ordered = sorted(of_series.items(), key=lambda item: (not _is_volume(item[1]), item[1][0].number, item[0]))
    return tuple(
        Series(number, _in_words(own, dicom), _is_volume(own), uid, tuple(own))
        for number, (uid, own) in enumerate(ordered, 1)
    )


def walk(folder: Path) -> list[Path]:
    """Every file below ``folder``, in order of names; folders that are links are not entered.

    Raises:
        CohortError: more than a patient can have.
    """
    files: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        files += [Path(root) / name for name in sorted(names)]
        if len(files) > MOST_FILES:
            told = f"more than {MOST_FILES} files"
            raise CohortError(Fault(told, "the files of one patient", "name the series' own folder", file=str(folder)))
    return files


def place(source: Path | Sequence[Path]) -> Path:
    """Where ``source`` lies, for faults that are no single file's."""
    if isinstance(source, Path):
        return source
    return source[0].parent if source else Path()


def header_of(path: Path) -> Header:
    """The header of ``path``; CohortError where it is no readable DICOM."""
    try:
        return read_header(path)
    except (Unreadable, OSError) as error:
        reason = str(error) if isinstance(error, Unreadable) else "cannot be opened"
        raise CohortError(_fault(reason, [path])) from error


def _headers(source: Path | Sequence[Path]) -> list[Header]:
    files = walk(source) if isinstance(source, Path) else list(source)
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
        faults = [Fault("no DICOM file", "a series", "check the folder", file=str(place(source)))]
    if faults:
        raise CohortError(faults)
    return headers


def _beside(path: Path) -> bool:
    name = path.name.lower()
    return name in LITTER or name.startswith("._") or name.endswith(BESIDE)


def _fault(reason: str, paths: Sequence[Path]) -> Fault:
    count = f"{len(paths)} files that are no readable DICOM, first this one" if len(paths) > 1 else "no readable DICOM"
    remedy = "copy it again, or take it out of the folder if it is no slice"
    return Fault(f"{count} ({reason})", "DICOM files", remedy, file=str(paths[0]))


def _is_volume(headers: Sequence[Header]) -> bool:
    return any(own.sop_class in VOLUMES for own in headers)


def _in_words(headers: Sequence[Header], dicom: Dicom) -> str:
    """What they are, how many, of which size, and their voxels where they make a volume; no identifier."""
    kinds = " and ".join(sorted({own.modality for own in headers}))
    sizes = sorted({(own.rows, own.columns) for own in headers})
    if sizes[-1] == (0, 0):
        return f"{kinds}, {len(headers)} file{'s' if len(headers) > 1 else ''}"
    slices = sum(own.frames for own in headers)
    size = f"{sizes[0][0]} x {sizes[0][1]} pixels" if len(sizes) == 1 else "several sizes"
    told = f"{kinds}, {slices} slice{'s' if slices > 1 else ''} of {size}"
    try:
        spacing = grid(headers, headers[0].path, dicom).geometry.spacing_mm if _is_volume(headers) else None
    except CohortError:
        return f"{told}, no volume as it is"
    return f"{told}, voxels of {' x '.join(f'{side:.4g}' for side in spacing)} mm" if spacing else told
