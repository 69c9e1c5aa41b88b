"""The folds of a sweep, each a job; one whose networks another fold's job trains is sent when that one is over."""

from collections.abc import Mapping
from dataclasses import dataclass

from fusion.flow.fold import fold_there, folds_of, networks_there, places, write_fold
from fusion.flow.job_file import fold_job, is_done
from fusion.flow.sweep.lend import lend, trainers
from fusion.flow.work import Work
from fusion.launch import Job, Pool

Key = tuple[str, str]
"""Cell and round."""


@dataclass(frozen=True)
class Asked:
    """A job of a cell; ``round`` is empty where there is one, and for what concerns them all."""

    cell: str
    round: str
    job: str


class Folds:
    """Which folds are still to be done, and which of them may be sent."""

    def __init__(self, pool: Pool, works: Mapping[Key, Work]) -> None:
        self._pool, self._works, self._trainers = pool, works, trainers(works)
        self._open = {key: {fold_job(fold): fold for fold in _missing(work)} for key, work in works.items()}
        self._waiting: dict[Asked, list[Asked]] = {}

    def begin(self) -> dict[Asked, Job]:
        """The folds that need nobody, sent."""
        jobs: dict[Asked, Job] = {}
        for key, folds in self._open.items():
            for job, fold in folds.items():
                asked, first = Asked(*key, job), Asked(*self._trainers[key], job)
                if first in jobs and not networks_there(self._works[key], fold):
                    self._waiting.setdefault(first, []).append(asked)
                else:
                    jobs[asked] = self._sent(asked)
        return jobs

    def over(self, asked: Asked, well: bool) -> dict[Asked, Job]:
        """A fold ended, well or not: those that waited for its networks, sent."""
        if well:
            del self._open[asked.cell, asked.round][asked.job]
        return {own: self._sent(own) for own in self._waiting.pop(asked, ())}

    def left(self, key: Key) -> bool:
        """Whether folds of a round are still to be done, or failed."""
        return bool(self._open[key])

    def _sent(self, asked: Asked) -> Job:
        key = asked.cell, asked.round
        work, fold = self._works[key], self._open[key][asked.job]
        lend(self._works[self._trainers[key]], work, fold)
        return self._pool.submit(write_fold, work, fold, shape=places(work.run, fold))


def _missing(work: Work) -> list[int]:
    """Folds whose job did not end well, or left files that are gone."""
    return [fold for fold in folds_of(work) if not (is_done(work.folder, fold_job(fold)) and fold_there(work, fold))]
