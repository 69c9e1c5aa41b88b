"""A Dask scheduler and two worker processes of one thread, as a user starts them; ``from ... import dask_address``."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def scheduler(folder: Path, *worker: str) -> Iterator[str]:
    """Yield the address of a scheduler.

    Args:
        folder: for its files.
        worker: further words of `dask worker`, which is not started without any.
    """
    named = folder / "scheduler.json"
    words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(named)]
    with contextlib.ExitStack() as stack:
        stack.enter_context(_started(folder, *words))
        address = _address(named)
        if worker:
            words = ["--no-dashboard", "--memory-limit", "0", "--local-directory", str(folder / "own"), *worker]
            stack.enter_context(_started(folder, "worker", address, *words))
        yield address


def _address(named: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(named.read_text())["address"]
        time.sleep(0.05)
    raise TimeoutError("no Dask scheduler after 60 s")


@contextlib.contextmanager
def _started(folder: Path, *words: str) -> Iterator[None]:
    more = {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__WORKER__DAEMON": "False", "PYTHONWARNINGS": "ignore"}
    with (folder / f"{words[0]}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *words], env=os.environ | more, stdout=log, stderr=log, cwd=folder
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def dask_address(tmp_path_factory) -> Iterator[str]:
    """Of a scheduler with two workers."""
    from distributed import Client

    with scheduler(tmp_path_factory.mktemp("dask"), "--nworkers", "2", "--nthreads", "1") as address:
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address
