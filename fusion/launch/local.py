"""This machine: one worker process a core, one thread each; for work on GPUs, one a GPU."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool, TerminatedWorkerError

from fusion.errors import Fault, RunError
from fusion.launch.pool import ONE, TRIES, Pool, Shape, only_one
from fusion.progress import as_worker, cores, end_with

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")


@contextlib.contextmanager
def local(jobs: int = 0, gpus_each: int = 1) -> Iterator[Pool]:
    """Worker processes of this machine, started when the first call comes, ended with the block.

    Args:
        jobs: how many; 0 for one a core.
        gpus_each: GPUs that a worker has for itself, where there are some.
    """
    pool = _Local(places(jobs, gpus(os.environ), gpus_each))
    try:
        yield pool
    finally:
        pool.close()


def places(jobs: int, devices: tuple[str, ...], each: int = 1) -> list[dict[str, str]]:
    """The environment of each worker: one thread, and where there are GPUs, ``each`` of them for itself.

    >>> [own["CUDA_VISIBLE_DEVICES"] for own in places(8, ("0", "1", "2", "3", "4"), 2)]
    ['0,1', '2,3']
    """
    if not devices or not each:
        return [ONE_THREAD] * cores(jobs)
    whole = max(each, len(devices) // each * each)  # with fewer than a call needs, it says so itself
    groups = [devices[first : first + each] for first in range(0, whole, each)]
    return [ONE_THREAD | {"CUDA_VISIBLE_DEVICES": ",".join(own)} for own in groups[: cores(jobs)]]


def gpus(environment: Mapping[str, str], folder: Path = Path("/dev")) -> tuple[str, ...]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them, without asking torch.

    Args:
        environment: its CUDA_VISIBLE_DEVICES goes before what the machine has.
        folder: where the driver keeps a file ``nvidiaN`` a GPU.
    """
    named = environment.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        devices = [own.strip() for own in named.split(",")]
        return tuple(own for own in devices if own and own != "-1")
    return tuple(str(own) for own in range(len(list(folder.glob("nvidia[0-9]*")))))


class _Local:
    """One thread a worker process: it hands over calls, and where the process is killed, makes another and repeats."""

    def __init__(self, environments: list[dict[str, str]]) -> None:
        self._waiting: SimpleQueue[_Call | None] = SimpleQueue()
        self._calls: list[Future[Any]] = []
        self._workers = [_Worker(own, self._waiting) for own in environments]

    def submit(self, verb: Callable[..., Any], /, *given: Any, shape: Shape = ONE) -> Future[Any]:
        only_one(shape, "local")
        call = _Call(verb, given)
        self._calls.append(call.future)
        self._waiting.put(call)
        idle = next((own for own in self._workers if not own.is_alive()), None)
        if idle is not None:
            idle.start()
        return call.future

    def close(self) -> None:
        for future in self._calls:
            future.cancel()
        for _ in self._workers:
            self._waiting.put(None)
        for worker in self._workers:
            worker.kill()


class _Call:
    def __init__(self, verb: Callable[..., Any], given: tuple[Any, ...]) -> None:
        self.verb, self.given = verb, given
        self.future: Future[Any] = Future()


class _Worker(Thread):
    def __init__(self, environment: dict[str, str], waiting: "SimpleQueue[_Call | None]") -> None:
        super().__init__(daemon=True, name="hands calls to a worker")
        self._environment, self._waiting = environment, waiting
        self._process: ProcessPoolExecutor | None = None
        self._over = False

    def run(self) -> None:
        while (call := self._waiting.get()) is not None and not self._over:
            if call.future.set_running_or_notify_cancel():
                try:
                    call.future.set_result(self._tried(call))
                except BaseException as error:  # whatever the call raised, handed to the one who asks for its result
                    call.future.set_exception(error)

    def kill(self) -> None:
        self._over = True
        if self._process is not None:
            self._process.shutdown(kill_workers=True)

    def _tried(self, call: _Call) -> Any:
        for _ in range(TRIES):
            if self._process is None:
                self._process = ProcessPoolExecutor(
                    1, initializer=_begin, initargs=(os.getpid(),), env=self._environment
                )
            try:
                return self._process.submit(_made, call.verb, call.given).result()
            except BrokenProcessPool as error:
                self._process, reason = None, error
                if self._over or not isinstance(error, TerminatedWorkerError):
                    raise
        found = f"a worker process that was killed {TRIES} times at the same job, as when memory runs out"
        raise RunError(Fault(found, "one that lives", "set fewer jobs; what is done stays done")) from reason


def _begin(parent: int) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches every process of a terminal; the parent ends its workers
    end_with(parent)


def _made(verb: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    with as_worker():
        return verb(*given)
