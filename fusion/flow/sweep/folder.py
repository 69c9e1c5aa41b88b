"""The folder of a sweep: one sweep at a time, the same words and config at every start; its tables."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from fusion import store
from fusion.config import dump, parse
from fusion.config.sweep import Sweep
from fusion.config.sweep_words import several
from fusion.errors import Fault, RunError
from fusion.flow.folder import held, same_run, tidy

SWEEP, CELLS = "sweep.yaml", "cells.csv"
CACHE = "shared/cases"
"""Where a sweep keeps each case's radiomics by content, unless the config names a `cache`."""


@contextlib.contextmanager
def opened(sweep: Sweep, resume: bool) -> Iterator[Path]:
    """The sweep's folder, held against a second process; what killed writers left half done is gone.

    Raises:
        RunError: another process works there, the folder holds a sweep and ``resume`` is not said, or another sweep.
    """
    folder = sweep.folder
    with held(folder):
        _fits(folder, sweep, resume)
        tidy(folder, sweep.base, CACHE)
        yield folder


def begin(folder: Path, sweep: Sweep, by: str | None) -> None:
    """sweep.yaml: the words, the model by which the inner loop chooses, and the run of the first cell."""
    what = {"by": by, "words": list(sweep.words), "run": yaml.safe_load(dump(sweep.base))}
    store.write_text(folder / SWEEP, yaml.safe_dump(what, sort_keys=False, allow_unicode=True))


def _fits(folder: Path, sweep: Sweep, resume: bool) -> None:
    """Refuse a folder that holds anything but this sweep."""
    if (folder / "run.yaml").is_file():
        remedy = "use another output=DIR"
        raise RunError(Fault("the folder of a run", "a folder for a sweep", remedy, file=str(folder)))
    if not (folder / SWEEP).is_file():
        return
    if not resume:
        remedy = "say --resume to go on with it, or use another output=DIR"
        raise RunError(Fault("a sweep that was begun before", "a folder without one", remedy, file=str(folder)))
    before = yaml.safe_load((folder / SWEEP).read_text(encoding="utf-8"))
    _same_words(several(before["words"]), several(sweep.words), folder / SWEEP)
    same_run(parse(yaml.safe_dump(before["run"]), source=str(folder / SWEEP)), sweep.base, folder / SWEEP)


def _same_words(before: Sequence[str], now: Sequence[str], file: Path) -> None:
    if before != now:
        expected = f"{' '.join(before)}, with which this sweep was begun"
        remedy = "use another output=DIR, or the earlier words"
        raise RunError(Fault(" ".join(now), expected, remedy, file=str(file)))
