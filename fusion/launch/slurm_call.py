"""A call as a SLURM job makes it: counted, and fit to be queued again when its time is up."""

import os
import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from fusion.errors import Fault, RunError
from fusion.launch.same import require_same


@dataclass(frozen=True)
class Answer:
    """What a call gave: a value, or the error that it raised."""

    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True)
class Call:
    """``verb(*given)``, as submitit pickles it."""

    verb: Callable[..., Any]
    given: tuple[Any, ...]
    asked: dict[str, str]
    """The versions of who sent it."""
    starts: Path
    """A file with a line for each time that the job was started."""
    tries: int

    def __call__(self) -> Answer:
        """The answer; an error is one, so that it arrives as itself. On all places but the first there is none."""
        if os.environ.get("SLURM_PROCID", "0") != "0":
            return Answer()
        try:
            self._count()
            require_same(self.asked)
            with threadpool_limits(1):
                return Answer(self.verb(*self.given))
        except Exception as error:  # handed to the one who asks for the result
            error.add_note(f"In a SLURM job:\n{traceback.format_exc()}")
            return Answer(error=_portable(error))

    def checkpoint(self) -> Any:
        """What goes into the queue when time is up: the same call, which passes over what is done."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _count(self) -> None:
        with self.starts.open("a") as file:
            print(os.environ.get("SLURM_JOB_ID", "-"), file=file)
        if started(self.starts) > self.tries:
            raise lost(self.tries, "its last run reached the time limit, or was preempted")


def started(starts: Path) -> int:
    """How often a job was started that counts in ``starts``."""
    return len(starts.read_text().split()) if starts.exists() else 0


def lost(tries: int, last: str) -> RunError:
    """That a job ended unfinished once too often."""
    found = f"a SLURM job that was started or sent {tries} times and did not finish; {last}"
    remedy = "raise compute.slurm.minutes, memory_gb or tries; what is done stays done, and the same command goes on"
    return RunError(Fault(found, "one that finishes", remedy))


def _portable(error: Exception) -> Exception:
    """``error``, or where it does not survive being sent, its words."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever its class does when it is pickled; the words go on
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
