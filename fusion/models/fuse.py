"""Same-scale fusion: two regions' maps become one, are convolved, and leave their maxima (Shen 2026)."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

Kind = Literal["add", "concat", "diff"]


class Scale(nn.Module):
    """One scale of the pyramid: combine, depthwise 3x3, 1x1 to ``width`` at most, batch norm, Hardswish, maximum.

    The separable convolution replaces a full 3x3 one, whose 8 million weights a few hundred cases cannot carry. With
    one region there is nothing to combine; the rest is the same.
    """

    def __init__(self, channels: int, regions: int, width: int, kind: Kind) -> None:
        super().__init__()
        self.kind = kind
        inside = channels * regions if kind == "concat" else channels
        self.width = min(channels, width)
        self.convolve = nn.Sequential(
            nn.Conv2d(inside, inside, 3, padding=1, groups=inside, bias=False),
            nn.Conv2d(inside, self.width, 1, bias=False),
            nn.BatchNorm2d(self.width),
            nn.Hardswish(),
        )

    def forward(self, maps: Sequence[Float[Tensor, "b channels y x"]]) -> Float[Tensor, "b width"]:
        """Each fused channel's maximum over the plane."""
        return self.convolve(combine(maps, self.kind)).flatten(2).amax(-1)


def combine(maps: Sequence[Float[Tensor, "b channels y x"]], kind: Kind) -> Float[Tensor, "b combined y x"]:
    """The regions' maps as one: their sum, their channels side by side, or tumour minus ring.

    >>> two = [torch.full((1, 1, 1, 1), 5.0), torch.full((1, 1, 1, 1), 2.0)]
    >>> [combine(two, kind).flatten().tolist() for kind in ("add", "concat", "diff")]
    [[7.0], [5.0, 2.0], [3.0]]
    """
    first, *others = maps
    if kind == "concat":
        return torch.cat([first, *others], dim=1)
    for other in others:
        first = first + other if kind == "add" else first - other
    return first
