"""Small sweeps of a toy cohort, in this process or on workers that come to harm."""

import contextlib
import os
import signal
import sys
from concurrent.futures import Future
from pathlib import Path

from fusion.config.sweep import Sweep, read
from fusion.flow.fold import write_fold
from tests import toy

WORDS = ("heads.top=2,3", "split.folds=2")
CASES = 12
TABLES = ("cells.csv", "failures.csv", "comparison.csv", "choice.csv", "chosen.csv", "chosen_metrics.csv")
NUMBERS = ("predictions.csv", "metrics.csv", "selection.csv", "features/scores.parquet")


def config(folder: Path, cases: int = CASES) -> Path:
    """A toy cohort in ``folder``, and the config of its run."""
    toy.cohort(folder, cases)
    path = folder / "run.yaml"
    path.write_text(toy.CONFIG.format(table=folder / "table.csv"))
    return path


def asked(config: Path, name: str, *words: str, jobs: int = 1) -> Sweep:
    """The sweep of ``words`` in folder ``name`` beside the config."""
    return read(config, [f"output={config.parent / name}", f"jobs={jobs}", *(words or WORDS)])


def numbers(folder: Path) -> dict[str, bytes]:
    """The bytes of all numbers of a sweep and its cells."""
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


def killed_in_the_middle(work, fold):
    """The first worker at the first fold of c02 is killed when it has written some of its files."""
    mark = work.folder.parents[1] / "killed"
    if work.folder.name == "c02" and fold == 0 and not mark.exists():
        opened = []

        def hook(event, words):
            if event == "os.rename" and len(opened) == 5:
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            opened.extend([event] if event == "os.rename" else [])

        sys.addaudithook(hook)
    write_fold(work, fold)
