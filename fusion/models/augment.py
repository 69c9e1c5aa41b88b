"""Augmentation on the batch, on the device: one transform for both regions, decided by a key a case."""

import math
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from fusion.config.roi import Patch, Roi
from fusion.models import chance
from fusion.models.chance import normal, uniform
from fusion.models.inputs import Boxes, Input, Sample, inputs, masks, pick, scaled
from fusion.roi.patch import MARGIN_MM, MARGIN_SLICES, stored_shape

SCALE = 0.1
SHIFT_SLICES = 1
GAIN = 0.05
OFFSET = 0.1
"""In quarters of the window, as ``scaled`` grey values are: 10 HU of a 400-HU window."""
NOISE = 0.1
"""Largest standard deviation, in quarters of the window."""
CONTOUR_MM = 0.5
"""How far a smooth field moves the tumour's edge, as another reader would."""
NODES = 4
THICKNESS = 0.25
"""Relative change of the ring's thickness: 1.5 to 2.5 mm for a 2-mm ring."""
SLICE_DROPOUT = 0.1
PIECE = 2
"""Cases at once on a CPU, whose cache holds no more."""


@dataclass(frozen=True)
class Draws:
    """One random transform a case."""

    matrix: Float[Tensor, "b 2 2"]
    """From the networks' box to the stored one, along (x, y), in mm."""
    shift_mm: Float[Tensor, "b 2"]
    shift_slices: Int[Tensor, " b"]
    gain: Float[Tensor, " b"]
    offset: Float[Tensor, " b"]
    sigma: Float[Tensor, " b"]
    """Standard deviation of the noise."""
    thickness: Float[Tensor, " b"]
    contour_mm: Float[Tensor, "b node node node"]
    kept: Bool[Tensor, "b z"]
    noise: Int[Tensor, " b"]
    """Key of the noise."""


def augmented(
    boxes: Boxes, case: Int[Tensor, " b"], roi: Roi, kind: Input, keys: Int[Tensor, " b"]
) -> Float[Tensor, "b 2 channel z y x"]:
    """Both regions, turned, flipped, scaled, shifted, and with other grey values, contours and ring thickness.

    The regions are cut by the true grey values; gain, offset and noise come after. What a case gets depends on its key
    alone, not on its batch.
    """
    few = PIECE if case.device.type == "cpu" else len(case)
    with torch.autocast(case.device.type, enabled=False):  # coordinates need all their digits
        pieces = [_piece(boxes, *own, roi, kind) for own in zip(case.split(few), keys.split(few), strict=True)]
        return torch.cat(pieces) if len(pieces) > 1 else pieces[0]


def _piece(
    boxes: Boxes, case: Int[Tensor, " b"], keys: Int[Tensor, " b"], roi: Roi, kind: Input
) -> Float[Tensor, "b 2 channel z y x"]:
    draws = draw(keys, roi.patch.shape[0])
    sample = move(boxes, case, roi.patch, draws)
    sample.distance.add_(spread(draws.contour_mm, roi.patch))
    regions = masks(sample, roi.external2, roi.external2.thickness_mm * draws.thickness)
    grey = intensities(scaled(sample.grey, roi.patch), draws)
    kept = draws.kept.view(torch.uint8)[:, None, :, None, None]
    regions = (regions.view(torch.uint8) * kept).view(torch.bool)  # torch is slow at spreading booleans
    return inputs(grey, regions, kind)


def draw(keys: Int[Tensor, " b"], slices: int) -> Draws:
    """The transforms that ``keys`` stand for."""
    one = uniform(chance.key(keys, 0), 11)
    angle, scale, right, down, z, gain, offset, sigma, thickness, flip_x, flip_y = one.unbind(-1)
    angle, scale = (2 * angle - 1) * math.pi, 1 + SCALE * (2 * scale - 1)
    flips = 1 - 2 * (torch.stack([flip_x, flip_y], -1) < 0.5).float()
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).view(-1, 2, 2)
    return Draws(
        matrix=scale[:, None, None] * turn * flips[:, None],
        shift_mm=MARGIN_MM * (2 * torch.stack([right, down], -1) - 1),
        shift_slices=(z * (2 * SHIFT_SLICES + 1)).long() - SHIFT_SLICES,
        gain=1 + GAIN * (2 * gain - 1),
        offset=OFFSET * (2 * offset - 1),
        sigma=NOISE * sigma,
        thickness=1 + THICKNESS * (2 * thickness - 1),
        contour_mm=CONTOUR_MM * (2 * uniform(chance.key(keys, 1), NODES**3).view(-1, NODES, NODES, NODES) - 1),
        kept=uniform(chance.key(keys, 2), slices) >= SLICE_DROPOUT,
        noise=chance.key(keys, 3),
    )


def move(boxes: Boxes, case: Int[Tensor, " b"], patch: Patch, draws: Draws) -> Sample:
    """The transformed boxes: slices by whole steps, so that they do not mix, and one bilinear resampling in plane."""
    first = MARGIN_SLICES + draws.shift_slices
    sample = pick(boxes, case, first[:, None] + torch.arange(patch.shape[0], device=case.device))
    grid = _grid(patch, draws)
    moved = partial(F.grid_sample, grid=grid, padding_mode="border", align_corners=True)
    drawn = None if sample.drawn is None else moved(sample.drawn)
    return Sample(moved(sample.grey), moved(sample.distance), drawn, sample.has_drawn)


def _grid(patch: Patch, draws: Draws) -> Float[Tensor, "b y x 2"]:
    """Where each voxel of the networks' box is found in the stored one, as grid_sample counts: -1 to 1."""
    y_mm, x_mm = (
        (torch.arange(n, device=draws.matrix.device) - (n - 1) / 2) * step
        for n, step in zip(patch.shape[1:], patch.spacing_mm[1:], strict=True)
    )
    along_x = draws.matrix[:, None, :, 0] * x_mm[:, None]
    along_y = draws.matrix[:, None, :, 1] * y_mm[:, None] + draws.shift_mm[:, None]
    at_mm = along_y[:, :, None] + along_x[:, None]
    _, rows, columns = stored_shape(patch)
    half_mm = (columns - 1) * patch.spacing_mm[2] / 2, (rows - 1) * patch.spacing_mm[1] / 2
    return torch.stack([at_mm[..., axis] / half_mm[axis] for axis in (0, 1)], dim=-1)


def spread(nodes: Float[Tensor, "b node node node"], patch: Patch) -> Float[Tensor, "b z y x"]:
    """A smooth field over the networks' box, linear between ``nodes``."""
    for axis in (3, 2, 1):  # the whole box only in the last turn, whose planes lie together
        at = torch.linspace(0, NODES - 1, patch.shape[axis - 1], device=nodes.device)
        below = at.long().clamp(max=NODES - 2)
        share = (at - below).view(-1, *[1] * (3 - axis))
        nodes = nodes.index_select(axis, below).lerp(nodes.index_select(axis, below + 1), share)
    return nodes


def intensities(grey: Float[Tensor, "b z y x"], draws: Draws) -> Float[Tensor, "b z y x"]:
    """Scaled grey values with another gain and offset, and noise."""
    gain, offset, sigma = (value[:, None, None, None] for value in (draws.gain, draws.offset, draws.sigma))
    return (grey * gain).add_(offset).addcmul_(normal(draws.noise, grey.shape[1:]), sigma)
