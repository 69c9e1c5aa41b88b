"""One branch: a timm pyramid over a region, by slices as channels, slice by slice, or in three dimensions."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fusion.config.network import Network
from fusion.models.backbone import Start, backbone
from fusion.models.drop import Keys, by_key
from fusion.models.inputs import Input

ATTENTION = 64
"""Units of the attention over slices."""


class Pyramid(nn.Module):
    """Feature maps of a region at every scale, finest first."""

    channels_last = True
    """Hand planes over with their channels together: a third faster on a CPU; the weights stay as they are."""

    def __init__(self, network: Network, slices: int, start: Start) -> None:
        super().__init__()
        self.kind, self.keys = network.input, Keys()
        self.body = backbone(network, slices, start)
        by_key(self.body, self.keys)

    @property
    def channels(self) -> list[int]:
        """Channels of each scale."""
        return self.body.feature_info.channels()  # type: ignore[operator, union-attr]

    def forward(self, region: Float[Tensor, "b channel z y x"]) -> list[Float[Tensor, "row feature ..."]]:
        """Maps; with `slice_mean` a row is a slice of a case."""
        rows = arranged(region, self.kind)
        if self.channels_last and rows.ndim == 4:
            rows = rows.contiguous(memory_format=torch.channels_last)
        return self.body(rows)


def arranged(region: Float[Tensor, "b channel z y x"], kind: Input) -> Float[Tensor, "row input ..."]:
    """The region as the pyramid takes it; with several networks side by side ``channel`` holds those of all."""
    if kind.kind in ("slices", "picture"):
        return region.flatten(1, 2)
    if kind.kind == "slice_mean":
        return region.transpose(1, 2).flatten(0, 1)
    return region


class SlicePool(nn.Module):
    """From rows to cases: the mean over the slices that hold some of a region, or a learned one; else nothing to do."""

    def __init__(self, kind: Input, width: int) -> None:
        super().__init__()
        self.by_slice = kind.kind == "slice_mean"
        attention = kind.kind == "slice_mean" and kind.pool == "attention"
        self.hidden = nn.Linear(width, ATTENTION) if attention else None
        self.score = nn.Linear(ATTENTION, 1) if attention else None

    def forward(
        self, rows: Float[Tensor, "row group width"], present: Float[Tensor, "b z group"] | None
    ) -> Float[Tensor, "b group width"]:
        """``present`` is 1 for the slices that count; a case without any counts them all."""
        if not self.by_slice or present is None:
            return rows
        by_case = rows.unflatten(0, (present.shape[0], -1))
        counted = torch.where(present.sum(1, keepdim=True) > 0, present, torch.ones_like(present))
        if self.hidden is None or self.score is None:
            weights = counted / counted.sum(1, keepdim=True)
        else:
            scores = self.score(self.hidden(by_case).tanh())[..., 0].masked_fill(counted == 0, -torch.inf)
            weights = scores.softmax(1)
        return (by_case * weights[..., None]).sum(1)
