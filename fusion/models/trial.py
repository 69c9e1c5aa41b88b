"""Whether training networks together is faster here than one after another: a few steps of both tell."""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch

from fusion import store
from fusion.errors import Fault, ModelError
from fusion.models.jobs import Job, Training
from fusion.models.machine import device, steady
from fusion.models.stack import StackError
from fusion.models.together import Together

Way = Literal["separate", "stacked"]
CLEARLY = {"cuda": 1.5, "cpu": 3.0}
"""How much faster a stack must be. On a CPU the other cores would train other networks meanwhile."""
NETWORKS = 3
ROUNDS = 2
VOXELS = 600_000
"""Of a timed step on a CPU, all cases together; a full batch of large boxes would take half a minute."""


def choose(training: Training, jobs: Sequence[Job]) -> Way:
    """The way the networks are trained; measured once, then read from checkpoints/training.json."""
    path = training.folder / "checkpoints" / "training.json"
    if path.is_file():
        return _read(path)
    if len(jobs) == 1:
        return "separate"
    found: dict[str, object] = {"device": device().type}
    try:
        found |= measure(training, spread(jobs))
        faster = found["separate_seconds"] / found["stacked_seconds"]  # type: ignore[operator]
        way: Way = "stacked" if faster >= CLEARLY[device().type] else "separate"
    except StackError as error:
        way, found["reason"] = "separate", str(error)
        print(f"networks are trained one by one: {error}", file=sys.stderr, flush=True)
    store.write_json(path, {"training": way, **found})
    return way


def spread(jobs: Sequence[Job]) -> list[Job]:
    """A few of ``jobs``, from all over the list."""
    few = min(NETWORKS, len(jobs))
    return [jobs[n * len(jobs) // few] for n in range(few)]


def measure(
    training: Training, jobs: Sequence[Job], rounds: int = ROUNDS, voxels: int = VOXELS
) -> dict[str, int | float]:
    """Seconds of one training step of ``jobs``, one after another and together: the fastest of ``rounds``, in turns.

    All are trained by the same loop on the same thread, pyramids and all; on a CPU a step has about ``voxels`` voxels
    at most.
    """
    ways = {"separate": [[job] for job in jobs], "stacked": [list(jobs)]}
    with steady():
        ready = {way: [_ready(training, own, voxels) for own in parts] for way, parts in ways.items()}
        taken = [{way: _seconds(own) for way, own in ready.items()} for _ in range(1 + rounds)][1:]
    return {"networks": len(jobs), **{f"{way}_seconds": min(own[way] for own in taken) for way in ways}}


def _ready(training: Training, jobs: Sequence[Job], voxels: int) -> Together:
    """Networks before a step in which all of them learns."""
    together = Together(training, jobs)
    together.set_mode(training.network.warmup_epochs)
    if device().type == "cpu":
        z, y, x = training.box
        together.case = together.case[:, : max(2, voxels // (z * y * x))]
    return together


def _seconds(ready: Sequence[Together]) -> float:
    start = _now()
    for own in ready:
        own.step()
    return _now() - start


def _now() -> float:
    """Seconds; on a CPU those that this process computed, so that other work on the machine does not count."""
    if device().type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def _read(path: Path) -> Way:
    try:
        way = json.loads(path.read_text())["training"]
    except (ValueError, KeyError, TypeError):
        way = None
    if way not in ("separate", "stacked"):
        raise ModelError(Fault("no choice of a training", "separate or stacked", "delete the file", file=str(path)))
    return way
