"""Every source, fold and seed: one network each, trained on the other folds and written once."""

import functools
import hashlib
import importlib.util
import logging
import shutil
import signal
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger
from pytorch_lightning.plugins.environments import LightningEnvironment

from fusion.config.run import Network, Roi
from fusion.errors import Fault, ModelError
from fusion.models.backbone import Start, start_weights
from fusion.models.inputs import Boxes
from fusion.models.module import Recipe
from fusion.models.network import SOURCES, RegionNetwork, checkpoint, device, notes, save, steady
from fusion.progress import each
from fusion.roi.patch import Patches, stored_shape
from fusion.types import Events


@dataclass(frozen=True)
class Job:
    """One network: what it sees, the fold it never sees, and its number in the fold."""

    source: str
    fold: int
    seed: int

    @property
    def name(self) -> str:
        """As in the checkpoint's file name."""
        return f"{self.source}_fold{self.fold}_seed{self.seed}"


@dataclass(frozen=True)
class Training:
    """What the jobs of a run share."""

    patches: Patches
    events: Events
    folds: Events
    network: Network
    roi: Roi
    seed: int
    folder: Path
    start: Start

    def path(self, job: Job) -> Path:
        """The job's checkpoint."""
        return checkpoint(self.folder, job.source, job.fold, job.seed)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Of everything that decides the weights."""
        asked = self.network.model_dump_json(exclude={"logger", "weights", "seeds"}) + self.roi.model_dump_json()
        digest = hashlib.sha256(f"{asked}{self.seed}{self.start.sha256}".encode())
        patches = self.patches
        for array in (patches.grey, patches.distance, patches.drawn, patches.has_drawn, self.events, self.folds):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def train(
    patches: Patches, events: Events, folds: Events, network: Network, roi: Roi, seed: int, folder: Path, jobs: int = 0
) -> None:
    """Write checkpoints/SOURCE_foldK_seedS.safetensors for every source, fold and seed; existing ones stay.

    On the CPU the networks train side by side, one thread each, so that ``jobs`` does not change a number; on a GPU one
    after another in this process.

    Args:
        patches: the cohort's boxes.
        events: 1 for the positive class, in the patches' order.
        folds: a training case's fold from 0; -1 for the other sets, which are not touched.
        network: architecture and recipe.
        roi: ring and box.
        seed: decides every random number.
        folder: the run folder.
        jobs: processes; 0 for every core.

    Raises:
        ModelError: the start weights, the folds or the patches do not fit, an existing checkpoint belongs to another
            training, an extra is missing, or a loss is not finite.
    """
    _check(patches, events, folds, network, roi)
    training = Training(patches, events, folds, network, roi, seed, folder, start_weights(network))
    numbers = range(int(folds.max()) + 1)
    wanted = [Job(source, fold, s) for source in SOURCES for fold in numbers for s in range(network.seeds)]
    missing = [job for job in wanted if not _done(training, job)]
    missing.sort(key=lambda job: -len(SOURCES[job.source]))  # the longest first, so that no core waits at the end
    one_at_a_time = device().type == "cuda"
    for _ in each(functools.partial(fit, training), missing, "networks", 1 if one_at_a_time else jobs):
        pass


def fit(training: Training, job: Job) -> None:
    """Train one network and write its averaged weights."""
    fold, regions = training.folds, SOURCES[job.source]
    cases = np.flatnonzero((fold >= 0) & (fold != job.fold))
    seed = _seed(training.seed, job)
    gpus = [torch.cuda.current_device()] if device().type == "cuda" else []
    with steady(), torch.random.fork_rng(devices=gpus):  # dropout and random starts know only the global generator
        torch.manual_seed(seed)
        net = RegionNetwork(training.network, training.roi.patch.shape[0], len(regions), training.start)
        boxes = Boxes.of(training.patches, device())
        events = torch.from_numpy(training.events.astype(np.float32)).to(device())
        recipe = Recipe(net, regions, boxes, events, cases, training.network, training.roi, seed, job.name)
        _run(_trainer(training, job), recipe)
    noted = {
        "fingerprint": training.fingerprint,
        "start_sha256": training.start.sha256,
        "epochs": training.network.epochs,
        "torch": torch.__version__,
        "cases": cases.tolist(),
    }
    save({key: value.cpu() for key, value in recipe.averaged.items()}, noted, training.path(job))


def _seed(seed: int, job: Job) -> int:
    """A 32-bit seed of its own for every network."""
    words = [seed, list(SOURCES).index(job.source), job.fold, job.seed]
    return int(np.random.SeedSequence(words).generate_state(1)[0])


def _trainer(training: Training, job: Job) -> pl.Trainer:
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # Lightning announces hardware and products
    gpu = device().type == "cuda"
    return pl.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=1,
        precision="bf16-mixed" if gpu else "32-true",
        max_epochs=training.network.epochs,
        gradient_clip_val=training.network.clip,
        reload_dataloaders_every_n_epochs=1,
        logger=_logger(training, job),
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        plugins=[LightningEnvironment()],  # a scheduler's variables would start one training over many processes
        default_root_dir=training.folder,
    )


def _logger(training: Training, job: Job) -> Logger:
    logs = training.folder / "checkpoints" / "logs"
    shutil.rmtree(logs / job.name, ignore_errors=True)  # of a training that was killed
    kind = TensorBoardLogger if training.network.logger == "tensorboard" else CSVLogger
    return kind(logs.parent, name=logs.name, version=job.name)


def _run(trainer: pl.Trainer, recipe: Recipe) -> None:
    """Lightning turns Ctrl-C into an exit of its own and deafens the process to the next one; undo both."""
    before = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():  # between Lightning and torch, nothing a user can mend
            warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated", category=FutureWarning)
            trainer.fit(recipe)
    except SystemExit as stopped:
        signal.signal(signal.SIGINT, before)
        raise KeyboardInterrupt from stopped


def _done(training: Training, job: Job) -> bool:
    path, ours = training.path(job), training.fingerprint
    if not path.is_file():
        return False
    if notes(path)["fingerprint"] != ours:
        remedy = "delete the checkpoints to train again, or use another output"
        raise ModelError(Fault("a network of another training", "this config, seed and cohort", remedy, file=str(path)))
    return True


def _check(patches: Patches, events: Events, folds: Events, network: Network, roi: Roi) -> None:
    faults = []
    if patches.grey.shape[1:] != stored_shape(roi.patch):
        found, wanted = patches.grey.shape[1:], stored_shape(roi.patch)
        faults.append(Fault(f"patches of {found} voxels", str(wanted), "delete the patches to cut them again"))
    for fold in range(int(folds.max()) + 1):
        positives = events[(folds >= 0) & (folds != fold)]
        if positives.sum() in (0, len(positives)):
            remedy = "use fewer folds, or add cases"
            faults.append(Fault(f"one class alone outside fold {fold}", "cases of both classes", remedy))
    if network.logger == "tensorboard" and importlib.util.find_spec("tensorboard") is None:
        faults.append(
            Fault("network.logger=tensorboard without tensorboard", "the package", "install fusion[tensorboard]")
        )
    if faults:
        raise ModelError(faults)
