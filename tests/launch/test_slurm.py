import contextlib
import functools
import subprocess

import pytest

from fusion.config.compute import Compute
from fusion.errors import ConfigError, RunError
from fusion.launch import Shape, engine, finished
from fusion.launch.tls import security
from fusion.progress import ENGINE, each
from tests.launch import verbs
from tests.launch.slurm import slurm_node  # noqa: F401, a fixture
from tests.test_progress import until

LITTLE = {"workers": 2, "memory_gb": 2, "minutes": 10}


@contextlib.contextmanager
def on_slurm(folder, **fields):
    with engine(Compute(engine="slurm", slurm=LITTLE | fields), folder) as pool:
        yield pool


@pytest.fixture(scope="module")
def pool(slurm_node, tmp_path_factory):  # noqa: F811, the fixture
    with on_slurm(tmp_path_factory.mktemp("run")) as pool:
        yield pool


def queue() -> list[str]:
    return subprocess.check_output(["squeue", "--noheader", "--format=%A"], text=True).split()


def test_nothing_is_queued_before_there_is_something_to_do(slurm_node, tmp_path):  # noqa: F811, the fixture
    with on_slurm(tmp_path):
        assert list(each(verbs.halved, [], "nothing")) == []
        assert queue() == []
    assert list(tmp_path.iterdir()) == []


def test_items_give_the_bits_that_they_give_here(pool):
    there = dict(each(verbs.product, range(4), "products"))
    assert there == dict(each(verbs.product, range(4), "products", jobs=1))


def test_a_key_of_others_does_not_open_our_scheduler(pool, tmp_path):
    from distributed import Client

    list(each(verbs.halved, [1], "halves"))
    address = ENGINE.get().__self__._cluster.scheduler_address
    with security(tmp_path, "theirs") as theirs, pytest.raises(OSError, match="TLS certificate does not match"):
        Client(address, security=theirs, timeout=1, set_as_default=False)


def test_what_a_killed_worker_had_is_done_again(pool, tmp_path):
    verb = functools.partial(verbs.once_killed, tmp_path)
    assert dict(each(verb, range(2), "deaths")) == {0: 0, 1: 1}


def test_workers_whose_jobs_are_cancelled_are_asked_for_again(pool, tmp_path):
    found = each(functools.partial(verbs.named, tmp_path), range(6), "cancelled")
    next(found)
    subprocess.run(["scancel", "--signal=KILL", "--full", *queue()], check=True)
    assert len(list(found)) == 5


def test_jobs_come_back_with_their_keys_and_faults_as_themselves(pool, tmp_path):
    jobs = {n: pool.submit(verbs.halved, n) for n in range(2)}
    jobs |= {"refused": pool.submit(verbs.refused, 3), "killed": pool.submit(verbs.once_killed, tmp_path, 7)}
    jobs |= {"pair": pool.submit(verbs.rank, shape=Shape(tasks=2))}
    found = dict(finished(jobs))
    assert [found[0], found[1], found["killed"], found["pair"]] == [0, 0.5, 7, ("0", "2")]
    assert isinstance(found["refused"], ConfigError)
    assert "found 3; expected another" in str(found["refused"])


def test_what_is_queued_is_cancelled_with_the_block(slurm_node, tmp_path):  # noqa: F811, the fixture
    with contextlib.suppress(KeyboardInterrupt), on_slurm(tmp_path, at_once=2) as pool:
        for _ in range(4):
            pool.submit(verbs.asleep, tmp_path, 60.0)
        until(lambda: len(list(tmp_path.glob("asleep_*"))) == 2)
        assert len(queue()) == 2
        raise KeyboardInterrupt
    until(lambda: queue() == [])


def test_what_slurm_refuses_is_a_message(slurm_node, tmp_path):  # noqa: F811, the fixture
    with on_slurm(tmp_path, partition="none", tries=1) as pool:
        with pytest.raises(RunError, match=r"job that SLURM does not take: .*[Ii]nvalid partition"):
            pool.submit(verbs.halved, 1).result()
        with pytest.raises(RunError, match=r"job that SLURM does not take: .*[Ii]nvalid partition"):
            list(each(verbs.halved, [1], "halves"))


def test_a_setup_that_fails_is_a_message(slurm_node, tmp_path):  # noqa: F811, the fixture
    with on_slurm(tmp_path, setup=["exit 3"], tries=2, workers=1) as pool:
        with pytest.raises(RunError, match="started or sent 2 times and did not finish"):
            pool.submit(verbs.halved, 1).result()
        with pytest.raises(RunError, match="2 SLURM jobs that ended before a worker was there, with 1 items left"):
            list(each(verbs.halved, [1], "halves"))


@pytest.mark.slow  # the shortest time limit of SLURM is a minute
def test_a_job_whose_time_is_up_goes_on(slurm_node, tmp_path):  # noqa: F811, the fixture
    with on_slurm(tmp_path, minutes=1, tries=6) as pool:
        assert pool.submit(verbs.in_pieces, tmp_path, 8, 5.0).result() == 8
    assert len((tmp_path / "runs").read_text().split()) > 1


@pytest.mark.slow
def test_a_job_whose_time_is_up_too_often_is_a_message(slurm_node, tmp_path):  # noqa: F811, the fixture
    with on_slurm(tmp_path, minutes=1, tries=1) as pool, pytest.raises(RunError, match="did not finish; its last run"):
        pool.submit(verbs.asleep, tmp_path, 600.0).result()
