"""One process, jobs in order; what crashes, hangs or swells is told, and the next job is done."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fusion.errors import CohortError
from fusion.serve.worker import (
    Bounds,
    BusyError,
    CrashedError,
    FailedError,
    MemoryLimitError,
    OverTimeError,
    StoppedError,
    Worker,
)
from tests.serve import deeds

BOUNDS = Bounds(seconds=20.0, start_seconds=60.0, memory_bytes=2**28)


@pytest.fixture(scope="module")
def worker():
    own = Worker(deeds.setup, "made", bounds=BOUNDS)
    yield own
    own.close()


def asked(worker, verb, *args):
    return worker.submit(verb, *args).result(timeout=60)


def test_a_verb_gets_the_state_that_setup_made(worker):
    assert asked(worker, deeds.echo, 1)[:2] == ("made", 1)


def test_jobs_are_done_in_the_order_of_arrival(worker, tmp_path):
    jobs = [worker.submit(deeds.stamp, tmp_path / "order", number) for number in range(50)]
    assert [job.result(60) for job in jobs] == list(range(50))
    assert (tmp_path / "order").read_text().split() == [str(number) for number in range(50)]


def test_twenty_threads_are_answered(worker):
    with ThreadPoolExecutor(20) as threads:
        told = list(threads.map(lambda n: asked(worker, deeds.echo, n)[1], range(20)))
    assert told == list(range(20))


def test_a_fault_comes_back_as_its_kind(worker, tmp_path):
    with pytest.raises(CohortError, match="unreadable"):
        asked(worker, deeds.refuse, tmp_path)


def test_a_failure_is_told_by_its_place_and_not_by_its_words(worker):
    with pytest.raises(FailedError, match="KeyError") as raised:
        asked(worker, deeds.fail)
    assert "Doe" not in str(raised.value)


def test_a_crash_is_told_and_the_next_job_done_by_a_fresh_process(worker):
    before = asked(worker, deeds.pid)
    jobs = [worker.submit(deeds.segfault), worker.submit(deeds.pid)]
    with pytest.raises(CrashedError, match="SIGSEGV"):
        jobs[0].result(60)
    assert jobs[1].result(60) != before


def test_a_job_beyond_the_memory_is_told_and_the_next_one_done(worker):
    with pytest.raises(MemoryLimitError, match="memory"):
        asked(worker, deeds.exhaust, 2)
    assert asked(worker, deeds.echo, "after")[1] == "after"


def test_a_result_that_cannot_be_sent_is_a_failure_of_that_job(worker):
    with pytest.raises(CrashedError):
        asked(worker, deeds.unpicklable)
    assert asked(worker, deeds.echo, "after")[1] == "after"


def test_a_job_that_cannot_be_sent_is_a_failure_of_that_job(worker):
    with pytest.raises(Exception, match=r"pickle|local object"):
        asked(worker, deeds.echo, lambda: None)
    assert asked(worker, deeds.echo, "after")[1] == "after"


def test_what_libraries_print_goes_nowhere(worker, capfd):
    asked(worker, deeds.shout, "Ms Doe")
    told = capfd.readouterr()
    assert "Doe" not in told.out + told.err


def test_a_job_over_time_is_killed_and_a_full_queue_says_so():
    own = Worker(deeds.setup, bounds=Bounds(seconds=1.0, waiting=2, memory_bytes=2**28))
    try:
        assert own.ready.result(60) > 0
        jobs = [own.submit(deeds.slow, 60)]
        while own.waiting and own.full is False:
            jobs.append(own.submit(deeds.echo, len(jobs)))
        with pytest.raises(BusyError, match="try again"):
            own.submit(deeds.echo, 99)
        with pytest.raises(OverTimeError, match="more than 1 s"):
            jobs[0].result(60)
        assert [job.result(60)[1] for job in jobs[1:]] == list(range(1, len(jobs)))
    finally:
        own.close()


def test_a_closed_worker_leaves_no_process_and_answers_all_who_wait():
    own = Worker(deeds.setup, bounds=BOUNDS)
    own.ready.result(60)
    pid, jobs = own.pid, [own.submit(deeds.slow, 60), own.submit(deeds.echo, 1)]
    own.close()
    for job in jobs:
        with pytest.raises(StoppedError):
            job.result(5)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(StoppedError):
        own.submit(deeds.echo, 1)


@pytest.mark.parametrize(("setup", "error"), [(deeds.refused_setup, CohortError), (deeds.crashed_setup, CrashedError)])
def test_a_start_that_fails_is_told_to_all(setup, error):
    own = Worker(setup, bounds=BOUNDS)
    try:
        with pytest.raises(error):
            own.ready.result(60)
        with pytest.raises(error):
            own.submit(deeds.echo, 1).result(60)
    finally:
        own.close()


def test_the_process_ends_with_its_server():
    code = (
        "from fusion.serve.worker import Worker; from tests.serve import deeds; import time\n"
        "w = Worker(deeds.setup); w.ready.result(60); print(w.pid, flush=True); time.sleep(60)"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    pid = int(server.stdout.readline())
    server.kill()
    server.wait()
    server.stdout.close()
    assert _gone(pid, 10.0)


def _gone(pid, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
