import contextlib
import functools
import os

import numpy as np
import pytest

from fusion.errors import ConfigError, RunError
from fusion.launch import Shape, engine, finished
from fusion.launch.dask import _faults_of, dask
from fusion.launch.same import require_same, versions
from fusion.progress import each
from tests.launch import verbs
from tests.launch.dask_cluster import dask_address, scheduler  # noqa: F401, a fixture
from tests.test_progress import alive, until


@pytest.fixture
def pool(dask_address, tmp_path):  # noqa: F811, the fixture
    with engine(f"dask {dask_address}", tmp_path) as pool:
        yield pool


def test_items_give_the_bits_that_they_give_here(pool):
    there = dict(each(verbs.product, range(4), "products"))
    assert there == dict(each(verbs.product, range(4), "products", jobs=1))


def test_items_go_to_the_workers(pool):
    workers = set(dict(each(verbs.who, range(8), "who")).values())
    assert len(workers) == 2
    assert os.getpid() not in workers


def test_one_job_stays_in_this_process(pool):
    assert set(dict(each(verbs.who, range(2), "who", jobs=1)).values()) == {os.getpid()}


def test_jobs_come_back_with_their_keys(pool):
    jobs = {number: pool.submit(verbs.halved, number) for number in range(5)}
    assert dict(finished(jobs)) == {number: number / 2 for number in range(5)}


def test_a_fault_arrives_as_itself(pool):
    with pytest.raises(ConfigError, match="found 3; expected another"):
        pool.submit(verbs.refused, 3).result()
    with pytest.raises(ConfigError, match="found 4; expected another"):
        list(each(verbs.refused, [4], "refusals"))


def test_work_inside_a_job_stays_in_its_worker(pool):
    assert len(pool.submit(verbs.nested, 1).result()) == 1


def test_what_a_killed_worker_had_is_done_again(pool, tmp_path):
    job = pool.submit(verbs.once_killed, tmp_path, 7)
    verb = functools.partial(verbs.once_killed, tmp_path)
    assert dict(each(verb, range(2), "deaths")) == {0: 0, 1: 1}
    assert job.result() == 7


def test_what_a_verb_holds_goes_to_a_worker_once(pool, tmp_path):
    verb = functools.partial(verbs.with_table, verbs.Table(tmp_path))
    assert len(list(each(verb, range(50), "tables"))) == 50
    assert 1 <= len(list(tmp_path.glob("arrived_*"))) <= 2


def test_nothing_is_left_behind(dask_address, tmp_path):  # noqa: F811, the fixture
    from distributed import Client

    with contextlib.suppress(KeyboardInterrupt), engine(f"dask {dask_address}", tmp_path) as pool:
        for _ in range(4):
            pool.submit(verbs.asleep, tmp_path, 60.0)
        until(lambda: len(list(tmp_path.glob("asleep_*"))) == 2)
        raise KeyboardInterrupt
    workers = [int(own.name.split("_")[1]) for own in tmp_path.glob("asleep_*")]
    until(lambda: not any(alive(worker) for worker in workers))
    with Client(dask_address, set_as_default=False) as client:
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0


def test_items_that_nobody_waits_for_are_taken_back(pool, dask_address):  # noqa: F811, the fixture
    from distributed import Client

    found = each(verbs.who, range(30), "who")
    next(found)
    found.close()
    with Client(dask_address, set_as_default=False) as client:
        until(lambda: client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0)


def test_several_processes_a_call_are_refused(pool):
    with pytest.raises(RunError, match="2 x 1 processes on the engine dask"):
        pool.submit(verbs.halved, 1, shape=Shape(nodes=2))


def test_a_call_that_kills_every_worker_is_given_up(pool):
    with pytest.raises(RunError, match="4 workers that were killed during deaths"):
        list(each(verbs.killed, [1], "deaths"))


def test_no_scheduler_is_a_message(tmp_path):
    with (
        pytest.raises(RunError, match=r"no answer from tcp://127.0.0.1:9; .*start one with `dask scheduler`"),
        dask("tcp://127.0.0.1:9", tmp_path, 0.5),
    ):
        pass


def test_a_scheduler_without_workers_is_a_message(tmp_path):
    with (
        scheduler(tmp_path) as address,
        pytest.raises(RunError, match=r"no worker at .*--nthreads 1"),
        dask(address, tmp_path, 0.5),
    ):
        pass


def test_workers_that_do_not_come_back_are_a_message(tmp_path, monkeypatch):
    monkeypatch.setattr("fusion.launch.dask.SECONDS_WITHOUT_WORKERS", 0.5)
    with scheduler(tmp_path, "--no-nanny", "--nthreads", "1") as address, dask(address, tmp_path) as pool:
        job = pool.submit(verbs.killed, 1)
        with pytest.raises(RunError, match=r"no worker for 0\.5 s, with work left"):
            job.result()
        with pytest.raises(RunError, match=r"no worker for 0\.5 s, with work left"):
            list(each(verbs.halved, [1], "halves"))


def test_workers_of_other_versions_and_of_several_threads_are_refused_together(tmp_path, monkeypatch):
    monkeypatch.setattr("fusion.launch.dask.versions", lambda: versions() | {"numpy": "1.0"})
    found = f"2 threads in worker .*\n.*numpy {np.__version__} on worker .*; expected numpy 1.0"
    with (
        scheduler(tmp_path, "--nthreads", "2") as address,
        pytest.raises(RunError, match=found),
        dask(address, tmp_path),
    ):
        pass


def test_a_worker_that_cannot_use_the_folder_or_import_fusion_is_a_fault(tmp_path):
    unseen, *more = _faults_of("w", (versions(), False), tmp_path / "sign")
    assert not more
    assert f"worker w that cannot use {tmp_path}" in str(unseen)
    assert "cannot import fusion" in str(_faults_of("w", ImportError("no fusion"), tmp_path)[0])


def test_a_worker_that_comes_later_with_other_versions_computes_nothing():
    with pytest.raises(RunError, match=r"found numpy .* expected numpy 1\.0"):
        require_same(versions() | {"numpy": "1.0"})
