"""The training recipe, step by step, for one network or several side by side."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from fusion.config.network import Network
from fusion.config.roi import Roi
from fusion.models import chance
from fusion.models.held import Held, augmented
from fusion.models.network import RegionNetwork

Shares = Float[ndarray, " class"]

SILENT = 1e-2
"""A channel is silent in a batch when its variance there is below this share of its layer's median."""
MIXUP = 101
"""Sets mixup's numbers apart from those of the same key's augmentation."""


@dataclass(frozen=True)
class Order:
    """An epoch's batches of case indices, drawn from (seed, epoch): every case once, and a few twice to fill them up.

    All networks of a run take as many steps of as many cases, whatever the size of their training part, so that one
    trained alone and one trained beside others do the same.
    """

    cases: Int[ndarray, " case"]
    largest: int
    """Cases of the largest training part in the run."""
    batch: int
    seed: int
    epoch: int

    def __len__(self) -> int:
        """Steps an epoch.

        >>> [len(Order(np.arange(n), n, 2, 0, 0)) for n in (2, 3, 4, 5)]
        [1, 2, 2, 3]
        """
        return math.ceil(self.largest / self.batch)

    def __iter__(self) -> Iterator[Int[Tensor, " b"]]:
        """Batches of equal size, at most ``batch``."""
        yield from torch.from_numpy(self.table())

    @property
    def size(self) -> int:
        """Cases a step."""
        return math.ceil(self.largest / len(self))

    def table(self) -> Int[ndarray, "step b"]:
        """All steps of the epoch."""
        size = self.size
        rng = np.random.default_rng([self.seed, self.epoch])
        rounds = math.ceil(len(self) * size / len(self.cases))
        drawn = np.concatenate([rng.permutation(self.cases) for _ in range(rounds)])
        return drawn[: len(self) * size].reshape(len(self), size)


def batch(
    boxes: Held, events: Float[Tensor, "case *class"], case: Int[Tensor, "group b"], keys: Int[Tensor, "group b"],
    network: Network, roi: Roi,
) -> tuple[Float[Tensor, "group b branch channel z y x"], Float[Tensor, "group b *class"]]:  # fmt: skip
    """What the networks see in one step, and what they should say: augmented inputs, smoothed and mixed outcomes.

    ``events`` is 1 for the positive class; with more than two classes it has a column a class.
    """
    flat, own = case.flatten(), keys.flatten()
    regions = augmented(boxes, flat, own, network, roi)
    classes = max(2, events[0].numel())
    targets = events[flat] * (1 - network.label_smoothing) + network.label_smoothing / classes
    regions, targets = regions.unflatten(0, case.shape), targets.unflatten(0, case.shape)
    if network.mixup:
        share = chance.beta(chance.key(own, MIXUP), network.mixup).to(targets.dtype).view(case.shape)
        regions = regions.lerp(regions.roll(1, dims=1), 1 - share[:, :, None, None, None, None, None])
        targets = targets.lerp(targets.roll(1, dims=1), 1 - share.view(*share.shape, *[1] * (targets.ndim - 2)))
    return regions, targets


def losses(
    logits: Float[Tensor, "b group *class"], targets: Float[Tensor, "b group *class"],
    weight: Float[Tensor, "group *class"],
) -> Float[Tensor, " group"]:  # fmt: skip
    """Each network's mean cross-entropy; ``weight`` is the positive class's, or each class's."""
    logits = logits.to(targets.dtype)
    if logits.ndim == 3:
        return -(weight * targets * logits.log_softmax(-1)).sum(-1).mean(0)
    return F.binary_cross_entropy_with_logits(logits, targets, pos_weight=weight, reduction="none").mean(0)


def start_bias(prevalence: float | Shares, network: Network) -> float | list[float]:
    """The classifier's first bias: the log-odds of the positive class among the training cases, as they are weighed.

    With more than two classes ``prevalence`` has the share of each, and the bias is its logarithm.
    """
    if isinstance(prevalence, ndarray):
        return [0.0 if network.balanced else math.log(share) for share in prevalence]
    return 0.0 if network.balanced else math.log(prevalence / (1 - prevalence))


def positive_weight(prevalence: float | Shares, network: Network) -> float | list[float]:
    """What a positive case counts in the loss: with `balanced` as much as both classes need to weigh the same.

    With more than two classes a weight a class, whose mean over the cases is 1.
    """
    if isinstance(prevalence, ndarray):
        return [1 / (len(prevalence) * share) if network.balanced else 1.0 for share in prevalence]
    return (1 - prevalence) / prevalence if network.balanced else 1.0


@torch.no_grad()
def begin(net: RegionNetwork, prevalence: float | Shares, network: Network) -> None:
    """Set the classifier's first bias."""
    bias = net.head.classifier.bias
    bias.copy_(torch.tensor(start_bias(prevalence, network), dtype=bias.dtype))


def shifted_back(bias: Float[Tensor, "..."], prevalence: float | Shares, network: Network) -> Float[Tensor, "..."]:
    """The trained bias at the true share of positives (King & Zeng 2001, doi:10.1093/oxfordjournals.pan.a004868)."""
    return bias - torch.tensor(positive_weight(prevalence, network), dtype=bias.dtype, device=bias.device).log()


def optimizer(branches: nn.Module, head: nn.Module, network: Network, **options: object) -> torch.optim.Optimizer:
    """What ``network.optimiser`` names, with one learning rate for the pyramids and one for the rest."""
    groups = [
        {"params": list(head.parameters()), "lr": network.lr_head},
        {"params": list(branches.parameters()), "lr": network.lr_backbone},
    ]
    if network.optimiser.kind == "sgd":
        momentum = network.optimiser.momentum
        return torch.optim.SGD(groups, momentum=momentum, weight_decay=network.weight_decay, fused=True)
    return torch.optim.AdamW(groups, weight_decay=network.weight_decay, fused=True, **options)  # type: ignore[arg-type]


def set_mode(branches: nn.Module, head: nn.Module, epoch: int, network: Network) -> None:
    """Training mode; the pyramids stand still in the warm-up, batch norm in evaluation mode."""
    trains = epoch >= network.warmup_epochs
    head.train()
    branches.requires_grad_(trains).train(trains)


@torch.no_grad()
def clip(parts: Iterable[tuple[nn.Module, Tensor]], networks: int, limit: float | None) -> None:
    """Shrink each network's gradients so that their norm, over all parts, is ``limit`` at most.

    Args:
        parts: modules, with the number of the network of each of their groups, which lie along a weight's first axis.
        networks: how many there are.
        limit: largest norm; None for any.
    """
    if limit is None:
        return
    found = [(_gradients(module, len(of)), of) for module, of in parts]
    own = [
        (torch.stack([g.norm(dim=1) for g in gradients]).square().sum(0), of) for gradients, of in found if gradients
    ]
    number = torch.arange(networks, device=own[0][1].device)
    squares = torch.stack([((of == number[:, None]) * square).sum(1) for square, of in own]).sum(0)
    scale = (limit / (squares.sqrt() + 1e-6)).clamp(max=1)
    for gradients, of in found:
        for gradient in gradients:
            gradient.mul_(scale[of][:, None])


def _gradients(module: nn.Module, groups: int) -> list[Float[Tensor, "group weight"]]:
    return [own.grad.view(groups, -1) for own in module.parameters() if own.grad is not None]


@dataclass(frozen=True)
class Statistics:
    """Running statistics of a batch norm as they were before a step."""

    norm: BatchNorm
    networks: int
    """Networks side by side in its channels."""
    mean: Float[Tensor, " c"]
    variance: Float[Tensor, " c"]

    @classmethod
    def of(cls, net: nn.Module, networks: int) -> "list[Statistics]":
        """Of every batch norm in ``net`` that is about to learn."""
        found = [module for module in net.modules() if isinstance(module, BatchNorm) and module.training]
        return [cls(norm, networks, norm.running_mean.clone(), norm.running_var.clone()) for norm in found]  # type: ignore[union-attr]


@torch.no_grad()
def keep_silent(before: Sequence[Statistics]) -> None:
    """Undo the last step's update of channels that were silent in its batch.

    The running variance of a channel that stays silent falls to nothing, and a later case that wakes it is amplified
    without bound.
    """
    for own in before:
        norm = own.norm
        assert norm.momentum is not None
        assert norm.running_mean is not None
        assert norm.running_var is not None
        seen = ((norm.running_var - (1 - norm.momentum) * own.variance) / norm.momentum).view(own.networks, -1)
        middle = seen.sort(dim=1).values[:, [(seen.shape[1] - 1) // 2]]
        silent = (seen < SILENT * middle).flatten()
        norm.running_mean.copy_(torch.where(silent, own.mean, norm.running_mean))
        norm.running_var.copy_(torch.where(silent, own.variance, norm.running_var))


def share(epoch: float, network: Network) -> float:
    """Share of the full learning rate: all in the warm-up, then a cosine down to none, or steps.

    >>> [round(share(epoch, Network(epochs=25, warmup_epochs=5)), 3) for epoch in (0.0, 5.0, 15.0, 25.0)]
    [1.0, 1.0, 0.5, 0.0]
    """
    if network.schedule.kind == "steps":
        return network.schedule.factor ** (int(epoch) // network.schedule.every)
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
    moving = [key for key, value in state.items() if value.is_floating_point()]
    counting = [key for key in state if key not in set(moving)]
    torch._foreach_lerp_([averaged[key] for key in moving], [state[key] for key in moving], 1 - kept)
    if counting:
        torch._foreach_copy_([averaged[key] for key in counting], [state[key] for key in counting])
