"""What a Dask scheduler does for us, a user's or one of SLURM jobs: many items of one verb, and single long calls."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from fusion.errors import Fault, RunError
from fusion.launch import pool
from fusion.launch.pool import ONE, Shape, only_one
from fusion.launch.same import require_same, versions
from fusion.progress import Send, as_worker

SECONDS_BETWEEN_LOOKS = 2.0
SECONDS_TO_RESTART = 30
GOES_ON = "what is done stays done, and the same command goes on from there"


def sender(client: Any, look: Callable[[int], None]) -> Send:
    """What `progress.each` sends its items with.

    The verb, with the tables that it holds, goes to the scheduler once, as a task of its own: workers fetch it from
    each other, and where one that holds it is killed, it is made anew.

    Args:
        client: of distributed.
        look: called with the number of items left, at first and every few seconds; may see to workers, or raise.
    """

    def send(verb: Callable[[Any], Any], items: Sequence[Any], title: str) -> Iterator[tuple[int, Any]]:
        from distributed.protocol.pickle import dumps, loads

        look(len(items))
        whole = client.submit(loads, dumps(verb), key=f"verb-{uuid4().hex}")
        futures = client.map(_item, range(len(items)), items, verb=whole, asked=versions(), pure=False)
        left = {future.key: future for future in futures}
        ended: SimpleQueue[Any] = SimpleQueue()
        for future in futures:
            future.add_done_callback(ended.put)
        del futures, future  # what has been told is kept nowhere
        fetching = ThreadPoolExecutor(1, thread_name_prefix="fetches results")
        try:
            while left:
                done = _taken(ended, lambda: look(len(left)))
                with told(title):
                    yield from _fetched(fetching.submit(client.gather, done), lambda: look(len(left)))
                for own in done:
                    del left[own.key]
        finally:
            client.cancel([*left.values(), whole], force=True)
            fetching.shutdown(wait=False)

    return send


class Calls:
    """The pool of single calls; each is a task that the scheduler gives to another worker when its own is killed.

    Args:
        client: of distributed.
        look: as of `sender`, while a call is waited for.
    """

    def __init__(self, client: Any, look: Callable[[int], None]) -> None:
        self._client, self._look = client, look
        self._sent: list[_Job] = []

    def submit(self, verb: Callable[..., Any], /, *given: Any, shape: Shape = ONE) -> "_Job":
        """Send ``verb(*given)`` away."""
        only_one(shape, "dask")
        job = _Job(self._client.submit(_call, versions(), verb, given, pure=False), self._look)
        self._sent.append(job)
        return job

    def close(self) -> None:
        """Take back what is not done, and start those workers anew that were at it, as nothing else stops a call."""
        left = [job.future for job in self._sent if not job.future.done()]
        if left and self._client.status == "running":
            keys = {future.key for future in left}
            busy = [own for own, tasks in self._client.processing().items() if keys.intersection(tasks)]
            self._client.cancel(left, force=True)
            self._client.restart_workers(busy, timeout=SECONDS_TO_RESTART, raise_for_error=False)


class _Job:
    def __init__(self, future: Any, look: Callable[[int], None]) -> None:
        self.future, self._look = future, look

    def done(self) -> bool:
        ended = self.future.done()
        if not ended:
            self._look(1)
        return ended

    def result(self) -> Any:
        while not self.done():
            time.sleep(pool.SECONDS_BETWEEN_LOOKS)
        with told("a job"):
            return self.future.result()


@contextlib.contextmanager
def told(title: str) -> Iterator[None]:
    """What a scheduler has to say of workers that were killed, or of itself, as a fault."""
    from distributed.scheduler import KilledWorker

    try:
        yield
    except KilledWorker as error:
        died = f"{error.allowed_failures + 1} workers that were killed during {title}, each at the same piece of it"
        remedy = f"give workers more memory (dask worker --memory-limit) or set fewer a machine; {GOES_ON}"
        raise RunError(Fault(died, "workers that live", remedy)) from error
    except CancelledError as error:
        found = f"a scheduler that was lost during {title}"
        raise RunError(Fault(found, "one that lives", f"start it again, and its workers; {GOES_ON}")) from error


def _taken(ended: SimpleQueue[Any], look: Callable[[], None]) -> list[Any]:
    """What has ended, at least one."""
    while True:
        with contextlib.suppress(Empty):
            done = [ended.get(timeout=SECONDS_BETWEEN_LOOKS)]
            while not ended.empty():
                done.append(ended.get())
            return done
        look()


def _fetched(results: Future[list[Any]], look: Callable[[], None]) -> list[Any]:
    """The results; of one whose worker was killed before it was fetched, when it has been made again."""
    while not wait([results], SECONDS_BETWEEN_LOOKS).done:
        look()
    return results.result()


def _item(index: int, item: Any, verb: Callable[[Any], Any], asked: dict[str, str]) -> tuple[int, Any]:
    require_same(asked)
    with as_worker():
        return index, verb(item)


def _call(asked: dict[str, str], verb: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    require_same(asked)
    with as_worker():
        return verb(*given)
