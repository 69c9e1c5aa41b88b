"""Random numbers by counter: the same key gives the same numbers on every device, in any batch and in any order."""

import functools

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio, the step of SplitMix64 (Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195)."""
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""Multipliers of its finaliser (Stafford's variant 13)."""
BANK = 2**20
"""Offsets at which a patch of noise may begin."""
QUANTILES = 4096


def key(*parts: int | Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """One 64-bit key from whole numbers, which broadcast; another number or order gives an unrelated key."""
    mixed: Tensor | int = 0
    for part in parts:
        if isinstance(mixed, Tensor):
            mixed = _mix(mixed + (part if isinstance(part, Tensor) else _signed(part)) + _signed(GOLDEN))
        elif isinstance(part, Tensor):
            mixed = _mix(part + _signed(mixed + GOLDEN))
        else:
            mixed = _mix_int(part + mixed + GOLDEN)
    return mixed if isinstance(mixed, Tensor) else torch.tensor(_signed(mixed))


def uniform(keys: Int[Tensor, " *b"], count: int) -> Float[Tensor, " *b count"]:
    """``count`` numbers a key, in [0, 1), in steps of 2^-24."""
    steps = torch.arange(1, count + 1, device=keys.device) * _signed(GOLDEN)
    return (_shifted(_mix(keys[..., None] + steps), 40)).float() * 2.0**-24


def normal(keys: Int[Tensor, " b"], shape: tuple[int, ...]) -> Float[Tensor, "b ..."]:
    """Standard normal noise a key: one fixed bank of it, read from an offset of the key's own."""
    voxels = int(np.prod(shape))
    start = _shifted(_mix(keys + _signed(FIRST)), 44)  # 20 bits
    return _bank(voxels, keys.device).unfold(0, voxels, 1)[start].view(-1, *shape)


def beta(keys: Int[Tensor, " b"], alpha: float) -> Float[Tensor, " b"]:
    """One number a key from Beta(alpha, alpha), by a table of its quantiles."""
    table = _quantiles(alpha, keys.device)
    return table[(uniform(keys, 1)[..., 0] * QUANTILES).long()]


def _mix(number: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    number = (number ^ _shifted(number, 30)) * _signed(FIRST)
    number = (number ^ _shifted(number, 27)) * _signed(SECOND)
    return number ^ _shifted(number, 31)


def _mix_int(number: int) -> int:
    """The same on Python's integers."""
    number %= 2**64
    number = (number ^ number >> 30) * FIRST % 2**64
    number = (number ^ number >> 27) * SECOND % 2**64
    return number ^ number >> 31


def _shifted(number: Int[Tensor, "..."], bits: int) -> Int[Tensor, "..."]:
    """A right shift that brings in zeros."""
    return (number >> bits) & ((1 << (64 - bits)) - 1)


def _signed(number: int) -> int:
    """The 64-bit pattern of ``number`` as torch's signed integer."""
    return (number + 2**63) % 2**64 - 2**63


@functools.lru_cache(maxsize=4)
def _bank(voxels: int, device: torch.device) -> Float[Tensor, " n"]:
    return torch.from_numpy(np.random.default_rng(0).standard_normal(BANK + voxels, np.float32)).to(device)


@functools.lru_cache(maxsize=4)
def _quantiles(alpha: float, device: torch.device) -> Float[Tensor, " n"]:
    from scipy.stats import beta as law

    return torch.from_numpy(law.ppf((np.arange(QUANTILES) + 0.5) / QUANTILES, alpha, alpha).astype(np.float32)).to(
        device
    )
