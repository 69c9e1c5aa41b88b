"""Same-scale fusion: two regions' maps become one, are convolved, and leave their maxima (Shen 2026)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fusion.config.network import Network
from fusion.models.inflate import inflated


class Scale(nn.Module):
    """One scale of the pyramid: combine, convolve, batch norm, Hardswish, maximum.

    The convolution is separable, depthwise 3x3 and 1x1 to ``network.width`` at most, in place of the full 3x3 one of
    `paper_literal`, whose 8 million weights a few hundred cases cannot carry. With one region there is nothing to
    combine; the rest is the same. `plain` only adds, and takes the mean in place of the maximum.
    """

    groups = 1
    """Networks side by side, each with its own share of the channels."""

    def __init__(self, channels: int, regions: int, network: Network) -> None:
        super().__init__()
        fuse = network.fuse
        self.kind = fuse.kind if regions > 1 else "none"
        self.gate = _gate(channels * regions, fuse.hidden, channels) if self.kind == "gated" else None  # type: ignore[union-attr]
        literal, self.plain = fuse.kind == "paper_literal", fuse.kind == "plain"
        self.width = channels if literal or self.plain else min(channels, network.width)
        inside = channels * regions if self.kind == "concat" else channels
        convolution = [nn.Conv2d(inside, self.width, 3, padding=1, bias=False)] if literal else [
            nn.Conv2d(inside, inside, 3, padding=1, groups=inside, bias=False),
            nn.Conv2d(inside, self.width, 1, bias=False),
        ]  # fmt: skip
        self.convolve: nn.Module = nn.Sequential(*convolution, nn.BatchNorm2d(self.width), nn.Hardswish())
        if self.plain:
            self.convolve = nn.Identity()
        if network.input.kind == "volume":
            self.convolve = inflated(self.convolve, "the fusion")
            self.gate = self.gate and inflated(self.gate, "the fusion")

    def forward(
        self, maps: Sequence[Float[Tensor, "b channels ..."]], there: Float[Tensor, "b group branch"] | None = None
    ) -> Float[Tensor, "b group width"]:
        """Each fused channel's maximum over the plane, or the volume; ``there`` is 0 for branches a case lacks."""
        known = maps if there is None else self.weighed(maps, there)
        flat = self.convolve(self.combine(known)).flatten(2)
        return (flat.mean(-1) if self.plain else flat.amax(-1)).unflatten(1, (self.groups, -1))

    def weighed(
        self, maps: Sequence[Float[Tensor, "b channels ..."]], there: Float[Tensor, "b group branch"]
    ) -> list[Float[Tensor, "b channels ..."]]:
        """Maps with 0 for what a case lacks; where they are to be added the others make up for it.

        >>> two = [torch.full((1, 1, 1, 1), 5.0), torch.full((1, 1, 1, 1), 2.0)]
        >>> [own.item() for own in Scale(1, 2, Network()).weighed(two, torch.tensor([[[0.0, 1.0]]]))]
        [0.0, 4.0]
        """
        up = 1 if self.kind == "concat" else there.shape[-1] / there.sum(-1, keepdim=True).clamp(min=1)
        shares = (there * up).unbind(-1)
        return [_times(own, share) for own, share in zip(maps, shares, strict=True)]

    def combine(self, maps: Sequence[Float[Tensor, "b channels ..."]]) -> Float[Tensor, "b combined ..."]:
        """The regions' maps as one: sum, channels side by side, tumour minus ring, or a gated mean.

        >>> two = [torch.full((1, 1, 1, 1), 5.0), torch.full((1, 1, 1, 1), 2.0)]
        >>> kinds = ({"kind": "add"}, {"kind": "concat"}, {"kind": "diff"})
        >>> [Scale(1, 2, Network(fuse=kind)).combine(two).flatten().tolist() for kind in kinds]
        [[7.0], [5.0, 2.0], [3.0]]
        """
        first, *others = maps
        if self.kind == "concat":
            return self._side_by_side(maps)
        if self.gate is not None:
            weight = self.gate(self._side_by_side(maps))
            return weight * first + (1 - weight) * others[0]
        for other in others:
            first = first - other if self.kind == "diff" else first + other
        return first

    def _side_by_side(self, maps: Sequence[Float[Tensor, "b channels ..."]]) -> Float[Tensor, "b combined ..."]:
        """Every network's own channels of all regions together."""
        return torch.cat([own.unflatten(1, (self.groups, -1)) for own in maps], dim=2).flatten(1, 2)


def _gate(inside: int, hidden: int, outside: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inside, hidden, 1), nn.Hardswish(), nn.Conv2d(hidden, outside, 1), nn.Sigmoid())


def _times(maps: Float[Tensor, "b channels ..."], share: Float[Tensor, "b group"]) -> Float[Tensor, "b channels ..."]:
    """Every network's own channels times its own share."""
    by_group = maps.unflatten(1, (share.shape[1], -1))
    return (by_group * share.view(*share.shape, *[1] * (by_group.ndim - 2))).flatten(1, 2)
