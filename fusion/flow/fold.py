"""The two kinds of job that a run comes apart into: one fold, and what is left when all folds are done."""

import sys
from collections.abc import Callable
from dataclasses import replace

from fusion.config.run import Run
from fusion.errors import Fault, RunError
from fusion.flow import augment_then_split, fold_heads, networks, stages, tasks
from fusion.flow.agreement import write_agreement
from fusion.flow.folder import told
from fusion.flow.job_file import FINISH, faults_of, fold_job, is_done, noted_job
from fusion.flow.work import Work
from fusion.heads.parts import FINAL, folds
from fusion.launch import Job, Pool, Shape, finished


def write_fold(work: Work, fold: int) -> None:
    """Networks that never see ``fold``, and a share of the heads on radiomics.

    In a fold's job are the networks of every source (of tasks every task and view) and seed that leave out this fold;
    the heads of every source that are not fitted on it; and this fold's half of the heads that saw neither of two
    folds. In that of ``FINAL`` are the heads that are fitted on the whole training set. With
    `heads.stacking=nested_vector` every job, that of ``FINAL`` too, trains the networks of its own two thirds; with
    `frozen_backbone` there is nothing to train. Left to ``finish`` are: what networks say of cases, heads on what they
    say (and on a frozen backbone's vectors), the regressions and calibrations on scores, both paper-literal readings,
    and the metrics.

    The job works in this process alone, does what is missing, and nothing where all is there. Folds may be written in
    any order and at once, on machines that see the folder: they share no file. A network of a fold's job is trained by
    itself, unless `network.training` is `stacked`; `auto` may choose that in a run that is not cut into jobs.
    jobs/fold_<K>.json (final.json) tells how far it is.

    Args:
        work: cohort, rings, patches or slices, and radiomics are in its folder.
        fold: from 0; ``heads.parts.FINAL`` stands for the whole training set.

    Raises:
        FusionError: as the stages of networks and heads.
    """
    alone = _alone(work)
    if is_done(work.folder, fold_job(fold)) and fold_there(alone, fold):
        return
    with noted_job(work.folder, fold_job(fold)):
        write_agreement(alone)
        train_fold(alone, fold)
        fold_heads.write_heads(alone, fold)


def write_fold_networks(work: Work, fold: int) -> None:
    """The networks of ``write_fold`` without the heads."""
    with noted_job(work.folder, fold_job(fold)):
        train_fold(_alone(work), fold)


def write_folds(work: Work, job: Callable[[Work, int], None], pool: Pool) -> None:
    """What is missing of all folds, each as a job of ``pool``.

    Args:
        work: as ``write_fold``.
        job: ``write_fold`` or ``write_fold_networks``.
        pool: where the folds are made.

    Raises:
        RunError: every fold that failed, when all others are done.
    """
    there = fold_there if job is write_fold else networks_there
    missing = [fold for fold in folds_of(work) if not there(work, fold)]
    if not missing:
        return
    failed: dict[int, Exception] = {}
    with told(work.folder, "folds"):
        jobs: dict[int, Job] = {fold: pool.submit(job, work, fold, shape=places(work.run, fold)) for fold in missing}
        for done, (fold, found) in enumerate(finished(jobs), 1):
            if isinstance(found, Exception):
                failed[fold] = found
            print(f"folds: {done}/{len(missing)}", file=sys.stderr, flush=True)
        if failed:
            raise RunError([fault for fold in missing if fold in failed for fault in _faults(fold, failed[fold])])


def places(run: Run, fold: int) -> Shape:
    """What the job of ``fold`` asks of a cluster: a place for each process that trains a network, where any is trained.

    On this machine one, as there a training starts its processes beside the worker that makes the call.
    """
    network, trains = run.network, fold != FINAL or run.heads.stacking == "nested_vector"
    if network is None or network.processes == 1 or not trains or run.compute.engine == "local":
        return Shape()
    return Shape(network.nodes, network.devices, network.devices if run.compute.slurm.gpus else 0)


def fold_there(work: Work, fold: int) -> bool:
    """Whether all that ``write_fold`` leaves is there, or nobody needs it any more."""
    if (work.folder / "predictions.csv").is_file():
        return True
    return networks_there(work, fold) and fold_heads.heads_there(work, fold)


def networks_there(work: Work, fold: int) -> bool:
    """Whether all that ``write_fold_networks`` leaves is there."""
    return (tasks if work.run.cohort.tasks else networks).fold_there(work, fold)


def train_fold(work: Work, fold: int) -> None:
    """The networks of ``write_fold``, without a word in jobs/."""
    (tasks if work.run.cohort.tasks else networks).train_fold(work, fold)


def folds_of(work: Work) -> list[int]:
    """The folds of a run in order, then ``FINAL``: a job each."""
    return folds(work.cases)


def finish(work: Work) -> None:
    """predictions.csv and metrics.csv from what the folds left; what one of them lacks is made here.

    jobs/finish.json tells how far it is; where both files are there, nothing is done.

    Raises:
        FusionError: as ``write_fold``.
    """
    folder = work.folder
    if is_done(folder, FINISH) and all((folder / name).is_file() for name in ("predictions.csv", "metrics.csv")):
        return
    with noted_job(folder, FINISH):
        write_rest(work)


def write_rest(work: Work) -> None:
    """What ``finish`` leaves, without a word in jobs/."""
    if work.run.cohort.tasks:
        tasks.write_networks(work)
        augment_then_split.write_literal(work)
        tasks.write_predictions(work)
    else:
        write_agreement(work)
        networks.write_networks(work)
        stages.write_predictions(work)
    stages.evaluate(work.folder, work.run)


def _alone(work: Work) -> Work:
    """The same work for one process."""
    return replace(work, run=work.run.model_copy(update={"jobs": 1}))


def _faults(fold: int, error: Exception) -> list[Fault]:
    """Why a fold failed."""
    return [replace(fault, found=f"{fold_job(fold)} that failed: {fault.found}") for fault in faults_of(error)]
