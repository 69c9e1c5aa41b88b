"""Heads on radiomics in files of the run folder, so that any job can fit a share of them."""

from pathlib import Path

import pandas as pd

from fusion.config.tasks import Task
from fusion.data.sequences import HAS
from fusion.data.task import task_rows
from fusion.flow.agreement import agreed
from fusion.flow.slices import read_radiomics
from fusion.flow.work import Work
from fusion.heads import vectors
from fusion.heads.combine import RADIOMICS, radiomics_vectors
from fusion.heads.task_radiomics import place, rad_vectors, title
from fusion.heads.vectors import Vectors
from fusion.roi.region import REGIONS

FOLDER = "features/heads"
"""A folder a source (of tasks TASK/class_N/RAD), with the files of ``heads.kept`` for every fold and pair of folds."""


def write_heads(work: Work, fold: int) -> None:
    """Fit and keep what is missing of a fold's heads."""
    for name, (folder, own) in _every(work).items():
        vectors.write_fold(own, fold, name, folder)


def heads_there(work: Work, fold: int) -> bool:
    """Whether all heads of a fold are kept."""
    return all(vectors.fold_there(own, fold, folder) for folder, own in _every(work).values())


def measured(work: Work) -> dict[str, pd.DataFrame]:
    """Radiomics by region, without the features on which the readings that were asked for do not agree."""
    tables = {region: pd.read_parquet(work.folder / f"features/radiomics_{region}.parquet") for region in REGIONS}
    return agreed(tables, work.folder, work.run.heads.icc)


def pictured(work: Work, task: Task) -> pd.DataFrame:
    """The task's cases that have a sequence of the run."""
    rows = task_rows(work.cases, task)
    return rows[rows[[f"{HAS}{name}" for name in work.run.used_sequences]].any(axis=1)].reset_index(drop=True)


def of_task(folder: Path, task: str) -> Path:
    """Where the heads of a task are kept."""
    return folder / FOLDER / task


def _every(work: Work) -> dict[str, tuple[Path, Vectors]]:
    """What the run's heads on radiomics are fitted on and where they are kept, by the name of the work."""
    run, cases = work.run, work.cases
    if not run.cohort.tasks:
        own = radiomics_vectors(measured(work), cases, run.heads, run.seed, run.models)
        return {RADIOMICS: (work.folder / FOLDER, own)}
    tables = read_radiomics(work) if run.masked else {}
    return {
        f"{name}, {title(kind)}": (of_task(work.folder, name) / place(kind, task.names), own)
        for name, task in (run.used_tasks.items() if tables else ())
        for kind, own in rad_vectors(tables, pictured(work, task), task.names, run.heads, run.seed).items()
    }
