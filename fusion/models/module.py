"""The training recipe as a LightningModule: two learning rates, frozen warm-up, cosine, averaged weights."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from fusion.config.run import Network, Roi
from fusion.errors import Fault, ModelError
from fusion.models.augment import augmented
from fusion.models.inputs import Boxes, centred
from fusion.models.network import RegionNetwork

SILENT = 1e-2
"""A channel is silent in a batch when its variance there is below this share of its layer's median."""


@dataclass(frozen=True)
class Order:
    """An epoch's batches of case indices, drawn from (seed, epoch)."""

    cases: Int[ndarray, " case"]
    batch: int
    seed: int
    epoch: int

    def __len__(self) -> int:
        """Batches: as many as needed, but none of one case, where batch norm has no variance.

        >>> [len(Order(np.arange(n), 2, 0, 0)) for n in (2, 3, 4, 5)]
        [1, 1, 2, 2]
        """
        return min(math.ceil(len(self.cases) / self.batch), len(self.cases) // 2)

    def __iter__(self) -> Iterator[Tensor]:
        """Batches of nearly equal size."""
        shuffled = np.random.default_rng([self.seed, self.epoch]).permutation(self.cases)
        yield from (torch.from_numpy(part) for part in np.array_split(shuffled, len(self)))


class Recipe(pl.LightningModule):
    """Trains one network on the cases given, for a fixed number of epochs.

    AdamW with one learning rate for the pyramids and one for the rest; the pyramids stand still at first (batch norm in
    evaluation mode), then everything trains under a cosine. Cross-entropy without class weights, which would shift the
    probabilities and not the AUC (van den Goorbergh 2022, doi:10.1093/jamia/ocac093). No early stopping: the fold left
    out feeds the stacking and must not choose anything. Which regions the network sees is ``regions``.
    """

    def __init__(
        self, net: RegionNetwork, regions: tuple[int, ...], boxes: Boxes, events: Float[Tensor, " case"],
        cases: Int[ndarray, " train"], network: Network, roi: Roi, seed: int, name: str,
    ) -> None:  # fmt: skip
        super().__init__()
        self.net, self.regions, self.boxes, self.events, self.cases = net, list(regions), boxes, events, cases
        self.network, self.roi, self.seed, self.name = network, roi, seed, name
        prevalence = float(events[torch.from_numpy(cases)].mean())
        torch.nn.init.constant_(net.classifier.bias, math.log(prevalence / (1 - prevalence)))
        self.averaged: dict[str, Tensor] = {}
        self.before: dict[torch.nn.BatchNorm2d, tuple[Tensor, Tensor]] = {}

    def train_dataloader(self) -> Order:
        """This epoch's batches."""
        return Order(self.cases, self.network.batch, self.seed, self.current_epoch)

    def on_fit_start(self) -> None:
        """The average starts where the network starts."""
        self.averaged = {key: value.clone() for key, value in self.net.state_dict().items()}

    def on_train_epoch_start(self) -> None:
        """Pyramids stand still in the warm-up."""
        trains = self.current_epoch >= self.network.warmup_epochs
        self.net.train()
        self.net.branches.requires_grad_(trains).train(trains)

    def training_step(self, case: Int[Tensor, " b"], _: int) -> Float[Tensor, ""]:
        """Cross-entropy of one batch.

        Raises:
            ModelError: the loss is not a number any more.
        """
        if self.network.augment:
            regions = augmented(self.boxes, case, self.roi, self.seed, self.current_epoch)
        else:
            regions = centred(self.boxes, case, self.roi)
        logits = self.net(regions[:, self.regions])
        loss = F.binary_cross_entropy_with_logits(logits.float(), self.events[case])
        if not torch.isfinite(loss):
            found = f"loss {loss.item()} in epoch {self.current_epoch} of {self.name}"
            raise ModelError(Fault(found, "a finite loss", "lower network.lr_head and network.lr_backbone"))
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(case))
        return loss

    def on_train_batch_start(self, *_: object) -> None:
        """Remember the running statistics of this batch's start."""
        self.before = {norm: statistics(norm) for norm in norms(self.net) if norm.training}

    def on_train_batch_end(self, *_: object) -> None:
        """Silent channels keep their statistics; weights and batch-norm buffers enter their average."""
        for norm, (mean, variance) in self.before.items():
            keep_silent(norm, mean, variance)
        average(self.averaged, self.net.state_dict(), decay(self.network.ema, self.global_step))

    def configure_optimizers(self) -> dict[str, object]:
        """AdamW and the cosine, step by step."""
        net, network = self.net, self.network
        head = [*net.scales.parameters(), *net.classifier.parameters()]
        groups = [
            {"params": head, "lr": network.lr_head},
            {"params": list(net.branches.parameters()), "lr": network.lr_backbone},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=network.weight_decay)
        steps = len(self.train_dataloader())
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share(step / steps, network))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def norms(net: torch.nn.Module) -> list[torch.nn.BatchNorm2d]:
    """The network's batch norms."""
    return [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def statistics(norm: torch.nn.BatchNorm2d) -> tuple[Float[Tensor, " c"], Float[Tensor, " c"]]:
    """A copy of the running mean and variance."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    return norm.running_mean.clone(), norm.running_var.clone()


@torch.no_grad()
def keep_silent(norm: torch.nn.BatchNorm2d, mean: Float[Tensor, " c"], variance: Float[Tensor, " c"]) -> None:
    """Undo the last update of channels that were silent in its batch; ``mean`` and ``variance`` are from before it.

    The running variance of a channel that stays silent falls to nothing, and a later case that wakes it is amplified
    without bound.
    """
    assert norm.momentum is not None
    now_mean, now_variance = statistics(norm)
    seen = (now_variance - (1 - norm.momentum) * variance) / norm.momentum
    silent = seen < SILENT * seen.median()
    norm.load_state_dict(
        {
            "running_mean": torch.where(silent, mean, now_mean),
            "running_var": torch.where(silent, variance, now_variance),
        },
        strict=False,
    )


def share(epoch: float, network: Network) -> float:
    """Share of the full learning rate: all in the warm-up, then a cosine down to none.

    >>> [round(share(epoch, Network(epochs=25, warmup_epochs=5)), 3) for epoch in (0.0, 5.0, 15.0, 25.0)]
    [1.0, 1.0, 0.5, 0.0]
    """
    if epoch <= network.warmup_epochs:
        return 1.0
    return (1 + math.cos(math.pi * (epoch - network.warmup_epochs) / (network.epochs - network.warmup_epochs))) / 2


def decay(ema: float, step: int) -> float:
    """The average's decay after ``step`` steps: rising, so that a short training is not averaged with its start.

    >>> [round(decay(0.99, step), 2) for step in (1, 10, 10_000)]
    [0.18, 0.55, 0.99]
    """
    return min(ema, (1 + step) / (10 + step))


@torch.no_grad()
def average(averaged: dict[str, Tensor], state: dict[str, Tensor], kept: float) -> None:
    """Move ``averaged`` towards ``state``, keeping the share ``kept`` of itself; counters are copied."""
    for key, value in state.items():
        if value.is_floating_point():
            averaged[key].lerp_(value, 1 - kept)
        else:
            averaged[key].copy_(value)
