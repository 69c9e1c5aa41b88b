"""The training of several networks as one: the cohort on the device, equal steps for all, one loop."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from fusion.config.network import Network
from fusion.errors import Fault, ModelError
from fusion.models import chance, recipe
from fusion.models.held import count, hold
from fusion.models.jobs import Job, Training
from fusion.models.machine import device, half
from fusion.models.pointwise import fastest
from fusion.models.recipe import Order
from fusion.models.replay import Replay
from fusion.models.stack import Pointwise, Stack, check


class Together:
    """Networks in training side by side: their weights, average, moments and losses so far.

    Networks of the same fold, seed and cases see the same batches, which are augmented once for all of them.
    """

    def __init__(
        self, training: Training, jobs: Sequence[Job], pointwise: Pointwise | None = None, cuda_graph: bool = False
    ) -> None:
        """``jobs`` of fewer branches come first. ``cuda_graph`` records a step and replays it.

        Without ``pointwise`` the faster way is taken.

        Raises:
            StackError: the networks cannot stand side by side.
            ModelError: a CUDA graph without a GPU.
        """
        if cuda_graph and device().type != "cuda":
            raise ModelError(Fault("cuda_graph without a GPU", "a GPU", "leave cuda_graph out"))
        self.training, self.jobs, self.network = training, list(jobs), training.network
        self.device, self.cuda_graph, self.epochs, self.losses = device(), cuda_graph, 0, np.empty((0, len(jobs)))
        self._build(pointwise)
        self._gather()
        self.averaged = {key: value.clone() for key, value in self.stack.state_dict().items()}
        self.state = self.stack.state_dict()
        options = {"capturable": True} if cuda_graph else {}
        self.adam = recipe.optimizer(self.stack.pyramid, self.stack.heads, self.network, **options)
        self.rates = [group["lr"] for group in self.adam.param_groups]
        if cuda_graph:  # a number would be recorded for good
            for group in self.adam.param_groups:
                group["lr"] = torch.tensor(group["lr"], device=self.device)
        self.step: Callable[[], Tensor] = self._learn
        self.trains: bool | None = None

    def _build(self, pointwise: Pointwise | None) -> None:
        training, width = self.training, count(self.training.patches)
        nets = [training.untrained(job) for job in self.jobs]
        self.prevalence = [training.shares(job) for job in self.jobs]
        for net, prevalence in zip(nets, self.prevalence, strict=True):
            recipe.begin(net, prevalence, self.network)
        if len(nets) > 1:
            check(nets[0].branches[0], nets[-1].branches[-1], training.box)  # type: ignore[arg-type]
        own = [(job.fold, job.seed, training.seen(job).tobytes()) for job in self.jobs]
        shared = sorted(set(own))
        views = [shared.index(view) for view in own]
        regions = [job.regions for job in self.jobs]
        asked = (nets, regions, views, self.device, training.box, self.network, width)
        self.pointwise = pointwise or fastest(*asked)
        self.stack = Stack(nets, regions, views, self.pointwise, width).to(self.device)
        first = [self.jobs[views.index(view)] for view in range(len(shared))]
        self.order = [(training.seen(job), job.order_seed(training.seed)) for job in first]
        self.views = torch.tensor(views, device=self.device)

    def _gather(self) -> None:
        """All that a step reads, on the device."""
        training = self.training
        self.boxes = hold(training.patches, self.device)
        self.events = torch.from_numpy(training.targets).to(self.device)
        weights = [recipe.positive_weight(prevalence, self.network) for prevalence in self.prevalence]
        self.weight = torch.tensor(weights, device=self.device)
        seeds = [job.weights_seed(training.seed) for job in self.jobs]
        self.seeds = torch.tensor(seeds, device=self.device)[:, None]
        self.steps, _, size = self._tables(0).shape
        self.case = torch.zeros((len(self.order), size), dtype=torch.long, device=self.device)
        self.base = torch.zeros((len(self.order), 1), dtype=torch.long, device=self.device)

    def _tables(self, epoch: int) -> Int[Tensor, "step view b"]:
        """Case indices of an epoch."""
        largest, batch = self.training.largest, self.network.batch
        return torch.from_numpy(
            np.stack([Order(cases, largest, batch, seed, epoch).table() for cases, seed in self.order], 1)
        )

    def _bases(self, epoch: int) -> Int[Tensor, "step view 1"]:
        """What every view's keys of a step are drawn from."""
        keys = [[chance.key(seed, epoch, step) for _, seed in self.order] for step in range(self.steps)]
        return torch.stack([torch.stack(step) for step in keys])[..., None]

    def epoch(self, number: int) -> None:
        """Train all networks for one epoch, counted from 0.

        Raises:
            ModelError: a loss is not a number any more; the message names the networks.
        """
        steps, tables, bases = self.steps, self._tables(number), self._bases(number)
        self.set_mode(number)
        total = torch.zeros(len(self.jobs), device=self.device)
        for step, (case, base) in enumerate(zip(tables.to(self.device), bases.to(self.device), strict=True)):
            self.case.copy_(case)
            self.base.copy_(base)
            self._rate(number + step / steps)
            total += self.step()
            taken = number * steps + step + 1
            recipe.average(self.averaged, self.state, recipe.decay(self.network.ema, taken))
        self.losses = np.vstack([self.losses, (total / steps).double().cpu().numpy()])
        self.epochs = number + 1
        wrong = [job.name for job, loss in zip(self.jobs, self.losses[-1], strict=True) if not np.isfinite(loss)]
        if wrong:
            found = f"a loss that is no number in epoch {number} of {', '.join(wrong)}"
            raise ModelError(Fault(found, "a finite loss", "lower network.lr_head and network.lr_backbone"))

    def set_mode(self, epoch: int) -> None:
        """Pyramids stand still in the warm-up, and what is recorded of a step changes with that."""
        recipe.set_mode(self.stack.pyramid, self.stack.heads, epoch, self.network)
        trains = epoch >= self.network.warmup_epochs
        if self.cuda_graph and trains != self.trains:
            self.step = Replay(self._learn)
        self.trains = trains

    def _rate(self, epoch: float) -> None:
        for group, rate in zip(self.adam.param_groups, self.rates, strict=True):
            now = rate * recipe.share(epoch, self.network)
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(now)
            else:
                group["lr"] = now

    def _learn(self) -> Float[Tensor, " network"]:
        """One step of every network on the batch at hand; returns the losses."""
        keys = chance.key(self.base, self.case)
        asked = (self.boxes, self.events, self.case, keys, self.network, self.training.roi)
        regions, targets = recipe.batch(*asked)
        self.stack.tell(chance.key(self.seeds, keys[self.views]))
        said = targets[self.views].transpose(0, 1)
        return learn(self.stack, self.adam, regions, said, self.weight, self.network)

    def networks(self) -> list[dict[str, Tensor]]:
        """Every network's averaged weights, at the true share of positives."""
        states = self.stack.split(self.averaged)
        for state, prevalence in zip(states, self.prevalence, strict=True):
            bias = state["head.classifier.bias"]
            state["head.classifier.bias"] = recipe.shifted_back(bias, prevalence, self.network)
        return states


def learn(
    stack: Stack, adam: torch.optim.Optimizer, regions: Float[Tensor, "view b branch channel z y x"],
    targets: Float[Tensor, "b network *class"], weight: Float[Tensor, "network *class"], network: Network,
) -> Float[Tensor, " network"]:  # fmt: skip
    """One step of all networks, each by its own loss and gradient norm; returns the losses."""
    before = stack.statistics()
    with torch.autocast(regions.device.type, torch.bfloat16, enabled=half(network)):
        logits = stack(regions)
    losses = recipe.losses(logits, targets, weight)
    adam.zero_grad()
    losses.sum().backward()
    recipe.clip(stack.parts(), stack.networks, network.clip)
    adam.step()
    recipe.keep_silent(before)
    return losses.detach()
