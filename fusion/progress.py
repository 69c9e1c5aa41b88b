"""One function over many items, on all cores, with a bar on a terminal and plain lines elsewhere."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import cache
from threading import Thread
from typing import Any, TypeVar

from joblib import Parallel, delayed
from joblib.externals.loky import process_executor
from joblib.externals.loky.process_executor import BrokenProcessPool
from rich.progress import track
from threadpoolctl import ThreadpoolController, threadpool_limits

from fusion.errors import Fault, RunError

Item = TypeVar("Item")
Result = TypeVar("Result")
SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_LOOKS = 1.0
DEATHS_IN_A_ROW = 4
"""Times that a worker may be killed with nothing finished since."""
Send = Callable[[Callable[[Any], Any], Sequence[Any], str], Iterator[tuple[int, Any]]]
"""Does a verb to items somewhere else, for a title; gives each item's number with its result, as they come."""
ENGINE: ContextVar[Send | None] = ContextVar("engine", default=None)
"""Where ``each`` sends its items, if not to processes of this machine; ``fusion.launch.engine`` sets it."""
WITHIN = ContextVar("within", default=False)
"""Whether this is part of an item of other work, which tells how far it is."""
WORKER = ContextVar("worker", default=False)
"""Whether this process is a worker, which does all that it is given by itself."""


def cores(jobs: int) -> int:
    """How many processes to use: ``jobs``, or with 0 every core this process may run on."""
    return jobs if jobs > 0 else len(os.sched_getaffinity(0))


def each(
    verb: Callable[[Item], Result], items: Sequence[Item], title: str, jobs: int = 0
) -> Iterator[tuple[Item, Result]]:
    """Yield (item, ``verb(item)``) as results come, in any order.

    One worker process a core, one BLAS thread a worker, so that numbers do not depend on ``jobs``. An exception in
    ``verb`` stops the work and is raised here; what a killed worker had is done again. ``verb`` and the items must be
    picklable. Inside a ``fusion.launch.engine`` the items go there. With ``jobs=1`` they are done in this process, one
    after the other, whatever the engine; and so they are where this is a worker itself.

    >>> sorted(each(abs, [-2, 1], "absolute values", jobs=1))
    [(-2, 2), (1, 1)]
    """
    if not items:
        return
    away = ENGINE.get()
    if WORKER.get() or (away and jobs == 1):
        results = _by_itself(verb, items)
    elif away:
        results = away(verb, items, title)
    else:
        results = _on_this_machine(verb, items, title, jobs)
    for index, result in _told(results, len(items), title):
        yield items[index], result


@contextlib.contextmanager
def as_worker() -> Iterator[None]:
    """In the block this process does all by itself, in one thread, and says nothing of how far it is."""
    # Where psutil is installed, loky (joblib 1.6.0) takes a worker that grew by 300 MB, as one that trains networks
    # does, for a leak, has it exit, and was seen to wait for its result for ever.
    process_executor._USE_PSUTIL = False
    within, worker = WITHIN.set(True), WORKER.set(True)
    try:
        with threadpool_limits(1):
            yield
    finally:
        WORKER.reset(worker)
        WITHIN.reset(within)


@cache
def end_with(parent: int) -> None:
    """End this process soon after ``parent``: loky's would wait for work of one that was killed, memory and all."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    Thread(target=watch, daemon=True, name="watches the parent").start()


def one_blas_thread() -> Any:
    """A context in which linear algebra runs in one thread, for work that has threads of its own."""
    return _blas().limit(limits=1, user_api="blas")


@cache
def _blas() -> ThreadpoolController:
    """The linear algebra libraries of this process: to look for them takes longer than to measure a small lesion."""
    import scipy.linalg.cython_lapack  # noqa: F401, numba's; found only when it is loaded

    return ThreadpoolController()


def _by_itself(verb: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result]]:
    for index, item in enumerate(items):
        yield _with_index(verb, index, item, os.getpid())


def _on_this_machine(
    verb: Callable[[Item], Result], items: Sequence[Item], title: str, jobs: int
) -> Iterator[tuple[int, Result]]:
    left, deaths = dict(enumerate(items)), 0
    while left:
        calls = [delayed(_with_index)(verb, index, item, os.getpid()) for index, item in left.items()]
        results = Parallel(n_jobs=min(cores(jobs), len(left)), return_as="generator_unordered")(calls)
        try:
            for index, result in results:
                deaths = 0
                del left[index]
                yield index, result
        except BrokenProcessPool as error:
            deaths += 1
            if deaths == DEATHS_IN_A_ROW:
                found = f"a worker process that was killed during {title}, as the system does when memory runs out"
                raise RunError(Fault(found, "workers that live", "set fewer jobs; what is done stays done")) from error


def _with_index(verb: Callable[[Item], Result], index: int, item: Item, parent: int) -> tuple[int, Result]:
    if os.getpid() != parent:
        if os.getppid() == parent:
            end_with(parent)
        with as_worker():
            return index, verb(item)
    before = WITHIN.set(True)
    try:
        with threadpool_limits(1):
            return index, verb(item)
    finally:
        WITHIN.reset(before)


def _told(results: Iterator[tuple[int, Result]], total: int, title: str) -> Iterator[tuple[int, Result]]:
    if WITHIN.get():
        yield from results
        return
    if sys.stderr.isatty():
        from rich.console import Console

        yield from track(results, title, total=total, console=Console(stderr=True))
        return
    start = last = time.monotonic()
    for done, result in enumerate(results, 1):
        now = time.monotonic()
        if done == total or now - last >= SECONDS_BETWEEN_LINES:
            print(f"{title}: {done}/{total}, {now - start:.0f} s", file=sys.stderr, flush=True)
            last = now
        yield result
