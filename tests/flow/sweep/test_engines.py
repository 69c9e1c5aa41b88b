"""The same small sweep wherever it is done, and whoever is killed meanwhile."""

import signal
import subprocess
import sys
import time

import pytest

from fusion.flow.sweep import folds, sweep
from tests.flow.sweep.swept import WORDS, asked, killed_in_the_middle, numbers
from tests.launch.dask_cluster import dask_address
from tests.launch.slurm import slurm_node

__all__ = ["dask_address", "slurm_node"]
LONGEST_S = 300


def test_two_workers_one_of_them_killed_in_the_middle_of_a_fold_give_the_same_bytes(whole, monkeypatch):
    monkeypatch.setattr(folds, "write_fold", killed_in_the_middle)
    done = sweep(asked(whole.config, "killed", jobs=2))
    folder = whole.config.parent / "killed"
    assert (folder / "killed").is_file()
    assert done.failures == ()
    assert numbers(folder) == numbers(whole.folder)


def test_a_sweep_killed_with_its_worker_and_resumed_gives_the_same_bytes(whole):
    folder = whole.config.parent / "broken_off"
    assert broken_off(whole, folder, signal.SIGKILL, jobs=3) == -signal.SIGKILL
    before = {path: path.stat().st_mtime_ns for path in folder.glob("cells/*/features/heads/*/fold_0_rows.parquet")}
    assert sweep(asked(whole.config, "broken_off"), resume=True).failures == ()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert numbers(folder) == numbers(whole.folder)


@pytest.mark.slow
def test_ctrl_c_ends_a_sweep_with_its_workers(whole):
    assert broken_off(whole, whole.config.parent / "interrupted", signal.SIGINT, jobs=1) == 130


def test_a_dask_scheduler_with_two_worker_processes_gives_the_same_bytes(whole, dask_address):
    words = (*WORDS, f"compute.engine=dask {dask_address}")
    assert sweep(asked(whole.config, "dask", *words, jobs=0)).failures == ()
    assert numbers(whole.config.parent / "dask") == numbers(whole.folder)


def test_a_slurm_node_gives_the_same_bytes(whole, slurm_node):
    words = (*WORDS, "compute.engine=slurm", "compute.slurm.workers=2", "compute.slurm.memory_gb=1")
    assert sweep(asked(whole.config, "slurm", *words, jobs=0)).failures == ()
    assert numbers(whole.config.parent / "slurm") == numbers(whole.folder)


def broken_off(whole, folder, ending, *more, jobs):
    """Send a sweep ``ending`` once ``jobs`` of its jobs are done; returns its exit code."""
    words = [str(whole.config), f"output={folder}", "jobs=1", *WORDS, *more]
    process = subprocess.Popen([sys.executable, "-m", "fusion.cli", "sweep", *words], stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end and process.poll() is None and ended(folder) < jobs:
        time.sleep(0.02)
    process.send_signal(ending)
    _, said = process.communicate(timeout=LONGEST_S)
    assert ending != signal.SIGINT or "--resume goes on where it stopped" in said
    return process.returncode


def ended(folder):
    return sum('"done"' in path.read_text() for path in folder.glob("cells/*/jobs/*.json"))
