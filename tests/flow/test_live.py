"""What is told while a sweep goes on: lines in a file, a table on a terminal, and nothing left behind at the end."""

import os
import pty
import subprocess
import sys
import threading
import time

import pytest

from fusion.flow import live as module
from fusion.flow.live import live
from fusion.progress import WITHIN, each
from tests.flow.test_status import job, sweep


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.05)


def test_a_line_where_something_changed_and_none_where_not(tmp_path, quick, capfd):
    folder = sweep(tmp_path / "sweep")
    with live(folder):
        time.sleep(0.5)
        job(folder / "cells/c02", "fold_1", "done", 4)
    lines = [own.partition(", about")[0] for own in capfd.readouterr().err.splitlines()]
    assert list(dict.fromkeys(lines)) == [
        "sweep: 4 of 12 jobs done, 1 failed, 1 running", "sweep: 5 of 12 jobs done, 1 failed",
    ]  # fmt: skip


def test_it_begins_before_there_is_anything_and_tells_the_end(tmp_path, capfd):
    with live(tmp_path / "sweep"):
        sweep(tmp_path / "sweep")
    assert "4 of 12 jobs done" in capfd.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_it_ends_with_the_block_however_that_ends(tmp_path, error):
    with pytest.raises(error), live(sweep(tmp_path / "sweep")):
        raise error
    assert "live" not in [own.name for own in threading.enumerate()]
    assert not WITHIN.get()


def test_bars_of_the_same_process_are_silent_meanwhile(tmp_path, capfd):
    with live(sweep(tmp_path / "sweep")):
        list(each(abs, [1, 2], "absolute values", jobs=1))
    assert "absolute values" not in capfd.readouterr().err


def test_within_other_work_nothing_is_told(tmp_path, capfd):
    before = WITHIN.set(True)
    with live(sweep(tmp_path / "sweep")):
        pass
    WITHIN.reset(before)
    assert capfd.readouterr().err == ""


def test_on_a_terminal_there_is_a_table_and_the_cursor_comes_back(tmp_path):
    folder = sweep(tmp_path / "sweep")
    (folder / "cells.csv").write_text("cell,heads.selector,state\nc01,[bold],done\n")  # no markup
    script = f"from pathlib import Path; from fusion.flow.live import live\nwith live(Path({str(folder)!r})): 1 / 0"
    own, other = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "LINES": "30", "TERM": "xterm"}
    started = subprocess.Popen([sys.executable, "-c", script], stderr=other, stdout=other, env=environment)
    os.close(other)
    told = read(own)
    assert started.wait() == 1
    assert "4 of 12 jobs done" in told
    assert "[bold]" in told
    assert "ZeroDivisionError" in told
    assert told.rfind("\x1b[?25h") > told.rfind("\x1b[?25l")


def read(terminal: int) -> str:
    """All that is written to it until nobody can any more."""
    told = b""
    try:
        while part := os.read(terminal, 4096):
            told += part
    except OSError:  # the other side is closed
        pass
    finally:
        os.close(terminal)
    return told.decode()
