"""What every engine is to those who use it: somewhere to send long jobs, and what comes back."""

import time
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Protocol, TypeVar

Key = TypeVar("Key")
SECONDS_BETWEEN_LOOKS = 0.2


class Job(Protocol):
    """A call that was sent away."""

    def done(self) -> bool:
        """Whether it ended, well or not."""

    def result(self) -> Any:
        """What the call returned; raises what it raised, or RunError where its worker was lost once too often."""


class Pool(Protocol):
    """Takes calls; a call whose worker is killed is made again, on another one."""

    def submit(self, verb: Callable[..., Any], /, *given: Any) -> Job:
        """Send ``verb(*given)`` away; all of it must be picklable."""


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
