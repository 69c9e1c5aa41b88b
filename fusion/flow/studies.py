"""What the check asks of slices: every one readable and cut, and enough cases of every class for every model."""

import pandas as pd

from fusion.config.run import Run
from fusion.data.sequences import HAS
from fusion.data.study import Study
from fusion.data.task import task_rows
from fusion.errors import Fault
from fusion.features import slices
from fusion.heads.task_enough import too_few
from fusion.roi.cut_slice import look as cut
from fusion.store import sha256

NETWORK = 2
"""Cases of a class that a network is trained on, at least."""


def look(study: Study, run: Run) -> str:
    """Digests of a case's files, all of which can be read and cut.

    Raises:
        CohortError: every fault of its slices and masks.
    """
    cut(study, run.cohort, run.roi.slice)
    paths = [path for own in study.scans for path in (own.image, own.mask) if path is not None]
    return "".join(sha256(path) for path in paths)


def unmet(cases: pd.DataFrame, run: Run) -> list[Fault]:
    """Faults of classes with too few cases, and of radiomics that a slice does not have.

    Args:
        cases: columns case, set, fold, outcome, and ``has_SEQUENCE`` a sequence.
        run: its tasks, sequences and heads.
    """
    faults = list(slices.unmet(run)) if run.masked else []
    for task, own in run.used_tasks.items():
        rows, names = task_rows(cases, own), own.names
        needs = None if run.masked and run.heads.fewest >= NETWORK else NETWORK
        found = too_few(rows, task, names, run.heads, str(run.cohort.table), needs)
        faults += found or _by_view(rows, task, names, run)
    return faults


def _by_view(rows: pd.DataFrame, task: str, names: tuple[str, ...], run: Run) -> list[Fault]:
    """The same of every network, whose sequences some cases lack."""
    if run.network is None:
        return []
    faults: list[Fault] = []
    for view, numbers in run.views.items():
        there = rows[[f"{HAS}{run.used_sequences[n]}" for n in numbers]].any(axis=1)
        if not there.all():
            kept = rows[there].reset_index(drop=True)
            faults += too_few(kept, f"{task}/{view}", names, run.heads, str(run.cohort.table), NETWORK)
    return faults
