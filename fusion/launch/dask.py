"""Workers of a Dask scheduler that is there already: refused together, before anything is sent, if they cannot do."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from fusion.errors import Fault, RunError
from fusion.launch.client import GOES_ON, SECONDS_BETWEEN_LOOKS, Calls, sender
from fusion.launch.extra import require
from fusion.launch.pool import Pool
from fusion.launch.same import others, versions
from fusion.progress import ENGINE

SECONDS_TO_ANSWER = 30.0
SECONDS_WITHOUT_WORKERS = 300.0
START = "dask worker {address} --nworkers N --nthreads 1"
DAEMON = "with DASK_DISTRIBUTED__WORKER__DAEMON=False set where a job is to start processes of its own"
SETTINGS = {"distributed.admin.large-graph-warning-threshold": "1 TB"}
"""A verb's tables go to the scheduler on purpose."""


@contextlib.contextmanager
def dask(address: str, folder: Path, seconds: float = SECONDS_TO_ANSWER) -> Iterator[Pool]:
    """The workers of the scheduler at ``address``.

    Args:
        address: such as ``tcp://10.0.0.1:8786``.
        folder: which workers must see, by the same path.
        seconds: to wait for an answer, and for the first worker.

    Raises:
        RunError: an extra is missing, no scheduler answers, it has no workers, or they cannot be used; all reasons.
    """
    require("distributed")
    import distributed  # noqa: F401, which adds to the config that is put back afterwards
    from dask import config

    with config.set(SETTINGS), _client(address, seconds) as client:
        _require_usable(client, address, folder, seconds)
        look = _patience(client)
        calls = Calls(client, look)
        token = ENGINE.set(sender(client, look))
        try:
            yield calls
        finally:
            ENGINE.reset(token)
            calls.close()


@contextlib.contextmanager
def _client(address: str, seconds: float) -> Iterator[Any]:
    from distributed import Client

    try:
        client = Client(address, timeout=seconds, set_as_default=False)
    except (OSError, ValueError) as error:
        remedy = f"start one with `dask scheduler`, and workers with `{START.format(address=address)}`"
        raise RunError(Fault(f"no answer from {address}", "a Dask scheduler", remedy)) from error
    try:
        yield client
    finally:
        client.close()


def _require_usable(client: Any, address: str, folder: Path, seconds: float) -> None:
    start = f"start workers with `{START.format(address=address)}`, {DAEMON}"
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError as error:
        raise RunError(Fault(f"no worker at {address} within {seconds:g} s", "at least one", start)) from error
    many = {worker: threads for worker, threads in client.nthreads().items() if threads > 1}
    faults = [Fault(f"{threads} threads in worker {own}", "one", start) for own, threads in many.items()]
    with _sign(folder) as sign:
        told: Mapping[str, Any] = client.run(_seen, str(sign), on_error="return")
    for worker, said in told.items():
        faults += _faults_of(worker, said, sign)
    if faults:
        raise RunError(faults)


@contextlib.contextmanager
def _sign(folder: Path) -> Iterator[Path]:
    """A new file in ``folder``, or where it is to be made, by which a worker is known to see the same disk."""
    there = next(own for own in [folder.absolute(), *folder.absolute().parents] if own.is_dir())
    sign = there / f".seen_{uuid4().hex}"
    sign.touch()
    try:
        yield sign
    finally:
        sign.unlink()


def _seen(sign: str) -> tuple[dict[str, str], bool]:
    """What a worker is and whether it sees the file ``sign``."""
    return versions(), os.access(sign, os.R_OK | os.W_OK)


def _faults_of(worker: str, said: Any, sign: Path) -> list[Fault]:
    if isinstance(said, Exception):
        remedy = "install fusion[cluster] there, of the same commit, and start the worker with that Python"
        return [Fault(f"worker {worker} that cannot import fusion ({said})", "the code that runs here", remedy)]
    theirs, seen = said
    faults = others(versions(), theirs, f"worker {worker}")
    if not seen:
        expected = "read and write access by the same path on all machines"
        remedy = "set output to a folder that they share, such as one of a network drive"
        faults.append(Fault(f"worker {worker} that cannot use {sign.parent}", expected, remedy))
    return faults


def _patience(client: Any) -> Callable[[int], None]:
    """Give up when the last worker has been gone for some minutes; a nanny brings one back within seconds."""
    asked, gone = time.monotonic(), None

    def look(left: int) -> None:
        nonlocal asked, gone
        now = time.monotonic()
        if now - asked < SECONDS_BETWEEN_LOOKS:
            return
        asked = now
        if client.status != "running" or client.nthreads():
            gone = None
            return
        gone = gone or now
        if now - gone > SECONDS_WITHOUT_WORKERS:
            found = f"no worker for {SECONDS_WITHOUT_WORKERS:g} s, with work left ({left})"
            raise RunError(Fault(found, "at least one", f"start workers again; {GOES_ON}"))

    return look
