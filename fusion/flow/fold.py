"""The two kinds of job that a run comes apart into: one fold, and what is left when all folds are done."""

from fusion.flow import networks, stages, tasks
from fusion.flow.work import Work


def write_fold(work: Work, fold: int) -> None:
    """Networks that never see ``fold``, and the radiomics heads that are not fitted on it.

    Args:
        work: cohort, rings, patches and features are in its folder.
        fold: from 0; ``heads.parts.FINAL`` stands for the heads of the whole training set.
    """


def finish(work: Work) -> None:
    """predictions.csv and metrics.csv from what the folds left; what one of them lacks is made here."""
    if work.run.cohort.tasks:
        tasks.write_networks(work)
        tasks.write_predictions(work)
    else:
        networks.write_networks(work)
        stages.write_predictions(work)
    stages.evaluate(work.folder, work.run)
