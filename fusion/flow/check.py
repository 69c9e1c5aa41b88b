"""Read a whole cohort, table and every voxel, and list every fault at once."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from fusion import phantom
from fusion.config.run import Run
from fusion.data import cohort
from fusion.data.case import Files, load
from fusion.data.dicom_series import digest
from fusion.data.split import split
from fusion.data.study import Study
from fusion.errors import CohortError, Fault, ModelError, RegionError
from fusion.flow import readings, scanners, studies
from fusion.flow.enough import too_few
from fusion.progress import each
from fusion.roi.region import regions
from fusion.store import sha256


@dataclass(frozen=True)
class Checked:
    """A cohort without a fault.

    ``cases`` has case, patient, set, fold, event (or outcome, and which sequences there are) and the clinical columns;
    ``files`` is in the same order.
    """

    cases: pd.DataFrame
    files: tuple[Files | Study, ...]
    data_sha256: str


def check(run: Run, drawn: Path | None = None) -> Checked:
    """The run's cohort, split and ready.

    Args:
        run: what to check; its phantom is made first if the table does not exist.
        drawn: folder with rings of an earlier start, perhaps edited since; they are checked too.

    Raises:
        CohortError: every fault of table, split, images, masks and regions at once.
    """
    _phantom(run)
    table = cohort.read(run.cohort, run.seed, run.sequences, run.tasks)
    faults = list(table.faults)
    files = [with_ring(own, drawn) for own in table.files] if drawn else list(table.files)
    seen = dict(each(partial(_look, run=run), files, "checking cases", run.jobs))
    for own in files:
        faults += seen[own].faults
    cases = pd.DataFrame()
    if not table.faults:
        try:
            splits = split(table.rows, run.split, run.seed, run.used_tasks or None)
            cases = splits.merge(table.rows.drop(columns=["patient", "set"], errors="ignore"), on="case")
            faults += _unmet(cases, files, run)
        except CohortError as error:
            faults += error.faults
    faults += _networks(run)
    if faults:
        raise CohortError(faults)
    return Checked(cases, tuple(files), _digest(run, table.files, [seen[own].data_sha256 for own in files]))


def _unmet(cases: pd.DataFrame, files: Sequence[Files | Study], run: Run) -> list[Fault]:
    """What the run asks of the cohort and it does not have."""
    if run.cohort.tasks:
        return studies.unmet(cases, run)
    of_regions = [own for own in files if isinstance(own, Files)]
    return too_few(cases, run) + readings.unmet(cases, of_regions, run) + scanners.unmet(cases, run)


def with_ring(files: Files | Study, folder: Path) -> Files | Study:
    """``files`` with the ring in ``folder``, if it is there; slices have none."""
    if isinstance(files, Study):
        return files
    ring = ring_path(folder, files.case)
    return replace(files, external2=ring) if ring.is_file() else files


def ring_path(folder: Path, case: str) -> Path:
    """Where a run keeps the ring of a case."""
    return folder / f"{case}_external2.nii.gz"


@dataclass(frozen=True)
class _Seen:
    faults: tuple[Fault, ...]
    data_sha256: str


def _look(files: Files | Study, run: Run) -> _Seen:
    try:
        if isinstance(files, Study):
            return _Seen((), studies.look(files, run))
        regions(load(files, run.cohort, run.roi.resample_mask), run.roi)
        again = readings.read_again(files, run)
        for other in again:
            _outlined(other, run)
    except (CohortError, RegionError) as error:
        return _Seen(error.faults, "")
    return _Seen((), "".join(digest(path) for path in (files.image, files.tumour, *(own.tumour for own in again))))


def _outlined(other: Files, run: Run) -> None:
    """Refuse a second reading whose regions cannot be measured, by the name of its mask."""
    try:
        regions(load(other, run.cohort, run.roi.resample_mask), run.roi)
    except RegionError as error:
        raise RegionError([replace(fault, file=str(other.tumour)) for fault in error.faults]) from error


def _phantom(run: Run) -> None:
    """Make the phantom where the table is missing; refuse one that another recipe made."""
    table, wanted = run.cohort.table, run.cohort.phantom
    if wanted is None:
        return
    if not table.exists():
        phantom.make(table, wanted, run.jobs)
    note = table.with_name("phantom.json")
    if note.is_file() and (found := json.loads(note.read_text())["spec"]) != wanted.model_dump(mode="json"):
        different = ", ".join(f"{key} = {value}" for key, value in found.items() if getattr(wanted, key, None) != value)
        remedy = "name another cohort.table, or delete this phantom"
        raise CohortError(Fault(f"a phantom with {different}", "the one of cohort.phantom", remedy, file=str(table)))


def _networks(run: Run) -> list[Fault]:
    """The networks' start is asked for before hours of other work."""
    if run.network is None:
        if run.heads.stacking == "oof_score":
            return []
        found = f"heads.stacking={run.heads.stacking} without networks (network: null)"
        return [Fault(found, "networks whose vectors to stack", "describe network, or leave heads.stacking alone")]
    from fusion.models.backbone import start_weights
    from fusion.models.frozen import needs_weights

    if run.heads.stacking == "frozen_backbone" and run.network.weights == "none":
        return [needs_weights()]
    try:
        start_weights(run.network)
    except ModelError as error:
        return list(error.faults)
    return []


def _digest(run: Run, files: Sequence[Files | Study], digests: list[str]) -> str:
    whole = hashlib.sha256(sha256(run.cohort.table).encode())
    for own, seen in zip(files, digests, strict=True):
        ring = digest(own.external2) if isinstance(own, Files) and own.external2 else ""
        whole.update(f"{seen}{ring}".encode())
    return whole.hexdigest()
