"""One network trained by Lightning, on one device or shared out over several processes."""

import contextlib
import logging
import shutil
import signal
import warnings
from collections.abc import Iterator

import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger
from pytorch_lightning.plugins.environments import ClusterEnvironment, LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy

from fusion.models.held import hold
from fusion.models.inputs import Boxes
from fusion.models.jobs import Job, Training
from fusion.models.machine import device, half, steady
from fusion.models.module import Module
from fusion.models.share import ALONE, Share
from fusion.models.synchronised import synchronise

HARMLESS = {
    "The `srun` command is available": "`compute.engine` starts SLURM's jobs here, and a training its own processes",
    ".*LeafSpec.* is deprecated": "between Lightning and torch",
    "`broadcast_buffers` is deprecated": "torch 2.5 has no other name for it",
    "Grad strides do not match bucket view strides": "gradients of planes with their channels together are copied",
}
"""Beginnings of warnings in which there is nothing that a user can mend, and why."""


def fit(training: Training, job: Job, share: Share = ALONE, places: ClusterEnvironment | None = None) -> None:
    """Train one network and write its averaged weights; of several processes, which all call this, the first writes.

    Args:
        training: what the jobs of a run share.
        job: the network.
        share: which of the processes this is.
        places: how Lightning finds the other processes; by itself for one.
    """
    seed = training.seed
    with steady():
        boxes = hold(training.patches, device(), job.regions)
        events = torch.from_numpy(training.targets).to(device())
        numbers = job.regions if isinstance(boxes, Boxes) else tuple(range(len(job.regions)))
        net, cases = training.untrained(job), training.seen(job)
        if share.world > 1:
            synchronise(net)
        module = Module(net, numbers, boxes, events, cases, training.largest, training.network, training.roi,
                        job.order_seed(seed), job.weights_seed(seed), job.name, share)  # fmt: skip
        _run(trainer(training, job, share, places), module)
    if share.rank == 0:
        training.write(job, module.averaged)


def trainer(
    training: Training, job: Job, share: Share = ALONE, places: ClusterEnvironment | None = None
) -> pl.Trainer:  # fmt: skip
    """The Lightning trainer of one network."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)  # Lightning announces hardware and products
    network, several = training.network, share.world > 1
    with _without_harmless_warnings():
        return pl.Trainer(
            accelerator="gpu" if device().type == "cuda" else "cpu",
            devices=network.devices if several else 1,
            num_nodes=network.nodes if several else 1,
            strategy=_together(training) if several else "auto",
            use_distributed_sampler=False,  # every process has its share of each step, in the step's order
            precision="bf16-mixed" if half(network) else "32-true",
            max_epochs=network.epochs,
            reload_dataloaders_every_n_epochs=1,
            logger=_loggers(training, job, share),
            log_every_n_steps=1,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            plugins=[places or LightningEnvironment()],  # not what a scheduler's variables say
            default_root_dir=training.folder,
        )


def _together(training: Training) -> DDPStrategy:
    """Gradients are averaged; the running statistics are the same in all processes without being sent."""
    still = training.network.warmup_epochs > 0
    return DDPStrategy(find_unused_parameters=still, broadcast_buffers=False)


def _loggers(training: Training, job: Job, share: Share) -> list[Logger]:
    logs = training.folder / "checkpoints" / "logs"
    if share.rank == 0:
        shutil.rmtree(logs / job.name, ignore_errors=True)  # of a training that was killed
    kinds = [CSVLogger, TensorBoardLogger] if training.network.logger == "tensorboard" else [CSVLogger]
    return [kind(logs.parent, name=logs.name, version=job.name) for kind in kinds]


def _run(trainer: pl.Trainer, module: Module) -> None:
    """Lightning turns Ctrl-C into an exit of its own and deafens the process to the next one; undo both."""
    before = signal.getsignal(signal.SIGINT)
    try:
        with _without_harmless_warnings():
            trainer.fit(module)
    except SystemExit as stopped:
        signal.signal(signal.SIGINT, before)
        raise KeyboardInterrupt from stopped


@contextlib.contextmanager
def _without_harmless_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        for message in HARMLESS:
            warnings.filterwarnings("ignore", message=message)
        yield
