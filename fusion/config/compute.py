"""Where a run computes: on this machine, on a Dask scheduler's workers, as SLURM jobs. No field changes a number."""

from typing import Annotated

from pydantic import Field

from fusion.config.part import Count, Part, Positive

ENGINE = r"^(local|slurm|dask [a-z]+://\S+)$"


class Slurm(Part):
    """What is asked of SLURM; used by `engine: slurm` alone."""

    partition: str | None = None
    """null for the cluster's default."""
    account: str | None = None
    interface: str | None = None
    """Network interface by which nodes reach the machine that sends the jobs, such as ib0; null for its default."""
    workers: Count = 8
    """Workers that read and measure cases, at most; each is a SLURM job of its own."""
    cores: Count = 1
    """CPU cores of a job that trains and fits one fold."""
    gpus: Annotated[int, Field(ge=0)] = 0
    """GPUs of such a job."""
    memory_gb: Positive = 8
    """Memory of any job, in GB."""
    minutes: Count = 240
    """Time limit of any job; one that runs into it is queued again and goes on with the next network."""
    at_once: Count = 100
    """Jobs of folds in the queue at most."""
    tries: Count = 4
    """How often a job may be started, counting the times that it was killed or ran out of time."""
    options: dict[str, str] = Field(default={})
    """Other options of sbatch by long name, such as {qos: low, constraint: a100}."""
    setup: tuple[str, ...] = ()
    """Lines of shell before a job, such as `module load cuda`."""


class Compute(Part):
    """Where a run computes."""

    engine: Annotated[str, Field(pattern=ENGINE)] = "local"
    """`local`, `dask tcp://SCHEDULER:8786`, or `slurm`. The last two want the extra `fusion[cluster]`, and folders that
    all machines see by the same path."""
    slurm: Slurm = Slurm()
