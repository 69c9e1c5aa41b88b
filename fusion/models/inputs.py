"""From stored boxes to what a branch sees: the region's grey values, scaled, and zero elsewhere."""

import warnings
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int, Int8, Int16, UInt8
from torch import Tensor

from fusion.config.network import Picture, SliceMean, Slices, WholeVolume
from fusion.config.roi import Patch, Ring, Roi
from fusion.roi.patch import STEP_MM, TOLERANCE_MM, WIDE, Patches, margin

Input = Slices | SliceMean | WholeVolume | Picture


@dataclass(frozen=True)
class Boxes:
    """The cohort's boxes on the device that trains."""

    grey: Int16[Tensor, "case z y x"]
    distance: Int8[Tensor, "case z y x"]
    drawn: UInt8[Tensor, "drawn z y x"]
    row: Int[Tensor, " case"]
    """Row in ``drawn``; -1 for the distance rule."""

    @classmethod
    def of(cls, patches: Patches, device: torch.device) -> "Boxes":
        """``patches`` on ``device``."""
        row = torch.from_numpy(patches.has_drawn).long()
        row = torch.where(row > 0, row.cumsum(0) - 1, -1)
        with warnings.catch_warnings():  # workers share read-only maps, and nothing here writes to them
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            arrays = [torch.from_numpy(a) for a in (patches.grey, patches.distance, patches.drawn)]
        grey, distance, drawn, row = (tensor.to(device) for tensor in (*arrays, row))
        return cls(grey, distance, drawn, row)


@dataclass(frozen=True)
class Sample:
    """A batch of grey values and distances in mm; ``drawn`` is a hand-refined ring, for the cases that have one."""

    grey: Float[Tensor, "b z y x"]
    distance: Float[Tensor, "b z y x"]
    drawn: Float[Tensor, "b z y x"] | None
    has_drawn: Bool[Tensor, " b"]


def pick(boxes: Boxes, case: Int[Tensor, " b"], slices: Int[Tensor, "b slice"]) -> Sample:
    """The cases' whole planes at the slices asked for, each case its own."""
    at = (case[:, None], slices)
    has = boxes.row[case] >= 0
    drawn = None
    if len(boxes.drawn):
        drawn = boxes.drawn[boxes.row[case].clamp(min=0)[:, None], slices].float() * has[:, None, None, None]
    return Sample(boxes.grey[at].float(), boxes.distance[at].float().mul_(STEP_MM), drawn, has)


def centred(boxes: Boxes, case: Int[Tensor, " b"], roi: Roi, kind: Input) -> Float[Tensor, "b 2 channel z y x"]:
    """Both regions as they are: the box without its margin."""
    z, y, x = margin(roi.patch)
    slices = torch.arange(z, z + roi.patch.shape[0], device=case.device).expand(len(case), -1)
    planes = (slice(None), slice(None), slice(y, y + roi.patch.shape[1]), slice(x, x + roi.patch.shape[2]))
    full = pick(boxes, case, slices)
    drawn = None if full.drawn is None else full.drawn[planes]
    sample = Sample(full.grey[planes], full.distance[planes], drawn, full.has_drawn)
    thickness_mm = torch.full((len(case),), roi.external2.thickness_mm, device=case.device)
    return inputs(scaled(sample.grey, roi.patch), masks(sample, roi.external2, thickness_mm), kind)


def masks(sample: Sample, ring: Ring, thickness_mm: Float[Tensor, " b"]) -> Bool[Tensor, "b 2 z y x"]:
    """Tumour and ring by the regions' own rules, from the distance; a hand-refined ring as drawn."""
    tumour = sample.distance < -TOLERANCE_MM
    near = ~tumour & (sample.distance <= thickness_mm[:, None, None, None] + TOLERANCE_MM)
    if ring.hu_range is not None:
        near &= sample.grey.clamp(*ring.hu_range) == sample.grey
    if ring.shape == "filled":
        near |= tumour
    if sample.drawn is not None:
        near = torch.where(sample.has_drawn[:, None, None, None], sample.drawn >= 0.5, near)
    return torch.stack([tumour, near], dim=1)


def scaled(grey: Float[Tensor, "b z y x"], patch: Patch) -> Float[Tensor, "b z y x"]:
    """Grey values in quarters of the window from its centre: the window becomes [-2, 2]; not clipped yet."""
    low, high = patch.window
    return (grey - (low + high) / 2) / ((high - low) / 4)


def inputs(
    grey: Float[Tensor, "b z y x"], regions: Bool[Tensor, "b 2 z y x"], kind: Input
) -> Float[Tensor, "b 2 channel z y x"]:
    """Scaled grey values, clipped to the window, inside each region; 0 (the window's centre) outside.

    The low end of the window outside would read as fat. `slice_mean` has two channels more: a window four times as
    wide, and the region itself.
    """
    inside = regions[:, :, None].view(torch.uint8).to(grey.dtype)  # ten times as fast as from booleans
    soft = grey.clamp(-2, 2)[:, None, None] * inside
    if not isinstance(kind, SliceMean):
        return soft
    wide = (grey / WIDE).clamp(-2, 2)[:, None, None] * inside
    return torch.cat([soft, wide, inside], dim=2)
