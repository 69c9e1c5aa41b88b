"""What the worker's process does: make ready, bound its own memory, then one job after the other."""

import gc
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fusion.errors import FusionError

DONE, REFUSED, MEMORY, BROKEN = "done", "refused", "memory", "broken"
NO_MEMORY = ("bad_alloc", "allocate memory", "unable to allocate", "failed to allocate", "out of memory")
ROOT = Path(__file__).parents[1]


def work(
    pipe: Connection, setup: Callable[..., Any], args: tuple[Any, ...], memory_bytes: int, temporary: Path | None
) -> None:
    """Answer (verb, args) with (DONE, result), (REFUSED, error), or in words (MEMORY, ...), (BROKEN, ...)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server ends this process itself
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if temporary is not None:  # read by libraries when they load
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    made: list[Any] = []
    if not _told(pipe, lambda: made.append(setup(*args))):
        return
    state = made[0]
    gc.collect()
    gc.freeze()  # what is loaded stays, and need not be looked through after every job
    bound_memory(memory_bytes)
    _silence()
    goes_on = True
    while goes_on:
        try:
            verb, given = pipe.recv()
        except EOFError:
            return
        goes_on = _told(pipe, lambda verb=verb, given=given: verb(state, *given))  # type: ignore[misc]
        gc.collect()


def _told(pipe: Connection, act: Callable[[], Any]) -> bool:
    """Send what ``act`` gives or how it failed; False where the process is better replaced."""
    goes_on = True
    try:
        reply = (DONE, act())
    except FusionError as error:
        reply = (REFUSED, error)
    except Exception as error:  # a job's failure of whatever kind is told, in words that carry nothing of its data
        goes_on = not out_of_memory(error)
        reply = (BROKEN, f"a failure inside the program ({where(error)})") if goes_on else (MEMORY, _too_big())
    pipe.send(reply)
    return goes_on


def _too_big() -> str:
    return "a case that needs more memory than it may have"


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out; libraries in C++ say so in their own words."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in words for sign in NO_MEMORY)


def where(error: BaseException) -> str:
    """Kind of the error and the last place in this package; its message may quote a file, so it is left out.

    >>> where(KeyError("a name"))
    'KeyError'
    """
    places = [own for own in traceback.extract_tb(error.__traceback__) if Path(own.filename).is_relative_to(ROOT)]
    at = f" at {Path(places[-1].filename).relative_to(ROOT.parent)}:{places[-1].lineno}" if places else ""
    return f"{type(error).__name__}{at}"


def bound_memory(memory_bytes: int) -> None:
    """Let this process take so much more than it has; beyond, allocations fail and the job with them.

    Linux counts private writable memory (RLIMIT_DATA), not the code of large libraries; other systems' limits count
    addresses that are never used, or nothing, so there the process goes unbounded and says so.
    """
    if sys.platform != "linux":
        print("the memory of a case is not bounded on this system", file=sys.stderr)
        return
    limit = data_bytes() + memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def data_bytes() -> int:
    """Private writable memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def _silence() -> None:
    """Libraries warn about what they read and quote it: nothing of that belongs into a log."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for standard in (1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
