import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def killed(folder: Path, *words: str) -> dict:
    """What came of a run that was killed over and over, each time started again."""
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "tests.flow.kills", str(folder), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_killed_at_any_moment_and_started_again_every_file_has_the_same_bytes(tmp_path):
    told = killed(tmp_path, "--kills", "5", "--seed", "1")
    assert told["failed"] == []
    assert told["different"] == []
    assert told["kills"]["time"] + told["kills"]["event"] >= 5
    assert told["files"] > 60


@pytest.mark.slow
def test_two_hundred_kills(tmp_path):
    told = killed(tmp_path, "--kills", "200", "--report-every", "8")
    assert told["failed"] == []
    assert told["different"] == []
    assert min(told["kills"]["time"], told["kills"]["event"]) > 50


@pytest.mark.slow
def test_kills_of_runs_with_workers(tmp_path):
    """Also of the parent process alone, as the system does when memory runs out."""
    told = killed(tmp_path, "--kills", "12", "--workers-every", "1", "--seed", "2")
    assert told["failed"] == []
    assert told["different"] == []
    assert told["kills"]["alone"] > 0
