"""The jobs of a sweep: every fold, then what is left of a round, then what is left of a cell."""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fusion.config.sweep import Sweep, named
from fusion.errors import FusionError
from fusion.flow.fold import finish
from fusion.flow.job_file import FINISH, faults_of, is_done
from fusion.flow.rounds import pooled
from fusion.flow.sweep.folds import Asked, Folds, Key
from fusion.flow.sweep.plan import Planned
from fusion.flow.sweep.tables import Failure, write_cells, write_failures
from fusion.flow.work import Work
from fusion.launch import Job, Pool, finished

POOL = "pool"
"""The job that puts the rounds of a cell together."""
FILES = ("predictions.csv", "metrics.csv")


@dataclass
class Standing:
    """How the cells of a sweep stand; its tables follow."""

    folder: Path
    sweep: Sweep
    done: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)

    @property
    def failed(self) -> set[str]:
        """Cells of which a job failed."""
        return {own.cell for own in self.failures}

    def write(self) -> None:
        """cells.csv and failures.csv."""
        write_cells(self.folder, self.sweep, self.done, self.failed)
        write_failures(self.folder, self.failures)

    def end(self, cell: str) -> None:
        """A cell is done."""
        self.done.add(cell)
        self.write()

    @contextlib.contextmanager
    def noting(self, asked: Sequence[Asked]) -> Iterator[None]:
        """What a user can mend in the block fails these jobs, and the work goes on after it."""
        try:
            yield
        except FusionError as error:
            self.fail(asked, error)

    def fail(self, asked: Sequence[Asked], error: Exception) -> None:
        """One thing went wrong for some jobs, and their cells failed with it; said on stderr at once."""
        words = "\n".join(map(str, faults_of(error)))
        self.failures += [Failure(own.cell, own.round, own.job, words) for own in asked]
        self.write()
        names, one = {own.cell for own in asked}, asked[0]
        cells = named([cell for cell in self.sweep.cells if cell.name in names], self.sweep.cells)
        place = f"round {one.round}, {one.job}" if one.round else one.job
        print(f"{cells}, {place} failed: {words}", file=sys.stderr, flush=True)


def ended(planned: Planned) -> bool:
    """Whether a cell has all that its jobs leave."""
    parts = [part.run.folder for part in planned.parts]
    files = [folder / name for folder in (planned.whole.run.folder, *parts) for name in FILES]
    return all(is_done(folder, FINISH) for folder in parts) and all(path.is_file() for path in files)


def coordinate(pool: Pool, plan: Sequence[Planned], works: Mapping[Key, Work], standing: Standing) -> None:
    """Send every fold of every round away and, as they end, what depends on them; a failure stops its own cell alone.

    Args:
        pool: where the jobs are done.
        plan: cells that have not ended.
        works: of each cell and round that could be prepared.
        standing: how the cells stand, kept up to date.
    """
    open_rounds = {own.cell.name: {part.round for part in own.parts} for own in plan}
    cells = {own.cell.name: own for own in plan}
    folds = Folds(pool, works)
    jobs = folds.begin()
    for key, work in works.items():
        jobs |= _rest(pool, key, work, folds)
    for asked, result in finished(jobs):
        key, well = (asked.cell, asked.round), not isinstance(result, Exception)
        if isinstance(result, Exception):
            standing.fail([asked], result)
        elif asked.job == POOL:
            standing.end(asked.cell)
        elif asked.job == FINISH:
            open_rounds[asked.cell].discard(asked.round)
            jobs |= _last(pool, cells[asked.cell], open_rounds[asked.cell], standing)
        if asked.job not in (POOL, FINISH):
            jobs |= folds.over(asked, well) | (_rest(pool, key, works[key], folds) if well else {})


def _rest(pool: Pool, key: Key, work: Work, folds: Folds) -> dict[Asked, Job]:
    """What is left of a round when no fold is."""
    return {} if folds.left(key) else {Asked(*key, FINISH): pool.submit(finish, work)}


def _last(pool: Pool, planned: Planned, open_rounds: set[str], standing: Standing) -> dict[Asked, Job]:
    """What is left of a cell when no round is."""
    if open_rounds:
        return {}
    name, rounds = planned.cell.name, {part.round: part.run for part in planned.parts}
    if not planned.in_rounds:
        standing.end(name)
        return {}
    return {Asked(name, "", POOL): pool.submit(pooled, planned.whole.run, rounds)}
