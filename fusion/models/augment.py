"""Augmentation on the batch, on the device: one transform for both regions, drawn anew a case and epoch."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from fusion.config.run import Patch, Roi
from fusion.models.inputs import Boxes, Sample, inputs, masks, pick, scaled
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


@dataclass(frozen=True)
class Draws:
    """One random transform a case."""

    matrix: Float[Tensor, "b 2 2"]
    """From the networks' box to the stored one, along (x, y), in mm."""
    shift_mm: Float[Tensor, "b 2"]
    shift_slices: Int[Tensor, " b"]
    gain: Float[Tensor, " b"]
    offset: Float[Tensor, " b"]
    noise: Float[Tensor, " b"]
    thickness: Float[Tensor, " b"]
    contour_mm: Float[Tensor, "b node node node"]
    kept: Bool[Tensor, "b z"]
    noise_seed: tuple[int, ...]


def augmented(boxes: Boxes, case: Int[Tensor, " b"], roi: Roi, seed: int, epoch: int) -> Float[Tensor, "b 2 z y x"]:
    """Both regions, turned, flipped, scaled, shifted, and with other grey values, contours and ring thickness.

    The regions are cut by the true grey values; gain, offset and noise come after. What a case gets depends on
    (seed, epoch, case) alone, not on its batch.
    """
    with torch.autocast(case.device.type, enabled=False):  # coordinates need all their digits
        draws = draw(case.tolist(), seed, epoch, roi.patch.shape[0], case.device)
        sample = move(boxes, case, roi.patch, draws)
        sample = Sample(
            sample.grey, sample.distance + spread(draws.contour_mm, roi.patch), sample.drawn, sample.has_drawn
        )
        regions = masks(sample, roi.external2, roi.external2.thickness_mm * draws.thickness)
        grey = intensities(scaled(sample.grey, roi.patch), draws)
        return inputs(grey, regions & draws.kept[:, None, :, None, None])


def draw(cases: list[int], seed: int, epoch: int, slices: int, device: torch.device) -> Draws:
    """The transforms of ``cases`` in this epoch."""
    generators = [np.random.default_rng([seed, epoch, case]) for case in cases]
    drawn = [_draw_one(rng, slices) for rng in generators]
    stacked = {name: torch.from_numpy(np.stack([one[name] for one in drawn])).to(device) for name in drawn[0]}
    return Draws(**stacked, noise_seed=tuple(int(rng.integers(2**63)) for rng in generators))


def _draw_one(rng: np.random.Generator, slices: int) -> dict[str, ndarray]:
    angle = rng.uniform(-math.pi, math.pi)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    flips = np.diag(rng.choice([-1.0, 1.0], size=2))
    drawn = {
        "matrix": rng.uniform(1 - SCALE, 1 + SCALE) * turn @ flips,
        "shift_mm": rng.uniform(-MARGIN_MM, MARGIN_MM, size=2),
        "gain": rng.uniform(1 - GAIN, 1 + GAIN),
        "offset": rng.uniform(-OFFSET, OFFSET),
        "noise": rng.uniform(0, NOISE),
        "thickness": rng.uniform(1 - THICKNESS, 1 + THICKNESS),
        "contour_mm": rng.uniform(-CONTOUR_MM, CONTOUR_MM, size=(NODES, NODES, NODES)),
    }
    return {name: np.asarray(value, dtype=np.float32) for name, value in drawn.items()} | {
        "kept": rng.random(slices) >= SLICE_DROPOUT,
        "shift_slices": np.asarray(rng.integers(-SHIFT_SLICES, SHIFT_SLICES + 1)),
    }


def move(boxes: Boxes, case: Int[Tensor, " b"], patch: Patch, draws: Draws) -> Sample:
    """The transformed boxes: slices by whole steps, so that they do not mix, and one bilinear resampling in plane."""
    first = MARGIN_SLICES + draws.shift_slices
    slices = first[:, None] + torch.arange(patch.shape[0], device=case.device)
    sample = pick(boxes, case, slices)
    layers = [sample.grey, sample.distance] + ([] if sample.drawn is None else [sample.drawn])
    moved = F.grid_sample(torch.cat(layers, dim=1), _grid(patch, draws), padding_mode="border", align_corners=True)
    grey, distance, *drawn = moved.split(patch.shape[0], dim=1)
    return Sample(grey, distance, drawn[0] if drawn else None, sample.has_drawn)


def _grid(patch: Patch, draws: Draws) -> Float[Tensor, "b y x 2"]:
    """Where each voxel of the networks' box is found in the stored one, as grid_sample counts: -1 to 1."""
    device = draws.matrix.device
    size_mm = [
        (torch.arange(n, device=device) - (n - 1) / 2) * s for n, s in zip(patch.shape, patch.spacing_mm, strict=True)
    ]
    y, x = torch.meshgrid(size_mm[1], size_mm[2], indexing="ij")
    at_mm = torch.einsum("bij,yxj->byxi", draws.matrix, torch.stack([x, y], dim=-1)) + draws.shift_mm[:, None, None]
    _, rows, columns = stored_shape(patch)
    half_mm = torch.tensor([(columns - 1) * patch.spacing_mm[2] / 2, (rows - 1) * patch.spacing_mm[1] / 2])
    return at_mm / half_mm.to(device)


def spread(nodes: Float[Tensor, "b node node node"], patch: Patch) -> Float[Tensor, "b z y x"]:
    """A smooth field over the networks' box, linear between ``nodes``."""
    for n in patch.shape:  # each turn interpolates the first axis and moves it to the end
        at = torch.linspace(0, NODES - 1, n, device=nodes.device)
        weights = (1 - (at[:, None] - torch.arange(NODES, device=nodes.device)).abs()).clamp(min=0)
        nodes = torch.einsum("bkij,nk->bijn", nodes, weights)
    return nodes


def intensities(grey: Float[Tensor, "b z y x"], draws: Draws) -> Float[Tensor, "b z y x"]:
    """Scaled grey values with another gain and offset, and noise."""
    noise = torch.empty_like(grey)
    for own, seed in zip(noise, draws.noise_seed, strict=True):
        own.normal_(generator=torch.Generator(own.device).manual_seed(seed))
    gain, offset, sigma = (value[:, None, None, None] for value in (draws.gain, draws.offset, draws.noise))
    return (grey * gain).add_(offset).addcmul_(noise, sigma)
