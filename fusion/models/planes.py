"""From stored slices to what a branch sees: grey values in ImageNet's units, and 0 where a case has none."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import timm
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from fusion.models import chance
from fusion.models.chance import normal, uniform
from fusion.roi.slice import Slices

TURN = math.pi / 4
"""Largest rotation where rotation is all there is."""
SCALE, SHIFT = 0.1, 0.1
"""Relative change of size; largest shift, in sides of the picture."""
GAIN, OFFSET, NOISE = 0.1, 0.05, 0.05
"""Relative change of grey values, their largest shift and the noise's largest standard deviation, in whole ranges."""
PIECE = 8
"""Cases at once on a CPU, whose cache holds no more."""


@dataclass(frozen=True)
class Units:
    """What is taken from red, green and blue (0..1), and what they are then divided by."""

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)


IMAGENET = Units()
"""Of ImageNet's pictures, as most of timm's and torchvision's weights expect them."""


def units(backbone: str) -> Units:
    """Those that timm notes for the weights of ``backbone``, or ImageNet's.

    >>> units("tf_mobilenetv3_small_100").mean, units("resnet18") == IMAGENET
    ((0.5, 0.5, 0.5), True)
    """
    known = timm.models.get_pretrained_cfg(backbone)
    return IMAGENET if known is None else Units(tuple(known.mean), tuple(known.std))


@dataclass(frozen=True)
class Planes:
    """Some sequences of the cohort on the device that trains."""

    grey: UInt8[Tensor, "case sequence y x"]
    there: Bool[Tensor, "case sequence"]
    numbers: tuple[int, ...]
    """Which of the run's sequences these are; they decide each one's noise."""

    @classmethod
    def of(cls, slices: Slices, device: torch.device, numbers: Sequence[int] | None = None) -> "Planes":
        """The sequences ``numbers`` of ``slices`` on ``device``; all by default."""
        own = tuple(range(len(slices.sequences)) if numbers is None else numbers)
        with warnings.catch_warnings():  # workers share read-only maps, and nothing here writes to them
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            grey, there = (torch.from_numpy(array[:, list(own)]).to(device) for array in (slices.grey, slices.there))
        return cls(grey, there, own)


def plain(planes: Planes, case: Int[Tensor, " b"], units: Units = IMAGENET) -> Float[Tensor, "b branch channel z y x"]:
    """The cases' pictures as they are, one slice deep."""
    return _inputs(planes.grey[case].float() / 255, planes.there[case], units)


def turned(
    planes: Planes, case: Int[Tensor, " b"], keys: Int[Tensor, " b"], rotation_only: bool, units: Units = IMAGENET
) -> Float[Tensor, "b branch channel z y x"]:
    """The cases' pictures turned, and unless ``rotation_only`` flipped, scaled, shifted and with other grey values.

    All branches of a case share the transform; noise is each one's own. What a case gets depends on its key alone.
    Beyond its edge a picture is mirrored.
    """
    few = PIECE if case.device.type == "cpu" else len(case)
    with torch.autocast(case.device.type, enabled=False):  # coordinates need all their digits
        parts = zip(case.split(few), keys.split(few), strict=True)
        pieces = [_piece(planes, *own, rotation_only, units) for own in parts]
        return torch.cat(pieces) if len(pieces) > 1 else pieces[0]


def _piece(
    planes: Planes, case: Int[Tensor, " b"], keys: Int[Tensor, " b"], rotation_only: bool, units: Units
) -> Float[Tensor, "b branch channel z y x"]:
    draws = 2 * uniform(chance.key(keys, 0), 9) - 1
    grid = F.affine_grid(_matrix(draws, rotation_only), [len(case), 1, *planes.grey.shape[2:]], align_corners=False)
    grey = F.grid_sample(planes.grey[case].float() / 255, grid, padding_mode="reflection", align_corners=False)
    if not rotation_only:
        grey = _intensities(grey, draws, keys, planes.numbers)
    return _inputs(grey, planes.there[case], units)


def _matrix(draws: Float[Tensor, "b 9"], rotation_only: bool) -> Float[Tensor, "b 2 3"]:
    """From the picture that is made to the stored one, along (x, y), in half sides."""
    angle = draws[:, 0] * (TURN if rotation_only else math.pi)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).view(-1, 2, 2)
    if rotation_only:
        return torch.cat([turn, torch.zeros_like(turn[:, :, :1])], -1)
    flips = torch.where(draws[:, 1:3] < 0, -1.0, 1.0)
    scaled = turn * flips[:, None] * (1 + SCALE * draws[:, 3])[:, None, None]
    return torch.cat([scaled, (2 * SHIFT * draws[:, 4:6])[:, :, None]], -1)


def _intensities(
    grey: Float[Tensor, "b branch y x"], draws: Float[Tensor, "b 9"], keys: Int[Tensor, " b"], numbers: Sequence[int]
) -> Float[Tensor, "b branch y x"]:
    gain, offset, sigma = (value[:, None, None, None] for value in draws[:, 6:9].unbind(-1))
    noise = torch.stack([normal(chance.key(keys, 1, number), grey.shape[2:]) for number in numbers], 1)
    return (grey * (1 + GAIN * gain) + OFFSET * offset).addcmul_(noise, NOISE * sigma.abs())


def _inputs(
    grey: Float[Tensor, "b branch y x"], there: Bool[Tensor, "b branch"], units: Units
) -> Float[Tensor, "b branch channel z y x"]:
    """Three equal channels in ``units``; exactly 0 where there is no picture, which no picture is."""
    mean, deviation = (
        torch.tensor(own, device=grey.device)[:, None, None, None] for own in (units.mean, units.deviation)
    )
    scaled = (grey[:, :, None, None] - mean) / deviation
    return scaled * there[:, :, None, None, None, None]
