"""The run folder: one run at a time, one config, one cohort, one environment; a log without identifiers."""

import contextlib
import errno
import fcntl
import json
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from fusion.config import dump, load
from fusion.config.run import Run
from fusion.errors import Fault, RunError
from fusion.flow.intact import refuse_damaged
from fusion.store import sweep, write_json, write_text

PACKAGES = ("fusion", "numpy", "scipy", "pandas", "scikit-learn", "SimpleITK", "pyradiomics", "torch", "timm")
ENVIRONMENT = "environment.json"
TRIES, SECONDS_BETWEEN_TRIES = 3, 0.05
"""To have the folder's lock, which `fusion status` holds for a moment, too."""
ORPHANED_S = 3600.0
"""After which a half-written file is nobody's: jobs on other machines may outlive the one who sent them."""
FREE = {"output", "cache", "jobs", "compute", "bundle", "may_lose"}
"""Fields that a resumed run may change: none of them changes a number that is there already."""


def stored_run(folder: Path) -> Run:
    """The run that ``folder`` holds.

    Raises:
        RunError: the folder has no run.yaml, or damaged files.
    """
    path = folder / "run.yaml"
    if not path.is_file():
        raise RunError(Fault("no run.yaml", "a run folder", "name the folder of a run", file=str(folder)))
    refuse_damaged(folder)
    return load(path).model_copy(update={"output": folder})


@contextlib.contextmanager
def opened(run: Run) -> Iterator[Path]:
    """The run's folder, held against a second process, with the same run in it as before or none.

    Raises:
        RunError: another process works there, or the folder belongs to a run with other values.
    """
    folder = run.folder
    with held(folder):
        tidy(folder, run, "features/cases")
        if (folder / "run.yaml").is_file():
            same_run(stored_run(folder), run, folder / "run.yaml")
        else:
            write_text(folder / "run.yaml", dump(run))
        yield folder


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder, made where it is missing, held against a second process while the block lasts.

    Raises:
        RunError: another process works there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        if not _locked(lock):
            found = "another process at work in this folder"
            raise RunError(Fault(found, "one", "wait for it or use another output", file=str(folder)))
        yield


def tidy(folder: Path, run: Run, cache: str) -> None:
    """Delete what killed writers left half done, but for a cache, which other runs may share.

    Jobs on other machines may outlive the command that sent them: what they are writing is left alone.
    """
    sweep(folder, 0.0 if run.compute.engine == "local" else ORPHANED_S, besides=folder / cache)


def _locked(lock: TextIO) -> bool:
    """Hold the lock unless a process has it for longer than a look at it takes (``signs.held``)."""
    for _ in range(TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(SECONDS_BETWEEN_TRIES)
        else:
            return True
    return False


def note_environment(folder: Path, run: Run, data_sha256: str) -> None:
    """Write environment.json, unless an earlier start did.

    Raises:
        RunError: as ``same_environment``.
    """
    path = folder / ENVIRONMENT
    if path.is_file():
        same_environment(folder, data_sha256)
        return
    more = {"seed": run.seed, "git_commit": _git_commit(), "hardware": _hardware(run), "started": _clock()}
    write_json(path, {"fusion": version("fusion"), **_decides(data_sha256), **more})


def same_environment(folder: Path, data_sha256: str) -> None:
    """Make sure that data and versions are those of the first start, if there was one.

    Raises:
        RunError: what differs, so that one run never mixes two cohorts or two versions.
    """
    path, now = folder / ENVIRONMENT, _decides(data_sha256)
    if not path.is_file():
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    faults = [
        Fault(f"{_short(now[key])} now", f"{_short(before[key])} as when this run started",
              "use another output, or go back", file=f"{path} ({key})")
        for key in now
        if now[key] != before.get(key)
    ]  # fmt: skip
    if faults:
        raise RunError(faults)


def _decides(data_sha256: str) -> dict[str, Any]:
    """What the numbers depend on, beside the config."""
    packages = {name: version(name) for name in PACKAGES}
    return {"data_sha256": data_sha256, "python": platform.python_version(), "packages": packages}


@contextlib.contextmanager
def told(folder: Path, stage: str) -> Iterator[None]:
    """Log a stage's start and end, with seconds."""
    _log(folder, stage, "started")
    start = time.monotonic()
    yield
    _log(folder, stage, "done", seconds=round(time.monotonic() - start, 1))


def noted(folder: Path, stage: str, what: str) -> None:
    """Log one thing about a stage."""
    _log(folder, stage, what)


def _log(folder: Path, stage: str, what: str, **more: Any) -> None:
    path, line = folder / "log.jsonl", json.dumps({"time": _clock(), "stage": stage, "what": what, **more}) + "\n"
    with path.open("ab", buffering=0) as file:
        before = file.seek(0, os.SEEK_END)
        if file.write(line.encode()) < len(line.encode()):  # as much as a full disk takes
            file.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def same_run(before: Run, now: Run, file: Path) -> None:
    """Make sure that a start has the values of the first one, which ``file`` keeps.

    Raises:
        RunError: every field that decides numbers and has another value.
    """
    old, new = _flat(before.model_dump(mode="json")), _flat(now.model_dump(mode="json"))
    faults = [
        Fault(f"{name} = {new.get(name)!r}", f"{old.get(name)!r}, with which this folder was begun",
              "use another output=DIR, or the earlier value", file=str(file))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name) and name.split(".")[0] not in FREE
    ]  # fmt: skip
    if faults:
        raise RunError(faults)


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {k: v for name, part in value.items() for k, v in _flat(part, f"{path}.{name}" if path else name).items()}


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return str(value)[:16]


def _git_commit() -> str | None:
    """The commit of the source tree, if fusion runs from one."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def _hardware(run: Run) -> dict[str, Any]:
    gpu = None if run.network is None else _gpu()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": platform.machine(), "cores": os.cpu_count(), "memory_gib": round(memory, 1), "gpu": gpu}


def _gpu() -> str | None:
    """What torch, which takes 600 MB and seconds, would train networks on; no other work uses it."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def _clock() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
