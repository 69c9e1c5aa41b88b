"""What every engine is to those who use it: somewhere to send long jobs, and what comes back."""

import time
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from fusion.errors import Fault, RunError

Key = TypeVar("Key")
SECONDS_BETWEEN_LOOKS = 0.2
TRIES = 4
"""How often a call is made whose worker is killed."""


@dataclass(frozen=True)
class Shape:
    """Places that a call needs, as a training over several GPUs or machines does: it is made once, on the first of
    them, and starts what it wants on the others itself."""

    nodes: int = 1
    tasks: int = 1
    """Places on each node, each with the cores of a job."""
    gpus: int | None = None
    """GPUs on each node; None leaves it to the engine."""


ONE = Shape()


@runtime_checkable
class Job(Protocol):
    """A call that was sent away."""

    def done(self) -> bool:
        """Whether it ended, well or not."""

    def result(self) -> Any:
        """What the call returned; raises what it raised, or RunError where its worker was lost once too often."""


@runtime_checkable
class Pool(Protocol):
    """Takes calls; a call whose worker is killed is made again, on another one."""

    def submit(self, verb: Callable[..., Any], /, *given: Any, shape: Shape = ONE) -> Job:
        """Send ``verb(*given)`` away; all of it must be picklable, and whole to be made again after it was cut short.

        Raises:
            RunError: the engine has no processes of this ``shape``.
        """


def finished(
    jobs: MutableMapping[Key, Job], seconds: float = SECONDS_BETWEEN_LOOKS
) -> Iterator[tuple[Key, Any | Exception]]:
    """Yield each job's key with what it returned or raised, as it ends, and take it out of ``jobs``.

    Who iterates may add jobs meanwhile. Ctrl-C passes through.
    """
    while jobs:
        ended = [key for key, job in jobs.items() if job.done()]
        for key in ended:
            job = jobs.pop(key)
            try:
                yield key, job.result()
            except Exception as error:  # the job's own, handed to the one who asked
                yield key, error
        if not ended:
            time.sleep(seconds)


def only_one(shape: Shape, engine: str) -> None:
    """Refuse a call of several processes.

    Raises:
        RunError: ``shape`` asks for more than one.
    """
    if shape.nodes * shape.tasks > 1:
        found = f"a call of {shape.nodes} x {shape.tasks} processes on the engine {engine}"
        raise RunError(Fault(found, "one process a call", "set compute.engine=slurm, or train on one device"))
