import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fusion.errors import ConfigError, Fault, RunError
from fusion.progress import each


def halved(number: int) -> float:
    return number / 2


def refused(number: int) -> int:
    raise ConfigError(Fault(str(number), "another", "change it"))


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def dot(seed: int) -> bytes:
    table = np.random.default_rng(seed).normal(size=(400, 400))
    return (table @ table).tobytes()


KEPT: list[np.ndarray] = []


def grown(number: int) -> int:
    """A worker that keeps 400 MB from its second item on, and is looked at more than a second later."""
    if KEPT or number > 1:
        KEPT[:] = [np.ones(50_000_000)]
    time.sleep(1.1)
    return os.getpid()


def test_a_worker_that_grows_goes_on():
    pytest.importorskip("psutil", reason="without it loky does not look at a worker's memory")
    assert len(set(dict(each(grown, range(6), "growth", 2)).values())) == 2


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_comes_back_with_its_result(jobs):
    assert dict(each(halved, range(5), "halves", jobs)) == {n: n / 2 for n in range(5)}


def test_nothing_to_do_is_done():
    assert list(each(halved, [], "halves")) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_fault_in_a_worker_arrives_as_itself(jobs):
    with pytest.raises(ConfigError, match="found 3; expected another; change it"):
        list(each(refused, [3, 3], "refusals", jobs))


def test_a_killed_worker_is_a_message():
    with pytest.raises(RunError, match="a worker process that was killed during deaths"):
        list(each(die, [1, 2], "deaths", 2))


def named_and_asleep(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(0.2)


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    words = f"from tests.test_progress import *; list(each(named_and_asleep, [{str(tmp_path)!r}] * 10000, 'naps', 2))"
    parent = subprocess.Popen([sys.executable, "-c", words], stderr=subprocess.DEVNULL)
    until(lambda: len(list(tmp_path.iterdir())) == 2)
    workers = [int(own.name) for own in tmp_path.iterdir()]
    parent.kill()
    parent.wait()
    until(lambda: not any(alive(worker) for worker in workers))


def until(condition, most_s=60.0):
    end = time.monotonic() + most_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def alive(number: int) -> bool:
    """Whether a process runs; one that waits to be collected does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_do_not_change_a_bit():
    assert dict(each(dot, [0, 1], "products", 1)) == dict(each(dot, [0, 1], "products", 2))
