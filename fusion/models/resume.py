"""Networks trained together to the end, through every interruption, and written one by one."""

import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fusion import store
from fusion.errors import Fault, ModelError
from fusion.models.checkpoints import notes, save
from fusion.models.jobs import Job, Training
from fusion.models.machine import steady
from fusion.models.together import Together
from fusion.progress import each

SAVE_SECONDS = 60.0
HALF_TRAINED = re.compile(r"stacked(_fold-?\d+)*\.safetensors")


def fit(
    training: Training, jobs: Sequence[Job], every_s: float = SAVE_SECONDS, cuda_graph: bool = False,
    only: tuple[int, ...] | None = None,
) -> None:  # fmt: skip
    """Train ``jobs`` side by side and write each one's averaged weights.

    Where they stand is kept in ``half_trained(folder, only)`` until all is written: a killed training goes on from
    there with the networks it began with, to the same numbers.

    Args:
        training: what the jobs share.
        jobs: networks to train, those of one region first.
        every_s: seconds between two savings at least.
        cuda_graph: record a step on the GPU and replay it.
        only: folds of this training, where others of the same folder train elsewhere.

    Raises:
        ModelError: a half-trained stack of another training, networks that cannot stand side by side, or a loss that
            is no number.
    """
    path = half_trained(training.folder, only)
    noted = _noted(training, jobs, path) if path.is_file() else {}
    own = noted["jobs"] if noted else [[job.source, job.fold, job.seed] for job in jobs]
    with steady():
        together = Together(training, [training.job(*words) for words in own], noted.get("pointwise"), cuda_graph)  # type: ignore[attr-defined, arg-type]
        if noted:
            _go_on(together, path)
        else:
            save({}, _notes(together), path)
        _to_the_end(together, path, every_s)
        for job, state in zip(together.jobs, together.networks(), strict=True):
            training.write(job, state)
    path.unlink()


def half_trained(folder: Path, only: tuple[int, ...] | None = None) -> Path:
    """Where a run keeps networks that are trained together, until they are done; a job of some folds has its own file.

    >>> [half_trained(Path("run"), only).name for only in (None, (0,), (1, 2))]
    ['stacked.safetensors', 'stacked_fold0.safetensors', 'stacked_fold1_fold2.safetensors']
    """
    folds = "".join(f"_fold{fold}" for fold in only or ())
    return folder / "checkpoints" / f"stacked{folds}.safetensors"


def forget(folder: Path, only: tuple[int, ...] | None = None) -> None:
    """Delete half-trained networks that nobody goes on with: a job of some folds its own, a whole training all."""
    every = (folder / "checkpoints").glob("stacked*") if only is None else [half_trained(folder, only)]
    for path in every:
        if HALF_TRAINED.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _to_the_end(together: Together, path: Path, every_s: float) -> None:
    saved = time.monotonic()

    def epoch(number: int) -> None:
        nonlocal saved
        together.epoch(number)
        if time.monotonic() - saved >= every_s:
            _keep(together, path)
            saved = time.monotonic()

    try:
        title = f"epochs of {len(together.jobs)} networks together"
        for _ in each(epoch, range(together.epochs, together.network.epochs), title, 1):
            pass
    finally:
        _log(together)


def _notes(together: Together) -> dict[str, object]:
    return {
        "fingerprint": together.training.fingerprint,
        "jobs": [[job.source, job.fold, job.seed] for job in together.jobs],
        "pointwise": together.pointwise,
        "epochs": together.epochs,
    }


def _noted(training: Training, jobs: Sequence[Job], path: Path) -> dict[str, object]:
    """Notes of a half-trained stack that is ours: of this training, and of all networks that are missing."""
    noted = notes(path)
    own = [training.job(*words) for words in noted.get("jobs", [])]  # type: ignore[attr-defined]
    others = set(own) - set(jobs)
    if (
        noted["fingerprint"] != training.fingerprint
        or not set(jobs) <= set(own)
        or not all(training.path(job).is_file() for job in others)
    ):
        remedy = "finish it with its own config, or delete the file to train from the start"
        found = "a half-trained stack of another training"
        raise ModelError(Fault(found, "this config, seed, cohort and networks", remedy, file=str(path)))
    return noted


def _keep(together: Together, path: Path) -> None:
    """All that the coming epochs depend on."""
    moments = together.adam.state_dict()["state"]
    state = {f"net/{key}": value for key, value in together.state.items()}
    state |= {f"averaged/{key}": value for key, value in together.averaged.items()}
    state |= {f"adam/{n}/{key}": value for n, own in moments.items() for key, value in own.items()}
    state["losses"] = torch.from_numpy(together.losses)
    save(state, _notes(together), path)


def _go_on(together: Together, path: Path) -> None:
    """Bring ``together`` to where it was when it was kept."""
    from safetensors.torch import load_file

    state = load_file(path)
    if not state:
        return
    parts: dict[str, dict[str, torch.Tensor]] = {"net": {}, "averaged": {}, "adam": {}}
    for key, value in state.items():
        if "/" in key:
            part, _, rest = key.partition("/")
            parts[part][rest] = value
    together.stack.load_state_dict(parts["net"])
    for key, value in parts["averaged"].items():
        together.averaged[key].copy_(value)
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in parts["adam"].items():
        number, _, name = key.partition("/")
        moments.setdefault(int(number), {})[name] = value
    groups = together.adam.state_dict()["param_groups"]
    together.adam.load_state_dict({"state": moments, "param_groups": groups})
    together.losses, together.epochs = state["losses"].numpy(), len(state["losses"])


def _log(together: Together) -> None:
    """Every network's losses so far, in the files that one trained alone would write."""
    logs = together.training.folder / "checkpoints" / "logs"
    epochs = np.arange(len(together.losses))
    for job, losses in zip(together.jobs, together.losses.T, strict=True):
        shutil.rmtree(logs / job.name, ignore_errors=True)
        table = pd.DataFrame({"epoch": epochs, "loss": losses, "step": (epochs + 1) * together.steps - 1})
        store.write_csv(logs / job.name / "metrics.csv", table)
        if together.network.logger == "tensorboard":
            _tensorboard(logs / job.name, table)


def _tensorboard(folder: Path, table: pd.DataFrame) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(folder) as writer:
        for row in table.itertuples():
            writer.add_scalar("loss", row.loss, row.step)
