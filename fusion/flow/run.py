"""The verbs that start from a config: each some of the same stages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusion import launch
from fusion.config.run import Run
from fusion.config.split import Rounds
from fusion.flow import agreement, augment_then_split, cohort_files, networks, rings, slices, stages, tasks, validation
from fusion.flow.absolute import absolute
from fusion.flow.bundle import write_bundle
from fusion.flow.check import check
from fusion.flow.fold import write_fold, write_fold_networks, write_folds
from fusion.flow.folder import note_environment, opened, told
from fusion.flow.job_file import FINISH, noted_job
from fusion.flow.rounds import refuse_rounds
from fusion.flow.rounds_run import run_rounds
from fusion.flow.work import Work
from fusion.report import optimism

Stage = Callable[[Work], Work | None]
"""A stage gives the work back where it lost cases of it."""


@dataclass(frozen=True)
class Stages:
    """What a verb does, in order.

    Args:
        cases: stages of many short items, mostly one a case.
        fold: a long job a fold, where there are other machines to do them; ``rest`` makes what they would.
        rest: stages that read what all folds left.
    """

    cases: tuple[Stage, ...]
    fold: Callable[[Work, int], None] | None = None
    rest: tuple[Stage, ...] = ()


OUTLINE: tuple[Stage, ...] = (cohort_files.write_cohort, rings.write_regions)
MEASURE: tuple[Stage, ...] = (stages.write_radiomics, cohort_files.enough)
REGIONS = Stages((*OUTLINE, cohort_files.enough))
EXTRACT = Stages((*OUTLINE, *MEASURE, agreement.write_agreement))
TRAIN = Stages((*OUTLINE, networks.write_patches, cohort_files.enough), write_fold_networks, (networks.write_networks,))
EVERYTHING = Stages(
    (*OUTLINE, networks.write_patches, *MEASURE, agreement.write_agreement), write_fold,
    (networks.write_networks, stages.write_predictions, validation.write_validation),
)  # fmt: skip
CUT: tuple[Stage, ...] = (cohort_files.write_cohort, slices.write_slices, cohort_files.enough)
OF_SLICES: dict[Stages, Stages] = {
    REGIONS: Stages(CUT),
    EXTRACT: Stages((*CUT, slices.write_radiomics)),
    TRAIN: Stages(CUT, write_fold_networks, (tasks.write_networks,)),
    EVERYTHING: Stages(
        (*CUT, slices.write_radiomics), write_fold,
        (tasks.write_networks, augment_then_split.write_literal, tasks.write_predictions),
    ),
}  # fmt: skip
"""What stands for each verb in a run with `cohort.tasks`."""
OF_CASES: dict[bool, tuple[Stage, ...]] = {
    False: (*OUTLINE, networks.write_patches, *MEASURE), True: (*CUT, slices.write_radiomics),
}  # fmt: skip
"""What several rounds share, as it reads no outcome and no set: of regions, and of slices (True)."""


def run(run: Run) -> Path:
    """Everything, to a report; a killed run started again does only what is missing and ends with the same numbers.

    A split with several rounds makes a run of each (``rounds_run``), judges them together and leaves no bundle.
    With `heads.stacking=paper_literal` the optimism of the paper's plain reading is printed, a line a model.

    Returns:
        The path of report.html.

    Raises:
        FusionError: whatever a user can mend; the cohort is checked whole before any work. A case that fails later is
            told when all others are measured, and nothing is fitted then, unless `may_lose` lets it go. A fold that
            fails on another machine (`compute.engine`) is told when all other folds are done.
    """
    with opened(run) as folder:
        if isinstance(run.split, Rounds):
            run_rounds(run, folder, OF_CASES[bool(run.cohort.tasks)])
            return stages.report(folder, run)
        _work(run, folder, EVERYTHING)
        stages.evaluate(folder, run)
        if run.bundle:
            write_bundle(folder, run)
        page = stages.report(folder, run)
        for line in optimism.lines(folder):
            print(line)
        return page


def part(run: Run, some: Stages) -> Path:
    """The stages ``some``; returns the run folder. Raises as ``run``.

    Of a split with several rounds only what needs no training set: regions, and radiomics without the agreement between
    readings, which each round measures in its own.
    """
    if isinstance(run.split, Rounds) and (some.fold or some.rest):
        refuse_rounds(run, "one training set", "use fusion run, which trains every round")
    with opened(run) as folder:
        _work(run, folder, some)
        return folder


def _work(run: Run, folder: Path, some: Stages) -> None:
    """Every stage on this machine, each with workers of its own; or cases and folds where `compute.engine` says."""
    own = OF_SLICES[some] if run.cohort.tasks else some
    if isinstance(run.split, Rounds):
        own = Stages(tuple(stage for stage in own.cases if stage is not agreement.write_agreement))
    if run.compute.engine == "local":
        _through((*own.cases, *own.rest), _checked(run, folder))
        return
    everywhere, place = absolute(run), folder.absolute()
    with launch.engine(run.compute, place, run.jobs) as pool:
        work = _through(own.cases, _checked(everywhere, place))
        if own.fold is not None:
            write_folds(work, own.fold, pool)
    if own.rest:
        with noted_job(place, FINISH):
            _through(own.rest, work)


def _checked(run: Run, folder: Path) -> Work:
    with told(folder, "check"):
        checked = check(run, folder)
    note_environment(folder, run, checked.data_sha256)
    return Work(run, folder, checked, checked.lost)


def _through(some: Sequence[Stage], work: Work) -> Work:
    for stage in some:
        work = stage(work) or work
    return work
