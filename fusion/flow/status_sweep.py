"""How far a sweep is: a line a cell, and what is left by the time that its jobs took so far."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusion.flow.signs import Reading, held, without_cases
from fusion.flow.status_run import JobState, RunStatus, State, jobs_in_all, jobs_of, run_status

NOT_SWEPT = ("cell", "state")
INNER = "train_oof"
"""The set of metrics.csv by which a cell is chosen; a sweep that is looked at by its test sets would choose by them."""
VIEWS = ("fused", "Combined")
"""What stands for a cell, the first that it has; else its last model."""


@dataclass(frozen=True)
class CellStatus:
    """One cell and its jobs, those of all its rounds together."""

    cell: str
    values: dict[str, str]
    state: State
    done: int
    in_all: int
    running: int
    failed: int
    stopped: int
    model: str
    """The one that stands for the cell; empty before metrics.csv is there."""
    auc: float | None
    """Its out-of-fold AUC, by which the sweep chooses."""


_Found = list[tuple[CellStatus, list[JobState]]]


@dataclass(frozen=True)
class SweepStatus:
    """A sweep folder."""

    folder: str
    at_work: bool | None
    """Whether somebody is seen at work here; a lock of another machine may not show."""
    shared: dict[str, RunStatus]
    """What cells have in common, and is measured once."""
    cells: tuple[CellStatus, ...]
    done: int
    in_all: int
    running: int
    failed: int
    stopped: int
    left_s: float | None
    """About how long it takes; None where nothing tells."""
    left_from: int
    """Done jobs that the estimate rests on."""
    failures: tuple[str, ...]
    damaged: tuple[str, ...]


def sweep_status(folder: Path, at_work: bool | None = None) -> SweepStatus:
    """What the files of a sweep folder tell; arguments as of ``run_status``."""
    read = Reading(folder)
    busy = at_work or held(folder)
    found = [_cell(folder, row, busy, read) for row in _listed(folder, read)]
    cells, jobs = tuple(cell for cell, _ in found), [job for _, own in found for job in own]
    done, in_all, running, failed, stopped = (
        sum(getattr(own, name) for own in cells) for name in ("done", "in_all", "running", "failed", "stopped")
    )
    shared = {own.name: run_status(own, busy) for own in read.files(folder / "shared") if (own / "run.yaml").exists()}
    return SweepStatus(
        str(folder), busy, shared, cells, done, in_all, running, failed, stopped, time_left_s(jobs, in_all), done,
        _failures(folder, found, read), tuple(dict.fromkeys(read.damaged)),
    )  # fmt: skip


def time_left_s(jobs: Sequence[JobState], in_all: int) -> float | None:
    """About how long the jobs take that are not done, as many at once as run now.

    A job is taken to need the mean of those of its kind that are done, or of all that are. None where none is done, or
    none runs and some are left.
    """
    took: dict[str, list[float]] = defaultdict(list)
    for job in jobs:
        if job.state == "done" and job.seconds is not None:
            took[_kind(job.name)].append(job.seconds)
    running = [job for job in jobs if job.state == "running"]
    waiting = in_all - len([job for job in jobs if job.state in ("done", "failed", "running")])
    if not waiting and not running:
        return 0.0
    if not took or not running:
        return None
    mean = _mean(second for own in took.values() for second in own)
    begun = sum(max(0.0, _mean(took.get(_kind(job.name), [mean])) - (job.seconds or 0.0)) for job in running)
    return (begun + max(0, waiting) * mean) / len(running)


def _listed(folder: Path, read: Reading) -> list[dict[str, str]]:
    """The rows of cells.csv, and cells that have a folder without a row."""
    rows = [row for row in read.rows(folder / "cells.csv") if row.get("cell")]
    known = {row["cell"] for row in rows}
    return rows + [{"cell": own.name} for own in read.files(folder / "cells") if own.is_dir() and own.name not in known]


def _cell(folder: Path, row: dict[str, str], busy: bool | None, read: Reading) -> tuple[CellStatus, list[JobState]]:
    place = folder / "cells" / Path(row["cell"]).name
    rounds = [own for own in read.files(place / "rounds") if own.is_dir()]
    jobs = [job for own in rounds or [place] for job in jobs_of(own, busy, read, f"{own.name} " if rounds else "")]
    count = Counter(job.state for job in jobs)
    in_all = len(jobs) if row.get("state") == "done" else 0
    in_all = in_all or max(len(jobs), max(len(rounds), 1) * jobs_in_all(read.values(place / "run.yaml")))
    values = {field: value for field, value in row.items() if field not in NOT_SWEPT}
    cell = CellStatus(
        row["cell"], values, _state(row.get("state", ""), count), count["done"], in_all, count["running"],
        count["failed"], count["stopped"], *_auc(read.rows(place / "metrics.csv")),
    )  # fmt: skip
    return cell, jobs


def _failures(folder: Path, found: _Found, read: Reading) -> tuple[str, ...]:
    """What jobs say of themselves, and what failures.csv has of others: one that was lost, one that never began."""
    own = {f"{cell.cell} {job.name}": job.message for cell, jobs in found for job in jobs if job.state == "failed"}
    for row in read.rows(folder / "failures.csv"):
        where = " ".join(word for key in ("cell", "round", "job") if (word := row.get(key)))
        place = folder / "cells" / Path(row.get("cell") or ".").name
        own.setdefault(where, without_cases(row.get("message") or "", place))
    return tuple(f"{where}: {message}" for where, message in own.items())


def _state(noted: str, count: "Counter[State]") -> State:
    if noted in ("done", "failed"):
        return "done" if noted == "done" else "failed"
    for state in ("running", "failed", "stopped"):
        if count[state]:
            return state
    return "running" if count["done"] else "waiting"


def _auc(rows: list[dict[str, str]]) -> tuple[str, float | None]:
    """The model that stands for a cell, and its AUC."""
    models = list(dict.fromkeys(row["model"] for row in rows if row.get("model")))
    if not models:
        return "", None
    task = models[0].partition("/")[0]
    own = [name for name in models if name.startswith(f"{task}/")] or models
    model = next((name for view in VIEWS for name in own if name.rpartition("/")[2] == view), own[-1])
    found = {row.get("set"): row.get("auc") for row in rows if row.get("model") == model}
    try:
        return model, float(found[INNER] or "")
    except (KeyError, ValueError):
        return model, None


def _kind(job: str) -> str:
    """Folds of all rounds are of one kind, and what else a round does is of its own."""
    return "fold" if "fold_" in job else job.rpartition(" ")[2]


def _mean(seconds: Iterable[float]) -> float:
    own = list(seconds)
    return sum(own) / len(own)
