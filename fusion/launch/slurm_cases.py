"""Many items on SLURM: a Dask scheduler in this process, its workers SLURM jobs that come and go with the work."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from fusion.config.compute import Slurm
from fusion.errors import Fault, RunError
from fusion.launch.client import sender
from fusion.launch.dask import SETTINGS
from fusion.launch.queue import cancel_all, living, require_taken
from fusion.launch.slurm_asked import for_cases
from fusion.launch.tls import security

SECONDS_BETWEEN_QUESTIONS = 5.0


class SlurmCases:
    """Workers that read and measure cases; none is queued before `send` has items, none stays after `release`.

    Args:
        slurm: what to ask for.
        folder: for logs; every node sees it.
        name: of the jobs, by which they are told from others.
    """

    def __init__(self, slurm: Slurm, folder: Path, name: str) -> None:
        self._slurm, self._folder, self._name = slurm, folder.absolute(), name
        self._open = contextlib.ExitStack()
        self._cluster: Any = None
        self._client: Any = None
        self._wanted = 0
        self._asked = 0.0
        self._failed = 0

    def send(self, verb: Callable[[Any], Any], items: Sequence[Any], title: str) -> Iterator[tuple[int, Any]]:
        """Do ``verb`` to ``items`` on the workers; as `progress.Send`."""
        self._wanted = max(self._wanted, min(self._slurm.workers, len(items)))
        if self._cluster is None:
            self._start()
        self._cluster.scale(self._wanted)
        yield from sender(self._client, self._look)(verb, items, title)

    def release(self) -> None:
        """Let the workers go; the next `send` asks for new ones."""
        if self._cluster is not None and self._wanted:
            self._wanted = 0
            self._cluster.scale(0)

    def close(self) -> None:
        """End all, and take what is queued out of the queue."""
        self._open.close()
        if self._cluster is not None:
            cancel_all(self._name)

    def _start(self) -> None:
        import dask
        from distributed import Client

        settings = SETTINGS | {
            "distributed.scheduler.allowed-failures": self._slurm.tries - 1,
            "distributed.deploy.lost-worker-timeout": "1 day",  # `_look` sees to that, and asks SLURM
        }
        self._open.enter_context(dask.config.set(settings))
        known = self._open.enter_context(security(self._folder, self._name))
        wanted = for_cases(self._slurm, self._folder, self._name)
        cluster = self._open.enter_context(slurm_cluster()(security=known, protocol="tls://", **wanted))
        require_taken(cluster.job_script())
        self._client = self._open.enter_context(Client(cluster, set_as_default=False))
        self._cluster = cluster

    def _look(self, left: int) -> None:
        """Ask for a worker anew in the place of each whose job ended: it was killed, or its time was up."""
        if time.monotonic() - self._asked < SECONDS_BETWEEN_QUESTIONS:
            return
        sent = dict(self._cluster.workers)
        self._asked, alive = time.monotonic(), living(self._name)
        if alive is None:
            return
        joined = {own["name"] for own in self._client.scheduler_info(n_workers=-1)["workers"].values()}
        if joined:
            self._failed = 0
        for name, job in sent.items():
            if job.job_id not in alive and name not in joined:  # with a number of None it could not be sent
                self._failed += 1
                self._client.sync(self._forget, name)
        if self._failed >= self._slurm.tries * self._wanted:
            found = f"{self._failed} SLURM jobs that ended before a worker was there, with {left} items left"
            raise RunError(Fault(found, "workers", f"see the last of {self._folder}/*.err, and compute.slurm.setup"))
        self._cluster.scale(self._wanted)

    async def _forget(self, name: str) -> None:
        self._cluster.workers.pop(name, None)


def slurm_cluster() -> Any:
    """dask-jobqueue's class; Ctrl-C means what it did before.

    The package (0.9.0) takes Ctrl-C for itself when it is imported, and would end the process as if all were well.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        from dask_jobqueue import SLURMCluster
    finally:
        signal.signal(signal.SIGINT, before)
    return SLURMCluster
