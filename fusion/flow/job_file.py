"""How far a long job is, in a file of its own: several machines write them, and whoever asks reads them."""

import contextlib
import json
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from fusion.errors import Fault, FusionError
from fusion.heads.parts import word
from fusion.machine_faults import fault_of
from fusion.store import write_json

FOLDER = "jobs"
FINISH = "finish"


class JobFile(TypedDict):
    """What jobs/<name>.json says."""

    job: str
    state: Literal["running", "done", "failed"]
    started: str
    """Date, time and zone, ISO 8601."""
    seconds: float | None
    """How long it took; null while it runs, or for ever where its machine was lost."""
    message: NotRequired[str]
    """Why it failed."""
    traceback: NotRequired[str]
    """Where, if it is nothing that a user can mend."""


def fold_job(fold: int) -> str:
    """The name of a fold's job.

    >>> fold_job(0), fold_job(-1)
    ('fold_0', 'final')
    """
    name = word(fold)
    return f"fold_{name}" if name.isdecimal() else name


@contextlib.contextmanager
def noted_job(folder: Path, name: str) -> Iterator[None]:
    """Keep jobs/<name>.json of the run in ``folder`` while the block runs, and say there how it ended."""
    began = time.monotonic()
    noted: dict[str, Any] = {"job": name, "started": time.strftime("%Y-%m-%dT%H:%M:%S%z")}

    def note(state: str, seconds: float | None, **more: str) -> None:
        write_json(folder / FOLDER / f"{name}.json", {**noted, "state": state, "seconds": seconds, **more})

    note("running", None)
    try:
        yield
    except Exception as error:  # any, as it goes on to the one who asked for the job
        more = {} if isinstance(error, FusionError) else {"traceback": traceback.format_exc()}
        note("failed", round(time.monotonic() - began, 1), message=str(error) or type(error).__name__, **more)
        raise
    note("done", round(time.monotonic() - began, 1))


def faults_of(error: Exception) -> tuple[Fault, ...]:
    """Why a job failed."""
    if isinstance(error, FusionError):
        return error.faults
    remedy = f"see {FOLDER}/ in the run folder; the same command makes what is missing"
    return (fault_of(error) or Fault(f"{type(error).__name__}: {error}", "a job that ends well", remedy),)


def read_job(folder: Path, name: str) -> JobFile | None:
    """What jobs/<name>.json of the run in ``folder`` says; None where nobody began that job."""
    path = folder / FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def is_done(folder: Path, name: str) -> bool:
    """Whether the job said that it ended well."""
    found = read_job(folder, name)
    return found is not None and found["state"] == "done"
