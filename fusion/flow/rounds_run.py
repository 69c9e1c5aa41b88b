"""`fusion run` where the split has several rounds: cases measured once, each round a run of its own, then pooled."""

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fusion import launch
from fusion.config.run import Run
from fusion.errors import Fault, RunError
from fusion.flow import cohort_files
from fusion.flow.absolute import absolute
from fusion.flow.check import check
from fusion.flow.fold import finish, fold_there, folds_of, places, write_fold, write_rest
from fusion.flow.folder import note_environment, opened, told
from fusion.flow.job_file import faults_of, fold_job
from fusion.flow.rounds import pooled, rounds_of
from fusion.flow.shared import link, measured
from fusion.flow.work import Work
from fusion.launch import Job, Pool, finished

Stage = Callable[[Work], Work | None]
LEFT = ("predictions.csv", "metrics.csv")
"""What a finished round has."""


def run_rounds(run: Run, folder: Path, stages: Sequence[Stage]) -> None:
    """Every round to its metrics, then predictions.csv, rounds.csv and metrics.csv of them all.

    Args:
        run: its split has several rounds.
        folder: the run's, opened.
        stages: what is done once for all rounds, as it reads no outcome and no set.

    Raises:
        FusionError: as ``fusion.flow.run.run``; a round or fold that fails is told when all others are done.
    """
    where = absolute(run)
    with _engine(run, folder) as pool:
        with told(folder, "check"):
            checked = check(where, folder)
        note_environment(folder, run, checked.data_sha256)
        work = Work(where, folder, checked, checked.lost)
        for stage in stages:
            work = stage(work) or work
        rounds = rounds_of(run, checked)
        with contextlib.ExitStack() as stack:
            works = {name: _begun(own, work, stack) for name, own in rounds.items()}
            if pool is not None:
                _write_folds(works, pool)
            _finish(works, write_rest if pool is None else finish)
    with told(folder, "evaluate"):
        pooled(run, rounds)


def _engine(run: Run, folder: Path) -> contextlib.AbstractContextManager[Pool | None]:
    """The pool for folds where `compute.engine` names one; else each round makes them with workers of this machine."""
    if run.compute.engine == "local":
        return contextlib.nullcontext()
    return launch.engine(run.compute, folder.absolute(), run.jobs)


def _begun(run: Run, whole: Work, stack: contextlib.ExitStack) -> Work:
    """A round's folder with all that its folds read."""
    folder = stack.enter_context(opened(run))
    link(whole.folder, folder, measured(run))
    note_environment(folder, run, whole.checked.data_sha256)
    checked = check(run, whole.folder, whole.checked.seen)
    work = Work(absolute(run), folder, checked, whole.lost)
    cohort_files.write_cohort(work)
    cohort_files.enough(work)
    return work


def _write_folds(works: Mapping[str, Work], pool: Pool) -> None:
    """What is missing of the folds of all rounds, each as a job."""
    jobs: dict[tuple[str, int], Job] = {
        (name, fold): pool.submit(write_fold, work, fold, shape=places(work.run, fold))
        for name, work in works.items()
        for fold in folds_of(work)
        if not fold_there(work, fold)
    }
    asked, failed = len(jobs), {}
    for done, ((name, fold), found) in enumerate(finished(jobs), 1):
        if isinstance(found, Exception):
            failed[name, fold] = found
        print(f"folds of all rounds: {done}/{asked}", file=sys.stderr, flush=True)
    faults = [
        fault
        for (name, fold), error in sorted(failed.items())
        for fault in _faults(f"{name}, {fold_job(fold)},", error)
    ]
    if faults:
        raise RunError(faults)


def _finish(works: Mapping[str, Work], verb: Callable[[Work], None]) -> None:
    """Predictions and metrics of every round; a round that fails does not stop the others."""
    faults: list[Fault] = []
    for done, (name, work) in enumerate(works.items(), 1):
        try:
            if not all((work.folder / name).is_file() for name in LEFT):
                verb(work)
        except Exception as error:  # any, as all are raised together below
            faults += _faults(name, error)
        print(f"rounds: {done}/{len(works)}", file=sys.stderr, flush=True)
    if faults:
        raise RunError(faults)


def _faults(where: str, error: Exception) -> list[Fault]:
    """Why a round or one of its folds failed."""
    return [replace(fault, found=f"round {where} that failed: {fault.found}") for fault in faults_of(error)]
