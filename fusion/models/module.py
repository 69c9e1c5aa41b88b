"""One network as a LightningModule: the reference that the stacked training is held against."""

import pytorch_lightning as pl
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from fusion.config.network import Network
from fusion.config.roi import Roi
from fusion.errors import Fault, ModelError
from fusion.models import chance, recipe
from fusion.models.held import Held
from fusion.models.network import RegionNetwork
from fusion.models.recipe import Order, Shares, Statistics
from fusion.models.share import ALONE, Share


class Module(pl.LightningModule):
    """Trains one network on the cases given, for a fixed number of epochs.

    One learning rate for the pyramids and one for the rest, as `network.optimiser` and `network.schedule` say; in the
    warm-up the pyramids stand still (batch norm in evaluation mode), then everything trains. Cross-entropy without
    class weights unless `balanced`: they would shift the probabilities and not the AUC (van den Goorbergh 2022,
    doi:10.1093/jamia/ocac093). No early stopping: the fold left out feeds the stacking and must not choose anything.
    """

    def __init__(
        self, net: RegionNetwork, regions: tuple[int, ...], boxes: Held, events: Float[Tensor, "case *class"],
        cases: Int[ndarray, " train"], largest: int, network: Network, roi: Roi, order: int, seed: int, name: str,
        share: Share = ALONE,
    ) -> None:  # fmt: skip
        """``order`` seeds batches and augmentation, ``seed`` dropout; of a step's cases it learns from ``share``."""
        super().__init__()
        self.net, self.regions, self.boxes, self.events = net, list(regions), boxes, events
        self.cases, self.largest, self.network, self.roi = cases, largest, network, roi
        self.order, self.seed, self.name, self.share = order, seed, name, share
        positive = events[torch.from_numpy(cases)].mean(0)
        self.prevalence: float | Shares = positive.double().cpu().numpy() if positive.ndim else float(positive)
        self.weight = torch.tensor([recipe.positive_weight(self.prevalence, network)])
        recipe.begin(net, self.prevalence, network)
        self.averaged: dict[str, Tensor] = {}
        self.before: list[Statistics] = []

    def train_dataloader(self) -> Order:
        """This epoch's batches."""
        return Order(self.cases, self.largest, self.network.batch, self.order, self.current_epoch)

    def on_fit_start(self) -> None:
        """The average starts where the network starts."""
        self.averaged = {key: value.clone() for key, value in self.net.state_dict().items()}

    def on_train_epoch_start(self) -> None:
        """Pyramids stand still in the warm-up."""
        recipe.set_mode(self.net.branches, self.net.head, self.current_epoch, self.network)

    def training_step(self, case: Int[Tensor, " b"], step: int) -> Float[Tensor, ""]:
        """Cross-entropy of one batch, or of this process's share of it.

        Raises:
            ModelError: the loss is not a number any more.
        """
        seen, own = self.share.needed(case, self.network, len(self.regions))
        keys = chance.key(chance.key(self.order, self.current_epoch, step).to(case.device), seen)
        regions, targets = recipe.batch(self.boxes, self.events, seen[None], keys[None], self.network, self.roi)
        self.net.tell(chance.key(self.seed, keys[own]))
        logits = self.net(regions[0, :, self.regions], own)
        loss = recipe.losses(logits[:, None], targets[:, own].transpose(0, 1), self.weight.to(case.device))[0]
        if not torch.isfinite(loss):
            found = f"loss {loss.item()} in epoch {self.current_epoch} of {self.name}"
            raise ModelError(Fault(found, "a finite loss", "lower network.lr_head and network.lr_backbone"))
        loss = self.share.weighed(loss, len(case))
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(case), sync_dist=self.share.world > 1)
        return loss

    def configure_gradient_clipping(self, *_: object, **__: object) -> None:
        """By the norm of all gradients."""
        recipe.clip([(self.net, torch.zeros(1, dtype=torch.long, device=self.device))], 1, self.network.clip)

    def on_train_batch_start(self, *_: object) -> None:
        """Remember the running statistics of this batch's start."""
        self.before = Statistics.of(self.net, 1)

    def on_train_batch_end(self, *_: object) -> None:
        """Silent channels keep their statistics; weights and batch-norm buffers enter their average."""
        recipe.keep_silent(self.before)
        recipe.average(self.averaged, self.net.state_dict(), recipe.decay(self.network.ema, self.global_step))

    def on_fit_end(self) -> None:
        """Log-odds at the true share of positives."""
        bias = self.averaged["head.classifier.bias"]
        self.averaged["head.classifier.bias"] = recipe.shifted_back(bias, self.prevalence, self.network)

    def configure_optimizers(self) -> dict[str, object]:
        """The optimiser and its schedule, step by step."""
        adam, steps = recipe.optimizer(self.net.branches, self.net.head, self.network), len(self.train_dataloader())
        schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: recipe.share(step / steps, self.network))
        return {"optimizer": adam, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
