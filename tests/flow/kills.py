"""A small run that is killed over and over and started again; what came of it as one line of JSON.

python -m tests.flow.kills FOLDER --kills 5

Everything is imported once, in a process that does no work; each start is a fork of it, so that a kill costs no more
than the work that it takes back. Half of the kills come after a random time, half at a random file event: just before
a file is opened for writing, renamed or deleted, or a folder made.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from fusion.config.run import Run
from fusion.features.radiomics import engine
from fusion.flow import stages
from fusion.flow.run import EVERYTHING, part
from fusion.models import embed, train
from tests import toy
from tests.unrendered import unrendered

IMPORTED = (engine, embed, train)
WORDS = ("network={backbone: test_resnet, weights: none, epochs: 2, warmup_epochs: 1, batch: 4}",
         "roi.patch.shape=[4, 32, 32]")  # fmt: skip
CASES = 12
CLOCKED = {"log.jsonl", "environment.json", "checkpoints/training.json", ".lock", "report.html",
           "tables/failures.csv", "tables/checklist_claim.csv"}  # fmt: skip
"""Files that tell when and how fast the work was done, and which stages broke off."""
LEFT_OUT = ("checkpoints/logs", "features/cases/.")
"""Also what a kill left half done in the cache, where it stays for an hour, as it may be a live run's."""
EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}
LONGEST_S = 600.0
MOST = 8
"""Kills before a run is let be: a stage that begins anew after each would never end."""


@dataclass(frozen=True)
class Start:
    """How one start of the run ends."""

    how: str = "none"
    """`none`; `time`: killed after ``at`` seconds; `event`: at file event number ``at``."""
    at: float = 0.0
    alone: bool = False
    """Kill the parent process and not its workers, who learn of it later."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reach", type=float, default=0.3, help="latest kill of a start, as a share of the whole run")
    parser.add_argument("--report-every", type=int, default=0, help="of so many folders one goes on to the report")
    parser.add_argument("--workers-every", type=int, default=0, help="of so many folders one has two workers")
    given = parser.parse_args()
    torch.set_num_threads(1)
    toy.cohort(given.folder, CASES)
    print(json.dumps(killed(given.folder, given)))


def killed(folder: Path, given: argparse.Namespace) -> dict[str, object]:
    """Kill and start again until there were enough kills; every folder is finished in the end and compared."""
    draw, own = random.Random(given.seed), toy.run(folder, *WORDS)
    whole, events, seconds = undisturbed(own, given.report_every > 0)
    told: dict[str, object] = {"files": len(whole), "events": events, "seconds": round(seconds, 1)}
    kills, folders, different, failed = {"time": 0, "event": 0, "alone": 0, "workers": 0}, 0, set(), []
    while sum(kills[how] for how in ("time", "event")) < given.kills:
        folders += 1
        report = given.report_every > 0 and folders % given.report_every == 0
        workers = given.workers_every > 0 and folders % given.workers_every == 0
        mine = own.model_copy(update={"jobs": 2 if workers else 1})
        starts = 0
        while True:
            starts += 1
            start = drawn(draw, given.reach * events, given.reach * seconds, workers) if starts <= MOST else Start()
            began = time.monotonic()
            ended = child(lambda mine=mine, report=report: work(mine, report), start, folder)
            print(f"{start}: {ended} after {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
            if ended == -signal.SIGKILL:
                kills[start.how] += 1
                kills["alone"] += start.alone
                kills["workers"] += workers
            else:
                break
        if ended != 0:
            failed.append((folder / "stderr").read_text()[-2000:])
        found = outputs(own.folder)
        expected = whole if report or given.report_every == 0 else {n: b for n, b in whole.items() if not of_report(n)}
        different |= {name for name in {*found, *expected} if found.get(name) != expected.get(name)}
        if workers:
            different.discard("run.yaml")  # which says how many there are
        shutil.rmtree(own.folder)
    return {**told, "kills": kills, "folders": folders, "different": sorted(different), "failed": failed}


def drawn(draw: random.Random, events: float, seconds: float, workers: bool) -> Start:
    """The next kill, within so many events or seconds; with workers the parent alone dies half the times."""
    alone = workers and draw.random() < 0.5
    if draw.random() < 0.5:
        return Start("event", draw.uniform(1, events), alone)
    return Start("time", draw.uniform(0, seconds * (3 if workers else 1)), alone)


def work(run: Run, report: bool) -> None:
    part(run, EVERYTHING)
    stages.evaluate(run.folder, run)
    if report:
        with unrendered():
            stages.report(run.folder, run)


def undisturbed(run: Run, report: bool) -> tuple[dict[str, bytes], int, float]:
    """The files of a run that nobody kills, its file events and its seconds."""
    began, place = time.monotonic(), run.folder.parent
    assert child(lambda: work(run, report), Start(), place) == 0, (place / "stderr").read_text()
    seconds, found = time.monotonic() - began, outputs(run.folder)
    shutil.rmtree(run.folder)
    return found, int((place / "events").read_text()), seconds


def outputs(folder: Path) -> dict[str, bytes]:
    """Every file of a run but those of ``CLOCKED``; a half-written one would be among them."""
    every = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes() for name, path in every.items() if name not in CLOCKED and not name.startswith(LEFT_OUT)
    }


def of_report(name: str) -> bool:
    return name.startswith(("tables/", "figures/", "report."))


def child(verb: Callable[[], None], start: Start, place: Path) -> int:
    """Run ``verb`` in a fork, killed as ``start`` says; returns its exit code, negative where a signal ended it."""
    number = os.fork()
    if number == 0:
        _born(verb, start, place)
    end = time.monotonic() + (start.at if start.how == "time" else LONGEST_S)
    while True:
        done, status = os.waitpid(number, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            _kill(number, start.alone)
            return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
        time.sleep(0.002)


def _kill(number: int, alone: bool) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended, or not yet become the leader of its group
        (os.kill if alone else os.killpg)(number, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


def _born(verb: Callable[[], None], start: Start, place: Path) -> None:
    """The life of a child, which ends here whatever happens."""
    os.setsid()
    err = os.open(place / "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(err, 2)
    seen = 0

    def hook(event: str, words: tuple) -> None:
        nonlocal seen
        if written(event, words, place):  # a kill is an event, too
            seen += 1
            if start.how == "event" and seen >= start.at:
                _kill(os.getpid(), start.alone)

    sys.addaudithook(hook)
    code = 1
    try:
        verb()
        code = 0
        if start.how == "none":
            (place / "events").write_text(str(seen))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def written(event: str, words: tuple, place: Path) -> bool:
    """Whether an audit event is about to change a file of the run."""
    if event in EVENTS:
        return True
    return event == "open" and bool(words[2] & (os.O_WRONLY | os.O_RDWR)) and str(words[0]).startswith(str(place))


if __name__ == "__main__":
    main()
