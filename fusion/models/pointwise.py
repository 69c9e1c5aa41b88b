"""Which way to compute several networks' 1x1 convolutions is the faster one here."""

import time
from collections.abc import Sequence
from typing import get_args

import torch

from fusion.config.network import Network
from fusion.models.held import channels
from fusion.models.machine import half
from fusion.models.network import RegionNetwork
from fusion.models.stack import Pointwise, Stack

ROUNDS = 3
CASES = 32


def fastest(
    networks: Sequence[RegionNetwork], regions: Sequence[tuple[int, ...]], views: Sequence[int], device: torch.device,
    box: tuple[int, int, int], network: Network, width: int = 2,
) -> Pointwise:  # fmt: skip
    """On a GPU what a few passes forward and backward tell.

    On a CPU always `grouped`: as batched matrix products they took 1.0 to 1.9 times as long, forward and backward
    together, for both MobileNetV3 and resnet18.
    """
    if device.type != "cuda" or len(networks) == 1:
        return "grouped"
    batch = min(network.batch, CASES)
    seen = torch.zeros((max(views) + 1, batch, width, channels(network), *box), device=device)
    keys = torch.zeros((len(networks), batch), dtype=torch.long, device=device)
    seconds = {}
    for kind in get_args(Pointwise):
        stack = Stack(networks, regions, views, kind, width).to(device).train()
        seconds[kind] = min([_pass(stack, seen, keys, network) for _ in range(1 + ROUNDS)][1:])
    return min(seconds, key=lambda kind: seconds[kind])


def _pass(stack: Stack, seen: torch.Tensor, keys: torch.Tensor, network: Network) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    stack.tell(keys)
    with torch.autocast("cuda", torch.bfloat16, enabled=half(network)):
        logits = stack(seen)
    logits.sum().backward()
    torch.cuda.synchronize()
    return time.perf_counter() - start
