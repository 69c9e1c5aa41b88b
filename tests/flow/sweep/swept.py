"""Small sweeps of a toy cohort, in this process or on workers."""

import contextlib
from concurrent.futures import Future
from pathlib import Path

from fusion.config.sweep import Sweep, read
from tests import toy

WORDS = ("heads.top=2,3", "split.folds=2,3")
TABLES = ("cells.csv", "failures.csv")
NUMBERS = ("predictions.csv", "metrics.csv", "selection.csv")


def config(folder: Path, cases: int = 16) -> Path:
    """A toy cohort in ``folder``, and the config of its run."""
    toy.cohort(folder, cases)
    path = folder / "run.yaml"
    path.write_text(toy.CONFIG.format(table=folder / "table.csv"))
    return path


def asked(config: Path, name: str, *words: str) -> Sweep:
    """The sweep of ``words`` in folder ``name`` beside the config."""
    return read(config, [f"output={config.parent / name}", "jobs=1", *(words or WORDS)])


def numbers(folder: Path) -> dict[str, bytes]:
    """The bytes of all tables of cells and of the sweep."""
    found = [folder / name for name in TABLES]
    found += [path for name in NUMBERS for path in sorted(folder.glob(f"cells/*/{name}"))]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


class Inline:
    """Does every call at once, in this process."""

    def submit(self, verb, /, *given, shape=None):
        job = Future()
        try:
            job.set_result(verb(*given))
        except Exception as error:  # handed to the one who asks, as by any pool
            job.set_exception(error)
        return job


@contextlib.contextmanager
def inline(*_):
    """Stands for ``fusion.launch.engine``."""
    yield Inline()
