"""The stage of External2: a file a case, to edit and to find again; what was edited, and how much."""

import hashlib
from functools import partial
from pathlib import Path

import pandas as pd

from fusion.config.run import Run
from fusion.data.case import Files, load
from fusion.data.image import write_mask
from fusion.errors import Fault, RunError
from fusion.flow.attempt import Attempt, failures
from fusion.flow.folder import told
from fusion.flow.work import Work
from fusion.progress import each
from fusion.roi.region import regions
from fusion.roi.ring_files import ring_file, write_labels
from fusion.store import sha256, write_csv


def write_regions(work: Work) -> Work:
    """regions/<case>_external2.nii.gz; a ring that is there already, edited or not, stays.

    Beside them label colours for two programs, and regions/rings.csv: which rings are automatic, edited or given.
    """
    folder, there = work.folder / "regions", work.rings
    missing = [own for own in work.files if own.case not in there]
    if missing:
        with told(work.folder, "regions"):
            verb = Attempt(partial(_write_ring, run=work.run, folder=folder))
            work = work.without(failures(each(verb, missing, "regions", work.run.jobs)), "regions")
    write_labels(folder, work.run.cohort.label)
    write_csv(folder / "rings.csv", _rings(work))
    return work


def rings_digest(work: Work) -> str:
    """Names the rings on disk, so that features and rings that do not belong together are noticed."""
    rings = work.rings
    return hashlib.sha256("".join(sha256(rings[own.case]) for own in work.files).encode()).hexdigest()


def same_rings(table: Path, rings: str) -> None:
    """Refuse features of other rings.

    Args:
        table: features that were measured before.
        rings: digest of the rings now.

    Raises:
        RunError: they were edited since.
    """
    import pyarrow.parquet as pq

    before = pq.read_schema(table).metadata.get(b"rings_sha256", b"").decode()
    if before != rings:
        remedy = "delete features, checkpoints and predictions.csv to measure again, or use another output"
        raise RunError(
            Fault("rings edited after the features were measured", "rings of that time", remedy, file=str(table))
        )


def _write_ring(files: Files, run: Run, folder: Path) -> None:
    case = load(files, run.cohort, run.roi.resample_mask)
    ring = regions(case, run.roi)["external2"]
    write_mask(ring_file(folder, case.name), ring, case.geometry, run.cohort.label)


def _rings(work: Work) -> pd.DataFrame:
    """case, ring (automatic, edited, given), dice, voxels, automatic_voxels."""
    found = [(own.case, work.checked.seen[own.case].ring) for own in work.files]
    rows = [(case, own.how, own.dice, own.voxels, own.automatic_voxels) for case, own in found if own is not None]
    return pd.DataFrame(rows, columns=["case", "ring", "dice", "voxels", "automatic_voxels"])
