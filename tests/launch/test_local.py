import contextlib
import os

import pytest

from fusion.errors import ConfigError, RunError
from fusion.launch import Shape, engine, finished
from fusion.launch.local import gpus, places
from tests.launch import verbs
from tests.test_progress import alive, until


@pytest.fixture
def pool(tmp_path):
    with engine("local", tmp_path, 2) as pool:
        yield pool


def test_results_come_with_their_keys(pool):
    jobs = {number: pool.submit(verbs.halved, number) for number in range(5)}
    assert dict(finished(jobs)) == {number: number / 2 for number in range(5)}


def test_a_fault_arrives_as_itself(pool):
    with pytest.raises(ConfigError, match="found 3; expected another"):
        pool.submit(verbs.refused, 3).result()


def test_a_call_whose_worker_is_killed_is_made_again_and_no_other(pool, tmp_path):
    other = pool.submit(verbs.asleep, tmp_path, 2.0)
    jobs = {number: pool.submit(verbs.once_killed, tmp_path, number) for number in range(3)} | {"other": other}
    found = dict(finished(jobs))
    assert [found[number] for number in range(3)] == [0, 1, 2]
    assert (tmp_path / f"asleep_{found['other']}").exists()
    assert len(list(tmp_path.glob("asleep_*"))) == 1


def test_a_call_that_kills_every_worker_is_given_up(pool):
    with pytest.raises(RunError, match="killed 4 times at the same job"):
        pool.submit(verbs.killed, 1).result()


def test_work_inside_a_job_stays_in_its_worker(pool):
    workers = pool.submit(verbs.nested, 1).result()
    assert len(workers) == 1
    assert os.getpid() not in workers


def test_workers_end_with_the_block(tmp_path):
    with contextlib.suppress(KeyboardInterrupt), engine("local", tmp_path, 2) as pool:
        for _ in range(4):
            pool.submit(verbs.asleep, tmp_path, 60.0)
        until(lambda: len(list(tmp_path.glob("asleep_*"))) == 2)
        raise KeyboardInterrupt
    workers = [int(own.name.split("_")[1]) for own in tmp_path.glob("asleep_*")]
    until(lambda: not any(alive(worker) for worker in workers))


def test_several_processes_a_call_are_refused(pool):
    with pytest.raises(RunError, match="1 x 2 processes on the engine local"):
        pool.submit(verbs.halved, 1, shape=Shape(tasks=2))


def test_a_worker_a_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    with engine("local", tmp_path, 8) as pool:
        seen = [job.result() for job in [pool.submit(verbs.device, n) for n in range(2)]]
    assert sorted(seen) == [("4", "1"), ("7", "1")]


def test_gpus_are_those_of_the_environment_or_else_the_machine(tmp_path):
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    assert gpus({}, tmp_path) == ("0", "1")
    assert gpus({"CUDA_VISIBLE_DEVICES": "MIG-1, 3"}, tmp_path) == ("MIG-1", "3")
    assert gpus({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) == gpus({"CUDA_VISIBLE_DEVICES": "-1"}, tmp_path) == ()


def test_with_fewer_gpus_than_a_call_needs_one_worker_has_them_all():
    assert [own["CUDA_VISIBLE_DEVICES"] for own in places(8, ("0",), 2)] == ["0"]


def test_without_a_gpu_or_need_of_one_a_worker_a_core():
    assert len(places(3, ("0",), 0)) == 3
    assert len(places(3, ())) == 3
    assert "CUDA_VISIBLE_DEVICES" not in places(3, ())[0]
    assert [own["CUDA_VISIBLE_DEVICES"] for own in places(1, ("0", "1"))] == ["0"]
