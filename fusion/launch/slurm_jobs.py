"""Long calls as SLURM jobs, by submitit: queued again when their time is up, sent again when they are killed."""

import pickle
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any
from uuid import uuid4

from fusion.config.compute import Slurm
from fusion.errors import Fault, RunError
from fusion.launch.pool import ONE, Shape
from fusion.launch.queue import cancel, cancel_all, living, refused
from fusion.launch.same import versions
from fusion.launch.slurm_asked import for_calls
from fusion.launch.slurm_call import Answer, Call, lost, started

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_QUESTIONS = 5.0
"""To SLURM, whose controller serves everyone."""
SECONDS_FOR_A_RESULT = 15.0
"""That a shared drive may take to show what a job wrote before it ended."""
SECONDS_UNTIL_SENT_AGAIN = 5.0


@dataclass
class _Sent:
    call: Call
    shape: Shape
    future: Future[Any] = field(default_factory=Future)
    job: Any = None
    """submitit's; None while it waits to be sent."""
    sent: int = 0
    when: float = 0.0
    """When it was sent last, or may be sent again."""
    gone: float | None = None
    """Since when SLURM no longer knows it."""


class SlurmJobs:
    """The pool of SLURM jobs, at most ``slurm.at_once`` of them in the queue; one thread looks after them.

    Args:
        slurm: what to ask for.
        folder: for scripts, logs and results; every node sees it.
        name: of the jobs, by which they are told from others.
        before: called when the first of some calls is submitted.
    """

    def __init__(self, slurm: Slurm, folder: Path, name: str, before: Callable[[], None] = lambda: None) -> None:
        self._slurm, self._folder, self._name, self._before = slurm, folder.absolute(), name, before
        self._new: SimpleQueue[_Sent] = SimpleQueue()
        self._waiting: list[_Sent] = []
        self._out: list[_Sent] = []
        self._over = Event()
        self._thread = Thread(target=self._look_after, daemon=True, name="looks after SLURM jobs")
        self._asked = 0.0
        self._alive: set[str] | None = None

    def submit(self, verb: Callable[..., Any], /, *given: Any, shape: Shape = ONE) -> Future[Any]:
        """Send ``verb(*given)`` away."""
        self._before()
        self._folder.mkdir(parents=True, exist_ok=True)
        starts = self._folder / f"{uuid4().hex}.starts"
        own = _Sent(Call(verb, given, versions(), starts, self._slurm.tries), shape)
        self._new.put(own)
        if not self._thread.is_alive():
            self._thread.start()
        return own.future

    def close(self) -> None:
        """Cancel all that is not done."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
            cancel_all(self._name)

    def _look_after(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            with suppress(Empty):
                while True:
                    self._waiting.append(self._new.get_nowait())
            self._send()
            self._ask()
            for own in list(self._out):
                try:
                    self._look(own)
                except Exception as error:  # a file that cannot be read: for who asks for the result
                    self._ended(own, error)

    def _send(self) -> None:
        for own in list(self._waiting):
            if self._over.is_set() or len(self._out) >= self._slurm.at_once:
                return
            if own.when <= time.monotonic():
                self._waiting.remove(own)
                self._send_one(own)

    def _send_one(self, own: _Sent) -> None:
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        own.sent, own.gone, own.when = own.sent + 1, None, time.monotonic()
        try:
            own.job = for_calls(self._slurm, self._folder, self._name, own.shape).submit(own.call)
            self._out.append(own)
        except (FailedJobError, FailedSubmissionError, OSError) as error:
            if own.sent >= self._slurm.tries:
                own.future.set_exception(RunError(refused(str(error))))
            else:
                own.when = time.monotonic() + SECONDS_UNTIL_SENT_AGAIN
                self._waiting.append(own)

    def _ask(self) -> None:
        now = time.monotonic()
        if self._out and now - self._asked > SECONDS_BETWEEN_QUESTIONS:
            self._asked, self._alive = now, living(self._name)

    def _look(self, own: _Sent) -> None:
        answers = [answer for answer in map(_answer, _results(own)) if answer is not None]
        errors = [answer.error for answer in answers if answer.error is not None]
        if errors or len(answers) == own.shape.nodes * own.shape.tasks:
            self._ended(own, errors[0] if errors else None, answers[0].value)
        elif own.when < self._asked and self._alive is not None and own.job.job_id not in self._alive:
            self._gone(own)
        else:
            own.gone = None

    def _gone(self, own: _Sent) -> None:
        now = time.monotonic()
        own.gone = own.gone or now
        if now - own.gone < SECONDS_FOR_A_RESULT:
            return
        if max(own.sent, started(own.call.starts)) >= self._slurm.tries:
            self._ended(own, lost(self._slurm.tries, f"see {own.job.paths.stdout}"))
        else:
            self._out.remove(own)
            self._waiting.append(own)

    def _ended(self, own: _Sent, error: Exception | None, value: Any = None) -> None:
        self._out.remove(own)
        if error is None:
            own.future.set_result(value)
        else:
            cancel(own.job.job_id)  # of several processes the others still wait for the one that failed
            own.future.set_exception(error)
        _tidy(own)


def _results(own: _Sent) -> list[Path]:
    """The files of results that are there."""
    jobs = [own.job.task(number) for number in range(own.job.num_tasks)]
    there = set(own.job.paths.folder.iterdir())  # a shared drive shows new files when their folder is read
    return [job.paths.result_pickle for job in jobs if job.paths.result_pickle in there]


def _answer(result: Path) -> Answer | None:
    """What a process of a job left; None while it is not whole yet."""
    try:
        outcome, answer = pickle.loads(result.read_bytes())
    except (FileNotFoundError, EOFError):
        return None
    if outcome == "success":
        return answer
    return Answer(error=RunError(Fault(f"a SLURM job that failed: {answer}", "an answer", "see its log in slurm/")))


def _tidy(own: _Sent) -> None:
    """Take away what was pickled; logs stay."""
    paths = own.job.paths
    for file in [own.call.starts, paths.submitted_pickle, paths.submission_file, *_results(own)]:
        file.unlink(missing_ok=True)
