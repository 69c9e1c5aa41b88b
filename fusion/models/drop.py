"""Dropout and drop-path whose masks are decided by a key a case, so that a network alone and one in a stack agree."""

import timm
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from fusion.models import chance


class Keys:
    """The keys of the batch at hand, shared by the layers of one pyramid or head; set before each training step."""

    def __init__(self) -> None:
        self.batch: Int[Tensor, "b group"] | None = None

    def of(self, layer: int, rows: int) -> Int[Tensor, "row group"]:
        """Keys for a layer; where slices are rows of their own, each row has its own."""
        assert self.batch is not None, "a network in training needs its keys: call tell first"
        keys = chance.key(self.batch, layer)
        if rows == len(keys):
            return keys
        slices = torch.arange(rows // len(keys), device=keys.device)
        return chance.key(keys[:, None], slices[:, None]).flatten(0, 1)


class Drop(nn.Module):
    """Sets a share of the features (or, with ``paths``, of a residual block's whole outputs) to zero in training."""

    groups = 1
    """Networks side by side."""

    def __init__(self, share: float, keys: Keys, layer: int, paths: bool = False) -> None:
        super().__init__()
        self.share, self.keys, self.layer, self.paths = share, keys, layer, paths

    def forward(self, x: Float[Tensor, "row ..."]) -> Float[Tensor, "row ..."]:
        """``x`` (row, group, feature), or with ``paths`` (row, group x channel, ...), scaled so that its mean stays."""
        if not self.training or self.share == 0:
            return x
        keys = self.keys.of(self.layer, len(x))
        if not self.paths:
            return x * (chance.uniform(keys, x.shape[-1]) >= self.share) / (1 - self.share)
        kept = (chance.uniform(keys, 1)[..., 0] >= self.share).to(x.dtype) / (1 - self.share)
        kept = kept.repeat_interleave(x.shape[1] // self.groups, dim=1)
        return x * kept.view(*kept.shape, *[1] * (x.ndim - 2))


def by_key(pyramid: nn.Module, keys: Keys) -> None:
    """Replace timm's drop-paths by ours, in place."""
    paths = [name for name, module in pyramid.named_modules() if isinstance(module, timm.layers.DropPath)]
    for layer, name in enumerate(paths):
        parent, _, last = name.rpartition(".")
        share = pyramid.get_submodule(name).drop_prob
        setattr(pyramid.get_submodule(parent), last, Drop(float(share or 0.0), keys, layer, paths=True))  # type: ignore[arg-type]
