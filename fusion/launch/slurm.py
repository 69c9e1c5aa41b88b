"""A SLURM cluster: cases go to Dask workers that are SLURM jobs, long calls are jobs themselves."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from fusion.config.compute import Slurm
from fusion.launch.extra import require
from fusion.launch.pool import Pool
from fusion.launch.queue import require_slurm
from fusion.launch.slurm_cases import SlurmCases
from fusion.launch.slurm_jobs import SlurmJobs
from fusion.progress import ENGINE


@contextlib.contextmanager
def slurm(asked: Slurm, folder: Path) -> Iterator[Pool]:
    """The cluster that this machine submits to; nothing is queued before there is something to do.

    Args:
        asked: what to ask it for.
        folder: scripts, logs and results go to its folder ``slurm``; every node sees it by the same path.

    Raises:
        RunError: an extra or a command is missing, or SLURM does not answer.
    """
    require("distributed", "dask_jobqueue", "submitit")
    require_slurm()
    name = f"fusion-{uuid4().hex[:8]}"
    cases = SlurmCases(asked, folder / "slurm", f"{name}-cases")
    calls = SlurmJobs(asked, folder / "slurm", name, before=cases.release)
    token = ENGINE.set(cases.send)
    try:
        yield calls
    finally:
        ENGINE.reset(token)
        try:
            calls.close()
        finally:
            cases.close()
