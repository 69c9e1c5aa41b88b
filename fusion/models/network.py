"""One network for every source: a pyramid a region, fusion at each scale, a linear classifier."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from fusion.config.network import Network
from fusion.models import chance
from fusion.models.backbone import RANDOM, Start
from fusion.models.drop import Drop, Keys
from fusion.models.fuse import Scale
from fusion.models.pyramid import Pyramid, SlicePool


class Head(nn.Module):
    """From the regions' maps to one log-odds a case: fusion at every scale, maxima, a linear classifier."""

    def __init__(self, channels: list[int], regions: int, network: Network) -> None:
        super().__init__()
        self.keys = Keys()
        self.scales = nn.ModuleList(Scale(c, regions, network) for c in channels)
        self.widths = [scale.width for scale in self.scales]
        self.pool = SlicePool(network.input, sum(self.widths))  # type: ignore[arg-type]
        self.dropout = Drop(network.dropout, self.keys, layer=0)
        self.classifier = nn.Linear(sum(self.widths), 1)  # type: ignore[arg-type]

    def deep(
        self, maps: Sequence[Sequence[Tensor]], present: Float[Tensor, "b z group"] | None
    ) -> Float[Tensor, "b group feature"]:
        """Deep features, finest scale first; ``maps`` are by region, then by scale."""
        fused = [scale(same) for scale, same in zip(self.scales, zip(*maps, strict=True), strict=True)]
        return self.pool(torch.cat(fused, dim=-1), present)

    def classify(self, deep: Float[Tensor, "b group feature"]) -> Float[Tensor, "b group"]:
        """Log-odds from deep features."""
        return self.classifier(self.dropout(deep))[..., 0]


class RegionNetwork(nn.Module):
    """Regions in, one log-odds a case out: a pyramid a region and a head."""

    def __init__(self, network: Network, slices: int, regions: int, start: Start = RANDOM) -> None:
        super().__init__()
        self.branches = nn.ModuleList(Pyramid(network, slices, start) for _ in range(regions))
        self.head = Head(self.branches[0].channels, regions, network)  # type: ignore[arg-type]

    def forward(self, regions: Float[Tensor, "b region channel z y x"]) -> Float[Tensor, " b"]:
        """Log-odds of the positive class."""
        return self.classify(self.deep(regions))

    def deep(self, regions: Float[Tensor, "b region channel z y x"]) -> Float[Tensor, "b feature"]:
        """Deep features, finest scale first."""
        maps = [branch(region) for branch, region in zip(self.branches, regions.unbind(1), strict=True)]
        return self.head.deep(maps, present(regions[:, None]))[:, 0]

    def classify(self, deep: Float[Tensor, "b feature"]) -> Float[Tensor, " b"]:
        """Log-odds from deep features."""
        return self.head.classify(deep[:, None])[:, 0]

    def tell(self, keys: Int[Tensor, " b"]) -> None:
        """The keys of the coming batch's cases, from which dropout and drop-path take their masks."""
        for number, part in enumerate([self.head, *self.branches]):
            part.keys.batch = chance.key(keys, number)[:, None]


def present(regions: Float[Tensor, "b group region channel z y x"]) -> Float[Tensor, "b z group"] | None:
    """1 for the slices that hold some of a region, for inputs with the region itself as a channel (`slice_mean`)."""
    if regions.shape[3] == 1:
        return None
    return (regions[:, :, :, -1].amax((2, 4, 5)) > 0).to(regions.dtype).transpose(1, 2)
