"""One network for every source: a pyramid a branch (region or sequence), fusion at each scale, a linear classifier."""

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

ALL = slice(None)


class Head(nn.Module):
    """From the branches' maps to one log-odds a case, or a logit a class: fusion by scale, maxima, a classifier."""

    def __init__(self, channels: list[int], regions: int, network: Network, outputs: int = 1) -> None:
        super().__init__()
        self.keys, self.outputs = Keys(), outputs
        kept = channels[-1:] if network.fuse.kind == "plain" else channels
        self.scales = nn.ModuleList(Scale(c, regions, network) for c in kept)
        self.widths = [scale.width for scale in self.scales]
        self.pool = SlicePool(network.input, sum(self.widths))  # type: ignore[arg-type]
        self.dropout = Drop(network.dropout, self.keys, layer=0)
        self.classifier = nn.Linear(sum(self.widths), outputs)  # type: ignore[arg-type]

    def deep(
        self,
        maps: Sequence[Sequence[Tensor]],
        present: Float[Tensor, "b z group"] | None,
        there: Float[Tensor, "b group branch"] | None = None,
    ) -> Float[Tensor, "b group feature"]:
        """Deep features, finest scale first; ``maps`` are by branch, then by scale, and ``there`` as in ``Scale``."""
        used = [own[-len(self.scales) :] for own in maps]
        fused = [scale(same, there) for scale, same in zip(self.scales, zip(*used, strict=True), strict=True)]
        return self.pool(torch.cat(fused, dim=-1), present)

    def classify(self, deep: Float[Tensor, "b group feature"]) -> Float[Tensor, "b group *class"]:
        """Log-odds from deep features; with more than two classes their logits."""
        logits = self.classifier(self.dropout(deep))
        return logits[..., 0] if self.outputs == 1 else logits


class RegionNetwork(nn.Module):
    """Branches in, one log-odds a case (or a logit a class) out: a pyramid a branch and a head."""

    def __init__(self, network: Network, slices: int, regions: int, start: Start = RANDOM, outputs: int = 1) -> None:
        super().__init__()
        self.pictures = network.input.kind == "picture"
        self.branches = nn.ModuleList(Pyramid(network, slices, start) for _ in range(regions))
        self.head = Head(self.branches[0].channels, regions, network, outputs)  # type: ignore[arg-type]

    def forward(
        self, regions: Float[Tensor, "b region channel z y x"], own: slice = ALL
    ) -> Float[Tensor, "own *class"]:  # fmt: skip
        """Log-odds of the positive class, or logits of all."""
        return self.classify(self.deep(regions, own))

    def deep(self, regions: Float[Tensor, "b region channel z y x"], own: slice = ALL) -> Float[Tensor, "own feature"]:
        """Deep features, finest scale first, of the cases ``own``; the others only lend them pictures."""
        known = there(regions) if self.pictures else None
        seen = filled(regions, known) if known is not None and self.training else regions
        if own != ALL:
            regions, seen, known = regions[own], seen[own], None if known is None else known[own]
        maps = [branch(region) for branch, region in zip(self.branches, seen.unbind(1), strict=True)]
        if known is None:
            return self.head.deep(maps, present(regions[:, None]))[:, 0]
        return self.head.deep(maps, None, known[:, None] if len(maps) > 1 else None)[:, 0]

    def classify(self, deep: Float[Tensor, "b feature"]) -> Float[Tensor, "b *class"]:
        """Log-odds from deep features, or logits."""
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


def there(pictures: Float[Tensor, "b branch channel z y x"]) -> Float[Tensor, "b branch"]:
    """1 where a case has a branch's picture; a missing one is 0 everywhere, which no scaled picture is."""
    return (pictures != 0).flatten(2).any(-1).to(pictures.dtype)


def filled(
    pictures: Float[Tensor, "b branch channel z y x"], known: Float[Tensor, "b branch"]
) -> Float[Tensor, "b branch channel z y x"]:
    """Pictures with the previous case's (or the first there is) in place of missing ones.

    They count for nothing, as their maps are weighed with 0, and batch norm sees pictures alone.
    """
    rows = torch.arange(len(pictures), device=pictures.device)[:, None]
    last = torch.where(known > 0, rows, -1).cummax(0).values
    row = torch.where(last < 0, known.argmax(0, keepdim=True), last)
    return pictures[row, torch.arange(pictures.shape[1], device=pictures.device)]
