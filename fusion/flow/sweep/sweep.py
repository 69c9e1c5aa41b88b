"""From the words of a sweep to its comparison; what is done stays done, and a sweep that was killed goes on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusion.config.sweep import Sweep
from fusion.flow.live import live
from fusion.flow.sweep.coordinate import Standing, coordinate, ended
from fusion.flow.sweep.folder import begin, opened
from fusion.flow.sweep.folds import Asked, Key
from fusion.flow.sweep.plan import Planned, plan
from fusion.flow.sweep.share import Agreements, furnish, measure, prepare
from fusion.flow.sweep.tables import Failure, write_jobs
from fusion.flow.work import Work
from fusion.launch import engine

MEASURE = "measure"
"""Stands for all that comes before the folds of a round."""


@dataclass(frozen=True)
class Swept:
    """The page that compares the cells, if any ended, and what failed."""

    page: Path | None
    failures: tuple[Failure, ...]


def sweep(sweep: Sweep, resume: bool = False, by: str | None = None) -> Swept:
    """Every cell of a sweep, and the comparison of those that ended.

    Args:
        sweep: words, cells and their runs.
        resume: go on with the sweep that the folder holds.
        by: model by which the inner loop chooses among the cells; None for the comparison's own choice.

    Raises:
        RunError: a folder that does not fit.
        CohortError: every fault of every cell, before any work.
    """
    with opened(sweep, resume) as folder:
        standing = _jobs(sweep, folder, by)
        return Swept(_compared(folder) if standing.done else None, tuple(standing.failures))


def _jobs(sweep: Sweep, folder: Path, by: str | None) -> Standing:
    """Everything up to the comparison, on the engine that `compute` names."""
    base = sweep.base
    with engine(base.compute, folder, base.jobs, _gpus(sweep)) as pool:
        planned = plan(sweep, folder, by)
        begin(folder, sweep, by)
        standing = Standing(folder, sweep, {own.cell.name for own in planned if ended(own)})
        standing.write()
        left = [own for own in planned if own.cell.name not in standing.done]
        try:
            works = dict(_works(planned, left, standing))
            with live(folder):
                coordinate(pool, left, works, standing)
        finally:
            write_jobs(folder, [part for own in planned for part in own.parts])
        return standing


def _gpus(sweep: Sweep) -> int:
    """Those that a fold of any cell trains on at once."""
    return max((run.network.devices for run in sweep.runs.values() if run.network is not None), default=0)


def _works(planned: Sequence[Planned], left: Sequence[Planned], standing: Standing) -> Iterator[tuple[Key, Work]]:
    """What could be measured and prepared of the cells that are left, by cell and round; the rest failed."""
    agreements: Agreements = {}
    for base in dict.fromkeys(own.whole.base for own in left):
        cells = [own for own in left if own.whole.base == base]
        with standing.noting([Asked(own.cell.name, "", MEASURE) for own in cells]):
            shared = measure([own.whole for own in planned if own.whole.base == base])
            for own in cells:
                yield from _prepared(own, shared, agreements, standing)


def _prepared(planned: Planned, shared: Work, agreements: Agreements, standing: Standing) -> Iterator[tuple[Key, Work]]:
    name = planned.cell.name
    if planned.in_rounds:
        with standing.noting([Asked(name, "", MEASURE)]):
            furnish(planned.whole, shared)
    for part in planned.parts:
        with standing.noting([Asked(name, part.round, MEASURE)]):
            yield (name, part.round), prepare(part, shared, agreements)


def _compared(folder: Path) -> Path:
    """The page that compares the cells."""
    from fusion.report.sweep import write  # figures, which no job needs

    return write(folder)
