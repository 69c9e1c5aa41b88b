"""Every source, fold and seed: one network each, trained on the other folds and written once."""

import functools
import importlib.util
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fusion.config.network import Network
from fusion.config.roi import Roi
from fusion.errors import Fault, ModelError
from fusion.models import processes, resume, trial
from fusion.models.allocation import refuse_missing
from fusion.models.backbone import start_weights
from fusion.models.checkpoints import SOURCES, Sources, notes
from fusion.models.held import Material
from fusion.models.jobs import Job, Training
from fusion.models.machine import device, within_memory
from fusion.models.recipe import Order
from fusion.models.separate import fit
from fusion.progress import each
from fusion.roi.patch import Patches, stored_shape
from fusion.types import Events

FEWEST = 2
"""Cases of a class that a network is trained on, at least."""


def train(
    patches: Material, events: Events, folds: Events, network: Network, roi: Roi, seed: int, folder: Path,
    jobs: int = 0, only: tuple[int, ...] | None = None, sources: Sources | None = None, classes: int = 2,
) -> None:  # fmt: skip
    """Write checkpoints/SOURCE_foldK_seedS.safetensors for every source, fold and seed; existing ones stay.

    One by one on the CPU they train side by side, one thread each, so that ``jobs`` does not change a number; on a GPU
    one after another in this process. Stacked they train as one network, in this process. With several
    ``network.devices`` or ``network.nodes`` they train one after another, each over as many processes.

    Calls with different ``only`` may work in one folder at once, on any machines: none touches another's files. With
    ``only`` given, `training: auto` means `separate` on every device and measures nothing, as a choice by the clock
    could fall otherwise on the next machine, and the numbers with it by rounding.

    Args:
        patches: the cohort's boxes, or slices.
        events: 1 for the positive class, in the patches' order; with more than two classes the class's number.
        folds: a training case's fold from 0; -1 for the other sets, which are not touched.
        network: architecture and recipe; ``network.training`` says how they train.
        roi: ring and box.
        seed: decides every random number.
        folder: the run folder.
        jobs: processes; 0 for every core.
        only: folds whose networks are wanted. By default all; then no other call may be at work in the folder.
        sources: branches by source, those of fewer first; tumour, ring and both by default.
        classes: of ``events``.

    Raises:
        ModelError: GPUs or nodes are missing, the start weights, the folds or the patches do not fit, an existing
            checkpoint belongs to another training, an extra is missing, memory runs out, or a loss is not finite.
    """
    numbers = range(int(folds.max()) + 1) if only is None else only
    known = SOURCES if sources is None else sources
    start = start_weights(network)
    training = Training(patches, events, folds, network, roi, seed, folder, start, known, classes)
    wanted = [training.job(source, fold, s) for source in known for fold in numbers for s in range(network.seeds)]
    _check(training, wanted)
    missing = [job for job in wanted if not _done(training, job)]
    missing.sort(key=lambda job: len(job.regions))
    if missing:  # the one who finishes what other machines trained needs none of theirs
        refuse_missing(network)
    with within_memory(network):
        if missing and _way(training, missing, only) == "stacked":
            resume.fit(training, missing, only=only)
        else:
            _one_by_one(training, missing, jobs)
    resume.forget(folder, only)


def _way(training: Training, missing: list[Job], only: tuple[int, ...] | None) -> str:
    network = training.network
    if network.training != "auto":
        return network.training
    return trial.choose(training, missing) if only is None and network.processes == 1 else "separate"


def _one_by_one(training: Training, missing: list[Job], jobs: int) -> None:
    longest_first = sorted(missing, key=lambda job: -len(job.regions))  # so that no core waits at the end
    if missing and training.network.processes > 1:
        processes.fit(training, longest_first)
        return
    workers = 1 if device().type == "cuda" else jobs
    for _ in each(functools.partial(fit, training), longest_first, "networks", workers):
        pass


def _done(training: Training, job: Job) -> bool:
    path, ours = training.path(job), training.fingerprint
    if not path.is_file():
        return False
    if notes(path)["fingerprint"] != ours:
        remedy = "delete the checkpoints to train again, or use another output"
        raise ModelError(Fault("a network of another training", "this config, seed and cohort", remedy, file=str(path)))
    return True


def _check(training: Training, jobs: Iterable[Job]) -> None:
    """Refuse boxes of another size, too few cases of a class or for the processes, a missing logger."""
    patches, roi, faults = training.patches, training.roi, []
    if isinstance(patches, Patches) and patches.grey.shape[1:] != stored_shape(roi.patch):
        shape, wanted = patches.grey.shape[1:], stored_shape(roi.patch)
        faults.append(Fault(f"patches of {shape} voxels", str(wanted), "delete the patches to cut them again"))
    lacking = {_lacking(training, job) for job in jobs} - {None}
    faults += [
        Fault(found, f"{FEWEST} of each or more", "use fewer folds, or add cases")
        for found in sorted(map(str, lacking))
    ]
    size, several = (
        Order(training.cases(0), training.largest, training.network.batch, 0, 0).size,
        training.network.processes,
    )
    if size < several:
        remedy = "set fewer network.devices or network.nodes"
        faults.append(Fault(f"steps of {size} cases for {several} processes", "a case or more for each", remedy))
    if training.network.logger == "tensorboard" and importlib.util.find_spec("tensorboard") is None:
        faults.append(
            Fault("network.logger=tensorboard without tensorboard", "the package", "install fusion[tensorboard]")
        )
    if faults:
        raise ModelError(faults)


def _lacking(training: Training, job: Job) -> str | None:
    """What a job has too few cases of, in words; None where it has enough."""
    counts = np.bincount(training.events[training.seen(job)], minlength=training.classes)
    if counts.min() >= FEWEST:
        return None
    if training.classes == 2:
        return f"{counts[1]} cases of the positive class and {counts[0]} of the other outside fold {job.fold}"
    return f"{', '.join(map(str, counts))} cases of the classes outside fold {job.fold} for {job.source}"
