"""How far a sweep or a run is, told while it goes on: a table on a terminal, now and then a line elsewhere.

One source of truth: a thread reads the same files as `fusion status`, which jobs on any machine write. While it tells,
``progress.each`` in this process tells nothing of its own (``progress.WITHIN``), so that no two bars share a terminal.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from fusion.errors import FusionError
from fusion.flow.status import status
from fusion.flow.status_run import RunStatus
from fusion.flow.status_sweep import SweepStatus
from fusion.flow.status_words import line, notes, table
from fusion.progress import WITHIN

if TYPE_CHECKING:
    from rich.console import Group

SECONDS_BETWEEN_TABLES = 2.0
SECONDS_BETWEEN_LINES = 10.0
LINES_BESIDE_TABLE = 8


@contextlib.contextmanager
def live(folder: Path) -> Iterator[None]:
    """Tell how far ``folder`` is while the block lasts, and once more at its end, however it ends.

    Args:
        folder: of a sweep or a run in which the caller works; it may still be empty.
    """
    if WITHIN.get():
        yield
        return
    over = Event()
    thread = Thread(target=_table if sys.stderr.isatty() else _lines, args=(folder, over), daemon=True, name="live")
    before = WITHIN.set(True)
    thread.start()
    try:
        yield
    finally:
        WITHIN.reset(before)
        over.set()
        thread.join()


def _lines(folder: Path, over: Event) -> None:
    """A line whenever it is another one than before, every few seconds at most."""
    last = ""
    while True:
        ended = over.wait(SECONDS_BETWEEN_LINES)
        found = _status(folder)
        if found is not None and (now := line(found)) != last:
            print(now, file=sys.stderr, flush=True)
            last = now
        if ended:
            return


def _table(folder: Path, over: Event) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    with Live(console=console, auto_refresh=False) as screen:  # what is printed meanwhile appears above it
        ended = False
        while True:
            if (found := _status(folder)) is not None:
                screen.update(_drawn(found, console.height), refresh=True)
            if ended:
                return
            ended = over.wait(SECONDS_BETWEEN_TABLES)


def _drawn(found: RunStatus | SweepStatus, height: int) -> "Group":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    head, rows = table(found, max(height - LINES_BESIDE_TABLE, 1))
    drawn = Table(*head, box=None, pad_edge=False)
    for row in rows:
        drawn.add_row(*(Text(word) for word in row))  # as it is, not as markup
    return Group(Text(line(found)), drawn, *(Text(note) for note in notes(found)[: LINES_BESIDE_TABLE - 4]))


def _status(folder: Path) -> RunStatus | SweepStatus | None:
    """None before there is anything to tell."""
    try:
        return status(folder, at_work=True)
    except FusionError:
        return None
