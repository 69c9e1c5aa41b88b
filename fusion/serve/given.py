"""Uploads by role -> a case: archives sorted, sizes checked before anything is read. Done in the worker's process."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fusion.data.case import Files
from fusion.data.study import Scan, Study
from fusion.errors import CohortError, Fault
from fusion.serve.asked import Asked
from fusion.serve.header import refuse_size, too_many
from fusion.serve.kind import DICOM

CASE = "case"
"""What a case is called whose own name nobody is told."""
IMAGE, MASK, RING, ARCHIVE, TABLE = "image", "mask", "external2", "archive", "table"
WORDS = {
    MASK: {"mask", "tumour", "tumor", "label", "labels", "seg", "segmentation", "roi"},
    RING: {"external2", "ring"},
    IMAGE: {"image", "img", "ct", "mr", "scan"},
}
"""By role, words in the names of an archive's files."""


@dataclass(frozen=True)
class Given:
    """A request's files, all in its folder."""

    folder: Path
    files: Mapping[str, Path]
    """By role: image, mask, external2; image_<sequence>, mask_<sequence>; table."""
    archives: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    """By role, an archive's files by the paths they had in it."""
    clinical: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] | None = None
    explain: bool = True


def asked(given: Given, kind: str) -> Asked:
    """The case that was given, to a bundle of this kind.

    Raises:
        CohortError: files that are missing, too large by their headers, or that cannot be told apart.
    """
    files = _regions(given) if kind == "regions" else None
    study = _study(given) if kind != "regions" else None
    own = Asked(files, study, given.clinical, given.models, given.explain)
    refuse_sizes(paths(own))
    return own


def paths(asked: Asked) -> list[Path]:
    """Every file of a case; a DICOM series as its folder."""
    if asked.files is not None:
        all_ = [asked.files.image, asked.files.tumour, asked.files.external2]
    else:
        all_ = [path for scan in (asked.study.scans if asked.study else ()) for path in (scan.image, scan.mask)]
    return [path for path in all_ if path is not None]


def refuse_sizes(paths: Iterable[Path]) -> None:
    """Raise CohortError with a fault for every file whose header announces too much."""
    faults = [
        replace(fault, file=str(path)) for path in paths if path.is_file() and (fault := refuse_size(path)) is not None
    ]
    if faults:
        raise CohortError(faults)


def _study(given: Given) -> Study:
    """The slices by sequence; the bundle says which sequences it knows."""
    if given.archives:
        remedy = "give the slice itself, or the volume with its mask"
        raise CohortError(Fault("a zip", "a slice or volume a sequence", remedy, file=next(iter(given.archives))))
    starts = f"{IMAGE}_"
    names = [role.removeprefix(starts) for role in given.files if role.startswith(starts)]
    scans = [Scan(name, given.files[f"{IMAGE}_{name}"], given.files.get(f"{MASK}_{name}")) for name in names]
    return Study(CASE, tuple(scans))


def _regions(given: Given) -> Files:
    """Image, mask and perhaps a ring: given one by one, or in archives."""
    files = dict(given.files)
    for role, own in given.archives.items():
        unpacked = sort(own, given.folder / role)
        within = {IMAGE: (IMAGE, *_unless(MASK, files, given.archives), RING), ARCHIVE: (IMAGE, MASK, RING)}
        for name in within.get(role, (role,)):
            if name in unpacked:
                files.setdefault(name, unpacked[name])
    missing = [role for role in (IMAGE, MASK) if role not in files]
    if missing:
        remedy = "upload it, or put it into the zip: an RT structure set, a SEG, or a volume with mask in its name"
        raise CohortError(
            [Fault(f"no {role}", "an image and the tumour's mask", remedy, file=role) for role in missing]
        )
    return Files(CASE, files[IMAGE], files[MASK], files.get(RING))


def _unless(role: str, *given: Mapping[str, object]) -> tuple[str, ...]:
    return () if any(role in own for own in given) else (role,)


def sort(files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """An archive's files by role; a DICOM series as ``folder``, in which it lies.

    Raises:
        CohortError: several masks or images, or none that can be told.
    """
    named = {name: path for name, path in files.items() if path.suffix != DICOM}
    sorted_ = _volumes(named, folder)
    if len(named) < len(files):
        sorted_ |= _dicom(folder, sorted_)
    return sorted_


def _volumes(named: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Volumes by the words in their names; of two without such a word, the other one is the image."""
    by_role: dict[str, list[Path]] = {}
    for name, path in named.items():
        by_role.setdefault(_role(name), []).append(path)
    if len(by_role.get("", [])) == 1 and IMAGE not in by_role:
        by_role[IMAGE] = by_role.pop("")
    faults = [
        Fault(f"{len(paths)} files that could be the {role}" if role else f"{len(paths)} files of unknown use",
              "one image and one mask, named so", "leave the others out", file=str(folder))
        for role, paths in by_role.items()
        if len(paths) > 1 or not role
    ]  # fmt: skip
    if faults:
        raise CohortError(faults)
    return {role: paths[0] for role, paths in by_role.items()}


def _role(name: str) -> str:
    words = set(re.split(r"[^a-z0-9]+", Path(name).name.lower()))
    return next((role for role, own in WORDS.items() if words & own), "")


def _dicom(folder: Path, beside: Mapping[str, Path]) -> dict[str, Path]:
    """The series, and the mask among its objects, which is moved out of the series' folder."""
    from fusion.data.dicom import series as dicom_series
    from fusion.data.dicom.header import SEGMENTATIONS, STRUCTURES

    headers = [header for series in dicom_series.found(folder) for header in series.headers]
    masks = [own.path for own in headers if own.sop_class in (STRUCTURES, *SEGMENTATIONS)]
    voxels = sum(own.rows * own.columns * own.frames for own in headers if own.path not in masks)
    if (fault := too_many(voxels)) is not None:
        raise CohortError(replace(fault, file=str(folder)))
    if len(masks) + (MASK in beside) > 1:
        found = f"{len(masks)} RT structure sets or segmentations"
        raise CohortError(Fault(found, "one mask", "leave the others out", file=str(folder)))
    roles = {} if len(masks) == len(headers) else {IMAGE: folder}
    if masks:
        alone = folder.with_name(f"{MASK}{DICOM}")
        roles[MASK] = masks[0] if alone.exists() else masks[0].rename(alone)
    return roles
