"""A look at one case before any work: whether it can be read and outlined, who it is, and what was decided."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from fusion.config.run import Run
from fusion.data.case import Case, Files, load
from fusion.data.dicom.acquisition import acquisition
from fusion.data.dicom.series import digest
from fusion.data.eligibility import Left, by_mask
from fusion.data.study import Study
from fusion.errors import CohortError, Fault, RegionError
from fusion.flow import readings, studies
from fusion.machine_faults import of_file
from fusion.roi.diameter import axial_diameter_mm
from fusion.roi.refined import Refined, judged
from fusion.roi.region import regions
from fusion.roi.upright import stored_order


@dataclass(frozen=True)
class Asked:
    """A case to look at, with the ring that an earlier start left in the run folder, perhaps edited since."""

    files: Files | Study
    edited: Path | None = None


@dataclass(frozen=True)
class Seen:
    """What a look at a case found; ``faults`` where it cannot be used."""

    faults: tuple[Fault, ...] = ()
    data_sha256: str = ""
    left: Left | None = None
    """The rule on its mask at which it leaves the cohort."""
    ring: Refined | None = None
    """Without its voxels."""
    notes: tuple[str, ...] = ()
    acquired: dict[str, str | float] = field(default_factory=dict)
    """How the image was taken, as its DICOM headers have it."""
    stored: str = ""
    """Where the image's axes run to, such as LPS."""


def look(asked: Asked, run: Run) -> Seen:
    """What there is to know of a case; a file that does not answer is a fault of its case, not of the run."""
    own, data_sha256 = asked.files, ""
    try:
        if isinstance(own, Study):
            return Seen(data_sha256=studies.look(own, run))
        data_sha256 = _digests(own, run)
        return _regions(own, asked.edited, run, data_sha256)
    except (CohortError, RegionError) as error:
        return Seen(error.faults, data_sha256)
    except OSError as error:
        return Seen((replace(of_file(error), case=own.case),), data_sha256)


def _digests(files: Files, run: Run) -> str:
    """Of a case's files; nothing where one is not there."""
    again = [own.tumour for own in readings.read_again(files, run)]
    paths = [path for path in (files.image, files.tumour, *again, files.external2) if path is not None]
    return "".join(map(digest, paths)) if all(path.exists() for path in paths) else ""


def _regions(files: Files, edited: Path | None, run: Run, data_sha256: str) -> Seen:
    case = load(replace(files, external2=edited or files.external2), run.cohort, run.roi.resample_mask)
    again = readings.read_again(files, run)
    if (left := _left(case, run)) is not None:
        return Seen(data_sha256=data_sha256, left=left)
    ring = _ring(case, files, edited, run)
    regions(case, run.roi)
    for other in again:
        _outlined(other, run)
    notes = (*case.notes, *(note for note in ring.notes if note not in case.notes))
    return Seen(
        data_sha256=data_sha256, ring=replace(ring, ring=ring.ring[:0].copy()), notes=notes,
        acquired=acquisition(files.image, run.cohort.dicom), stored=stored_order(case.geometry),
    )  # fmt: skip


def _ring(case: Case, files: Files, edited: Path | None, run: Run) -> Refined:
    """The ring that counts: what lies in the run folder, where that was edited, else the column's or the automatic."""
    if edited is None:
        return judged(case, files.external2, run.roi, "given")
    written = None
    if files.external2 is not None:
        written = load(files, run.cohort, run.roi.resample_mask).external2
    return judged(case, edited, run.roi, "edited", written)


def _left(case: Case, run: Run) -> Left | None:
    rules = [rule for rule in run.cohort.eligibility if rule.measured]
    return by_mask(case.name, axial_diameter_mm(case.tumour, case.geometry), rules) if rules else None


def _outlined(other: Files, run: Run) -> None:
    """Refuse a second reading whose regions cannot be measured, by the name of its mask."""
    try:
        regions(load(other, run.cohort, run.roi.resample_mask), run.roi)
    except RegionError as error:
        raise RegionError([replace(fault, file=str(other.tumour)) for fault in error.faults]) from error
