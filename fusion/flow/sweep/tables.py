"""What a sweep keeps of its cells: how each stands, what failed, how long every job took."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fusion.config.sweep import Sweep
from fusion.flow.job_file import FOLDER
from fusion.flow.signs import Reading
from fusion.flow.sweep.folder import CELLS
from fusion.flow.sweep.plan import Part
from fusion.store import write_csv

FAILURES, JOBS = "failures.csv", "jobs.csv"


@dataclass(frozen=True)
class Failure:
    """A job that did not end well, and why."""

    cell: str
    round: str
    job: str
    message: str


def write_cells(folder: Path, sweep: Sweep, done: Iterable[str], failed: Iterable[str]) -> None:
    """cells.csv: cell, a column a swept field, state (waiting, done, failed)."""
    states = {**dict.fromkeys(done, "done"), **dict.fromkeys(failed, "failed")}
    rows = [{"cell": own.name, **own.values, "state": states.get(own.name, "waiting")} for own in sweep.cells]
    write_csv(folder / CELLS, pd.DataFrame(rows, columns=["cell", *sweep.fields, "state"]))


def write_failures(folder: Path, failures: Sequence[Failure]) -> None:
    """failures.csv: cell, round, job, message; those of the last start."""
    write_csv(folder / FAILURES, pd.DataFrame(failures, columns=["cell", "round", "job", "message"]))


def write_jobs(folder: Path, parts: Iterable[Part]) -> None:
    """jobs.csv: cell, round, job, seconds of every job that ended, whichever start did it."""
    rows = [
        (part.cell.name, part.round, told["job"], told["seconds"])
        for part in parts
        for told in _told(part.run.folder / FOLDER)
        if told.get("seconds") is not None
    ]
    write_csv(folder / JOBS, pd.DataFrame(rows, columns=["cell", "round", "job", "seconds"]))


def _told(folder: Path) -> list[dict[str, object]]:
    read = Reading(folder)
    return [told for path in read.files(folder, ".json") if isinstance(told := read.json(path), dict)]
