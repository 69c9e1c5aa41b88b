"""From `compute.engine` to the place where work is done."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from fusion.config.compute import Compute
from fusion.launch.dask import dask
from fusion.launch.local import local
from fusion.launch.pool import Pool
from fusion.launch.slurm import slurm


@contextlib.contextmanager
def engine(spec: Compute | str, folder: Path, jobs: int = 0, gpus_each: int = 1) -> Iterator[Pool]:
    """Where work is done while the block lasts: `progress.each` sends its items there, and the pool takes long jobs.

    Args:
        spec: `compute` of a run, or its engine alone: `local`, `dask tcp://...`, `slurm`.
        folder: where the engine may keep files of its own (scripts and output of SLURM jobs); all machines see it.
        jobs: worker processes of `local`; 0 for every core.
        gpus_each: of `local`, where there are GPUs: how many a worker has for itself; with 0 workers are one a core.

    Raises:
        RunError: no scheduler answers, its workers cannot be used, or an extra is missing.
    """
    compute = Compute(engine=spec) if isinstance(spec, str) else spec
    kind, _, address = compute.engine.partition(" ")
    if kind == "slurm":
        place = slurm(compute.slurm, folder)
    else:
        place = dask(address, folder) if kind == "dask" else local(jobs, gpus_each)
    with place as pool:
        yield pool
