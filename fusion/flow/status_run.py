"""How far one run folder is: its stages, its jobs, and the networks in training."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from fusion.flow.signs import STALE_S, Reading, age_s, held, last_row, since_s, without_cases

State = Literal["running", "done", "failed", "stopped", "waiting"]
TOGETHER = "stacked"
"""So begin the files of half-trained networks that are trained as one."""
JOBS_BESIDE_FOLDS = 2
"""The heads of the whole training set, and what is left when all folds are done."""


@dataclass(frozen=True)
class Stage:
    """A stage of log.jsonl, as it was started last."""

    name: str
    state: State
    seconds: float | None
    """That it took, or since it was started."""


@dataclass(frozen=True)
class JobState:
    """What jobs/NAME.json says."""

    name: str
    state: State
    seconds: float | None
    message: str = ""


@dataclass(frozen=True)
class Training:
    """A network that is being trained."""

    network: str
    epochs: int
    """That are done."""
    loss: float | None


@dataclass(frozen=True)
class RunStatus:
    """A run folder, and its rounds where its split has several."""

    folder: str
    at_work: bool | None
    """Whether somebody is seen at work here; a lock of another machine may not show."""
    quiet_s: float | None
    """Since something was written that tells of progress."""
    finished: bool
    """Whether metrics.csv is there."""
    stages: tuple[Stage, ...]
    jobs: tuple[JobState, ...]
    jobs_in_all: int
    """0 where the run did not come apart into jobs."""
    networks: int
    """Trained ones."""
    training: tuple[Training, ...]
    rounds: dict[str, "RunStatus"]
    damaged: tuple[str, ...]


def run_status(folder: Path, at_work: bool | None = None) -> RunStatus:
    """What the files of ``folder`` tell.

    Args:
        folder: of a run; it may be damaged or half written.
        at_work: true where the caller knows that somebody is; else the folder's lock is looked at.
    """
    read = Reading(folder)
    busy = at_work or held(folder)
    rounds = {own.name: run_status(own, busy or None) for own in read.files(folder / "rounds") if own.is_dir()}
    quiet_s = age_s(folder / "log.jsonl", *read.files(folder / "jobs", ".json"), *_losses(folder))
    jobs = jobs_of(folder, busy, read)
    trained, training = _networks(folder, read)
    asked = read.values(folder / "run.yaml")
    return RunStatus(
        str(folder), busy, quiet_s, (folder / "metrics.csv").is_file(), _stages(folder, busy, quiet_s, read), jobs,
        jobs_in_all(asked) if jobs else 0, trained, training, rounds, tuple(read.damaged),
    )  # fmt: skip


def jobs_of(folder: Path, at_work: bool | None, read: Reading, where: str = "") -> tuple[JobState, ...]:
    """The jobs of a run that have begun, folds first; one that runs has stopped where nothing shows that it goes on.

    ``where`` stands before their names.
    """
    found = [(path, read.json(path)) for path in read.files(folder / "jobs", ".json")]
    jobs = [_job(path, told, at_work, folder) for path, told in found if isinstance(told, dict)]
    jobs.sort(key=lambda own: (not own.name.startswith("fold_"), len(own.name), own.name))
    return tuple(replace(own, name=f"{where}{own.name}") for own in jobs) if where else tuple(jobs)


def jobs_in_all(run: dict[str, Any]) -> int:
    """Jobs of a run, or of each of its rounds; 0 where run.yaml does not say."""
    split = run.get("split")
    folds = split.get("folds", 5) if isinstance(split, dict) else 5
    return folds + JOBS_BESIDE_FOLDS if run and isinstance(folds, int) else 0


def _job(path: Path, told: dict[str, Any], at_work: bool | None, folder: Path) -> JobState:
    state = told.get("state")
    name, message = str(told.get("job", path.stem)), str(told.get("message") or "")
    if state == "running":
        quiet_s = age_s(path, *_losses(folder))
        gone = not at_work and (quiet_s is None or quiet_s > STALE_S)
        return JobState(name, "stopped" if gone else "running", since_s(told.get("started")))
    own: State = state if state in ("done", "failed") else "waiting"
    return JobState(
        name, own, _number(told.get("seconds")),
        without_cases(message, folder) if message else "",
    )  # fmt: skip


def _stages(folder: Path, at_work: bool | None, quiet_s: float | None, read: Reading) -> tuple[Stage, ...]:
    stages: dict[str, Stage] = {}
    gone = not at_work and (quiet_s is None or quiet_s > STALE_S)
    for line in read.json_lines(folder / "log.jsonl"):
        if not isinstance(line, dict) or line.get("what") not in ("started", "done"):
            continue
        name = str(line.get("stage"))
        if line["what"] == "started":
            stages[name] = Stage(name, "stopped" if gone else "running", since_s(line.get("time")))
        else:
            stages[name] = Stage(name, "done", _number(line.get("seconds")))
    return tuple(stages.values())


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _networks(folder: Path, read: Reading) -> tuple[int, tuple[Training, ...]]:
    """How many networks are trained, and those that are not yet, with their last epoch and loss."""
    trained, training = 0, list[Training]()
    for place in _checkpoints(folder, read):
        done = {path.stem for path in read.files(place, ".safetensors") if not path.name.startswith(TOGETHER)}
        trained += len(done)
        training += [
            own for log in read.files(place / "logs") if log.name not in done and (own := _losing(log)) is not None
        ]
        for path in read.files(place, ".safetensors"):
            training += _together(path) if path.name.startswith(TOGETHER) else []
    return trained, tuple(training)


def _losing(log: Path) -> Training | None:
    row = last_row(log / "metrics.csv")
    try:
        loss = float(row["loss"])
        return Training(log.name, int(row["epoch"]) + 1, loss if math.isfinite(loss) else None)
    except (KeyError, ValueError):
        return None


def _together(path: Path) -> list[Training]:
    """Networks trained as one, by the notes in the header of their half-trained weights; no torch is loaded for it."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        noted = json.loads(header["__metadata__"]["training"])
        return [Training(f"{len(noted['jobs'])} networks together", int(noted["epochs"]), None)]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError):
        return []


def _checkpoints(folder: Path, read: Reading) -> list[Path]:
    """checkpoints/, of which runs with several tasks and nested ones have more below it."""
    top = folder / "checkpoints"
    below = [*read.files(top), *read.files(top / "nested")]
    return [top, *(own / "checkpoints" for own in below if (own / "checkpoints").is_dir())]


def _losses(folder: Path) -> list[Path]:
    return list((folder / "checkpoints/logs").glob("*/metrics.csv"))
