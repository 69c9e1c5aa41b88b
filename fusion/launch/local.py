"""This machine: one worker process a core, one thread each."""

import contextlib
from collections.abc import Iterator

from joblib.externals.loky import ProcessPoolExecutor

from fusion.launch.pool import Pool
from fusion.progress import cores


@contextlib.contextmanager
def local(jobs: int = 0) -> Iterator[Pool]:
    """Worker processes of this machine; 0 for one a core."""
    with ProcessPoolExecutor(cores(jobs)) as pool:
        yield pool
