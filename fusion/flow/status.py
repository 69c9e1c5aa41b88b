"""How far the work in a folder is, by its files alone, wherever it runs: nothing is written, nobody is disturbed."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from fusion.errors import Fault, RunError
from fusion.flow.status_run import RunStatus, run_status
from fusion.flow.status_sweep import SweepStatus, sweep_status

SWEEP = ("sweep.yaml", "cells.csv", "cells")
RUN = ("run.yaml", "log.jsonl", "jobs", "rounds")
"""What shows that a folder is one of a run, whole or damaged."""


def status(folder: Path, at_work: bool | None = None) -> RunStatus | SweepStatus:
    """How far the run or sweep in ``folder`` is; damage is told, not refused.

    Args:
        folder: of a run, of a run with several rounds, or of a sweep.
        at_work: true where the caller knows that somebody is; else the folder's lock is looked at.

    Raises:
        RunError: it is no such folder.
    """
    if any((folder / name).exists() for name in SWEEP):
        return sweep_status(folder, at_work)
    if any((folder / name).exists() for name in RUN):
        return run_status(folder, at_work)
    found = "neither run.yaml nor sweep.yaml" if folder.is_dir() else "no such folder"
    raise RunError(Fault(found, "the folder of a run or a sweep", "name that folder", file=str(folder)))


def document(own: RunStatus | SweepStatus) -> dict[str, Any]:
    """The same for programs: ``kind`` is run or sweep, times are in seconds."""
    return {"kind": "sweep" if isinstance(own, SweepStatus) else "run", **asdict(own)}
