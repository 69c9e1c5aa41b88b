"""Where work is done: this machine, a Dask scheduler's workers, SLURM; ``engine`` is the one way in."""

from fusion.launch.engine import engine
from fusion.launch.pool import Job, Pool, Shape, finished

__all__ = ["Job", "Pool", "Shape", "engine", "finished"]
