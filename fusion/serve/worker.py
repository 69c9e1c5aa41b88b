"""One process that does jobs in order of arrival, each in bounded time and memory; killed and restarted when one fails.

What is uploaded is read by libraries in C and C++. Where one crashes, hangs or takes all memory, that job gets a
message and the next one a fresh process.
"""

import contextlib
import multiprocessing
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path
from typing import Any

from fusion.errors import Fault, FusionError
from fusion.serve import worker_process


class BusyError(FusionError):
    """Too many jobs are waiting."""


class OverTimeError(FusionError):
    """A job that took longer than it may."""


class CrashedError(FusionError):
    """A job that ended its process."""


class MemoryLimitError(FusionError):
    """A job that needs more memory than it may have."""


class FailedError(FusionError):
    """A job that failed for no reason that a user can see."""


class StoppedError(FusionError):
    """A worker that has been closed."""


@dataclass(frozen=True)
class Bounds:
    """Of the worker's jobs."""

    seconds: float = 120.0
    start_seconds: float = 120.0
    waiting: int = 64
    memory_bytes: int = 6 * 2**30
    """Beyond what the process has once it is ready."""


@dataclass(frozen=True)
class _Job:
    verb: Callable[..., Any]
    args: tuple[Any, ...]
    done: Future[Any] = field(default_factory=Future)


class Worker:
    """Does ``verb(state, *args)`` in a process of its own, where ``state`` is what ``setup(*args)`` gave there.

    ``setup`` and the verbs are functions of modules, as the process finds them by name.
    """

    def __init__(
        self, setup: Callable[..., Any], *args: Any, bounds: Bounds | None = None, temporary: Path | None = None
    ) -> None:
        """A worker that makes itself ready.

        Args:
            setup: makes the state.
            args: of ``setup``.
            bounds: of its jobs.
            temporary: folder for what libraries leave for a while; the system's unless given.
        """
        self.bounds = bounds or Bounds()
        self.ready: Future[float] = Future()
        """Seconds that the first start took, or why it failed."""
        self._setup, self._args, self._temporary = setup, args, temporary
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._busy = False
        self._process: _Process | None = None
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def submit(self, verb: Callable[..., Any], *args: Any, patient: bool = False) -> Future[Any]:
        """The job's result to come; jobs are done in the order in which they are submitted.

        Args:
            verb: a function of a module.
            args: behind the state.
            patient: wait however many others do, as work must that goes on what has been begun.

        Raises:
            BusyError: as many jobs wait as may.
            StoppedError: the worker has been closed.
        """
        job = _Job(verb, args)
        with self._changed:
            if self._closed:
                raise _stopped()
            if self.full and not patient:
                found = f"{len(self._jobs)} requests waiting"
                raise BusyError(Fault(found, f"fewer than {self.bounds.waiting}", "try again in a minute"))
            self._jobs.append(job)
            self._changed.notify()
        return job.done

    @property
    def waiting(self) -> int:
        """Jobs that are submitted and not done."""
        return len(self._jobs) + self._busy

    @property
    def full(self) -> bool:
        """Whether the next job would be refused."""
        return len(self._jobs) >= self.bounds.waiting

    @property
    def pid(self) -> int | None:
        """Of the process, where one runs."""
        process = self._process
        return None if process is None else process.pid

    def close(self) -> None:
        """End the process; jobs that are not done get a fault."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            if self._process is not None:
                self._process.kill()
        self._thread.join()

    def _run(self) -> None:
        self._start_first()
        while (job := self._next()) is not None:
            if job.done.set_running_or_notify_cancel():
                self._do(job)
            self._busy = False
        for job in self._jobs:
            job.done.set_exception(_stopped())
        if self._process is not None:
            self._process.kill()
        if not self.ready.done():
            self.ready.set_exception(_stopped())

    def _start_first(self) -> None:
        begun = time.monotonic()
        try:
            self._alive()
        except FusionError as error:
            self.ready.set_exception(error)
        else:
            self.ready.set_result(time.monotonic() - begun)

    def _next(self) -> _Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._jobs))
            self._busy = not self._closed
            return None if self._closed else self._jobs.popleft()

    def _do(self, job: _Job) -> None:
        try:
            result = self._alive().ask(job.verb, job.args, self.bounds.seconds)
        except _Ended as ended:
            self._end()
            job.done.set_exception(_stopped() if self._closed else ended.as_fault())
        except Exception as error:  # given to the one who asked, whatever it is; the next job is not to suffer
            job.done.set_exception(error)
        else:
            job.done.set_result(result)

    def _alive(self) -> "_Process":
        """The process, started where there is none."""
        if self._process is not None and not self._process.fit:
            self._end()
        if self._process is None:
            with self._changed:
                if self._closed:
                    raise _stopped()
                self._process = _Process(self._setup, self._args, self.bounds.memory_bytes, self._temporary)
            try:
                self._process.started(self.bounds.start_seconds)
            except _Ended as ended:
                self._end()
                raise ended.as_fault() from ended
            except Exception:
                self._end()
                raise
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None


class _Ended(Exception):
    """The process gave no answer: it died by itself, or took too long."""

    def __init__(self, code: int | None, seconds: float) -> None:
        self.code, self.seconds = code, seconds

    def as_fault(self) -> FusionError:
        if self.code is None:
            found = f"a case that took more than {self.seconds:.0f} s"
            remedy = "crop the image round the tumour, or start the server with a larger --seconds"
            return OverTimeError(Fault(found, "an answer in time", remedy))
        found = f"a case that ended the program that read it ({_reason(self.code)})"
        return CrashedError(Fault(found, "files that can be read", "export them again, in another format"))


class _Process:
    """The process, and the pipe to it."""

    def __init__(
        self, setup: Callable[..., Any], args: tuple[Any, ...], memory_bytes: int, temporary: Path | None
    ) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy the server's threads' locks
        self._pipe, its = context.Pipe()
        given = (its, setup, args, memory_bytes, temporary)
        self._process = context.Process(target=worker_process.work, args=given, name="fusion-worker", daemon=True)
        self._process.start()
        self._spent = False
        its.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def fit(self) -> bool:
        """Whether it may have another job."""
        return not self._spent and self._process.is_alive()

    def started(self, seconds: float) -> None:
        """Wait until it is ready."""
        self._reply(seconds)

    def ask(self, verb: Callable[..., Any], args: tuple[Any, ...], seconds: float) -> Any:
        """What ``verb`` gives there; what it raises there is raised here."""
        try:
            self._pipe.send((verb, args))
        except (BrokenPipeError, ConnectionResetError):
            raise _Ended(self._code(), seconds) from None
        return self._reply(seconds)

    def _reply(self, seconds: float) -> Any:
        if not connection.wait([self._pipe, self._process.sentinel], timeout=seconds):
            raise _Ended(None, seconds)
        try:
            kind, value = self._pipe.recv()
        except (EOFError, OSError, pickle.UnpicklingError):
            raise _Ended(self._code(), seconds) from None
        if kind == worker_process.DONE:
            return value
        if kind == worker_process.REFUSED:
            raise value
        if kind == worker_process.MEMORY:
            self._spent = True  # what is left of it may be of no use
            remedy = "crop the image round the tumour"
            raise MemoryLimitError(Fault(value, "a case within the memory of this server", remedy))
        remedy = "export the files again; if it stays so, tell the developers the place"
        raise FailedError(Fault(value, "an answer", remedy))

    def _code(self) -> int:
        self._process.join(5)
        return self._process.exitcode or 0

    def kill(self) -> None:
        """End it at once; it has nothing to put in order."""
        self._process.kill()
        self._process.join()
        with contextlib.suppress(OSError):
            self._pipe.close()


def _reason(code: int) -> str:
    if code == -signal.SIGKILL:
        return "killed, as the system does when memory runs out"
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _stopped() -> StoppedError:
    return StoppedError(Fault("a server that is stopping", "a running one", "start it again"))
