"""The verbs that start from a config: each a prefix of the same stages."""

from collections.abc import Callable, Sequence
from pathlib import Path

from fusion.config.run import Run
from fusion.flow import agreement, augment_then_split, cohort_files, networks, rings, slices, stages, tasks, validation
from fusion.flow.bundle import write_bundle
from fusion.flow.check import check
from fusion.flow.folder import note_environment, opened, told
from fusion.flow.work import Work
from fusion.report import optimism

Stage = Callable[[Work], Work | None]
"""A stage gives the work back where it lost cases of it."""
OUTLINE: tuple[Stage, ...] = (cohort_files.write_cohort, rings.write_regions)
MEASURE: tuple[Stage, ...] = (stages.write_radiomics, cohort_files.enough)
REGIONS: tuple[Stage, ...] = (*OUTLINE, cohort_files.enough)
EXTRACT: tuple[Stage, ...] = (*OUTLINE, *MEASURE, agreement.write_agreement)
TRAIN: tuple[Stage, ...] = (*OUTLINE, networks.write_patches, cohort_files.enough, networks.write_networks)
EVERYTHING: tuple[Stage, ...] = (
    *OUTLINE, networks.write_patches, *MEASURE, agreement.write_agreement, networks.write_networks,
    stages.write_predictions, validation.write_validation,
)  # fmt: skip
CUT: tuple[Stage, ...] = (cohort_files.write_cohort, slices.write_slices, cohort_files.enough)
OF_SLICES: dict[tuple[Stage, ...], tuple[Stage, ...]] = {
    REGIONS: CUT,
    EXTRACT: (*CUT, slices.write_radiomics),
    TRAIN: (*CUT, tasks.write_networks),
    EVERYTHING: (
        *CUT, slices.write_radiomics, tasks.write_networks, augment_then_split.write_literal, tasks.write_predictions,
    ),
}  # fmt: skip
"""What stands for each prefix in a run with `cohort.tasks`."""


def run(run: Run) -> Path:
    """Everything, to a report; a killed run started again does only what is missing and ends with the same numbers.

    With `heads.stacking=paper_literal` the optimism of the paper's plain reading is printed, a line a model.

    Returns:
        The path of report.html.

    Raises:
        FusionError: whatever a user can mend; the cohort is checked whole before any work. A case that fails later is
            told when all others are measured, and nothing is fitted then, unless `may_lose` lets it go.
    """
    with opened(run) as folder:
        _work(run, folder, EVERYTHING)
        stages.evaluate(folder, run)
        if run.bundle:
            write_bundle(folder, run)
        page = stages.report(folder, run)
        for line in optimism.lines(folder):
            print(line)
        return page


def part(run: Run, some: Sequence[Stage]) -> Path:
    """The stages ``some``; returns the run folder. Raises as ``run``."""
    with opened(run) as folder:
        _work(run, folder, some)
        return folder


def _work(run: Run, folder: Path, some: Sequence[Stage]) -> None:
    with told(folder, "check"):
        checked = check(run, folder)
    note_environment(folder, run, checked.data_sha256)
    work = Work(run, folder, checked, checked.lost)
    for stage in OF_SLICES[tuple(some)] if run.cohort.tasks else some:
        work = stage(work) or work
