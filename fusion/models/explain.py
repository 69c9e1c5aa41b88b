"""Where a network looks, and which region decides: Grad-CAM a branch and scale, and ablation of a region."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from fusion.config.network import Network, SliceMean
from fusion.config.roi import Roi
from fusion.models.embed import BATCH
from fusion.models.export import Trained
from fusion.models.inputs import Boxes, centred
from fusion.models.machine import device, steady
from fusion.models.network import RegionNetwork, present, there
from fusion.roi.patch import Patches

Maps = Sequence[Sequence[Tensor]]
"""Feature maps by branch, then scale."""
ROUNDING = 1e-6
"""A sum this much smaller than its terms is rounding, not a finding."""


@dataclass(frozen=True)
class HeatMaps:
    """One case's maps, the mean over the networks that never saw it, on the networks' box."""

    maps: Float[ndarray, "region scale z y x"]
    """Not negative; the regions as the source has them, the finest scale first."""
    networks: int

    @property
    def all_scales(self) -> Float[ndarray, "region z y x"]:
        """The mean over the scales, each divided by its maximum; a scale that shows nothing adds nothing."""
        largest = self.maps.max(axis=(2, 3, 4), keepdims=True)
        return (self.maps / np.where(largest > 0, largest, 1)).mean(axis=1)


def grad_cam(
    net: RegionNetwork, regions: Float[Tensor, "b region channel z y x"], output: int | None = None
) -> list[list[Float[Tensor, "b z y x"]]]:
    """Grad-CAM of the log-odds by region, then scale, on the patch grid (Selvaraju 2017, doi:10.1109/ICCV.2017.74).

    Of a network of several classes the logit of class ``output`` stands in the log-odds' place. Networks of pictures
    have a branch a sequence; the map of a picture that a case lacks (all 0) is zero.

    A scale's map is the sum of its feature maps, each weighed with the mean over the map of the gradient of the
    log-odds, through all that follows, and without what is negative. A `slices` map holds for every slice;
    `slice_mean` has one a slice, weighed slice by slice; `volume` has one in three dimensions. A map is zero where
    nothing speaks for the positive class; what is left of terms that cancel is set to zero, so that no one scales it
    up.
    """
    return cam(net, traced_maps(net, regions), regions, output)


def traced_maps(net: RegionNetwork, regions: Float[Tensor, "b region channel z y x"]) -> Maps:
    """The branches' maps, from which gradients can be asked."""
    with torch.enable_grad():
        seen = regions.detach().clone().requires_grad_()
        return [branch(region) for branch, region in zip(net.branches, seen.unbind(1), strict=True)]


def cam(
    net: RegionNetwork, maps: Maps, regions: Float[Tensor, "b region channel z y x"], output: int | None = None
) -> list[list[Float[Tensor, "b z y x"]]]:
    """``grad_cam`` from the traced maps of ``regions``."""
    flat = [own for branch in maps for own in branch]
    with torch.enable_grad():
        said = _said(net, maps, regions)
        slopes = torch.autograd.grad((said if output is None else said[:, output]).sum(), flat)
    heat = [_on_patch(_weighed(own.detach(), slope), regions) for own, slope in zip(flat, slopes, strict=True)]
    each = len(maps[0])
    return [heat[start : start + each] for start in range(0, len(heat), each)]


def _said(net: RegionNetwork, maps: Maps, seen: Float[Tensor, "b region channel z y x"]) -> Float[Tensor, "b *class"]:
    """What the network says of these maps of what it has ``seen``, as its own ``forward`` does."""
    if not net.pictures:
        return net.classify(net.head.deep(maps, present(seen[:, None]))[:, 0])
    return net.classify(net.head.deep(maps, None, there(seen)[:, None] if len(maps) > 1 else None)[:, 0])


def _weighed(maps: Float[Tensor, "row feature ..."], slopes: Float[Tensor, "row feature ..."]) -> Tensor:
    weights = slopes.flatten(2).mean(-1).view(*slopes.shape[:2], *[1] * (slopes.ndim - 2))
    terms = weights * maps
    heat = terms.sum(1).relu()
    return torch.where(heat > ROUNDING * terms.abs().sum(1), heat, torch.zeros_like(heat))


def _on_patch(heat: Tensor, regions: Float[Tensor, "b region channel z y x"]) -> Float[Tensor, "b z y x"]:
    """(row, y, x) or (row, z, y, x), linearly to the patch's voxels."""
    z, y, x = regions.shape[3:]
    if heat.ndim == 4:
        return F.interpolate(heat[:, None], (z, y, x), mode="trilinear", align_corners=False)[:, 0]
    fine = F.interpolate(heat[:, None], (y, x), mode="bilinear", align_corners=False)[:, 0]
    return fine.unflatten(0, (len(regions), -1)).expand(-1, z, -1, -1)


def heat_maps(
    nets: Sequence[Trained], patches: Patches, cases: Int[ndarray, " case"], network: Network, roi: Roi, *,
    inside: bool = True,
) -> dict[int, HeatMaps]:  # fmt: skip
    """The maps of ``cases`` from one source's networks, each case's from those that never saw it.

    Args:
        nets: one source's.
        patches: the cohort's boxes.
        cases: indices into the patches.
        network: as trained.
        roi: as trained.
        inside: zero outside the branch's own region.
    """
    boxes, sums, counts = Boxes.of(patches, device()), dict[int, ndarray](), dict[int, int]()
    for own in nets:
        net = own.network(network, roi).to(device())
        for case in own.never_saw(cases).tolist():
            with steady():
                batch = torch.tensor([case], device=device())
                maps = grad_cam(net, centred(boxes, batch, roi, network.input)[:, list(own.job.regions)])
            values = np.stack([[heat[0].cpu().numpy() for heat in scales] for scales in maps])
            sums[case] = sums.get(case, 0.0) + values
            counts[case] = counts.get(case, 0) + 1
    shown = {
        case: inside_regions(boxes, case, roi)[list(nets[0].job.regions)][:, None] if inside else True for case in sums
    }
    return {case: HeatMaps(sums[case] / counts[case] * shown[case], counts[case]) for case in cases.tolist()}


def inside_regions(boxes: Boxes, case: int, roi: Roi) -> Bool[ndarray, "2 z y x"]:
    """Both regions on the networks' box: what `slice_mean` has as its last channel."""
    return centred(boxes, torch.tensor([case], device=boxes.grey.device), roi, SliceMean())[0, :, -1].cpu().numpy() > 0


@torch.no_grad()
def ablated(
    net: RegionNetwork, regions: Float[Tensor, "b region channel z y x"]
) -> tuple[Float[Tensor, " b"], list[Float[Tensor, " b"]]]:
    """Log-odds with every region, and with each region alone: the other branches' maps are zero."""
    maps = [branch(region) for branch, region in zip(net.branches, regions.unbind(1), strict=True)]
    return alone(net, maps, regions)


@torch.no_grad()
def alone(
    net: RegionNetwork, maps: Maps, regions: Float[Tensor, "b region channel z y x"]
) -> tuple[Float[Tensor, " b"], list[Float[Tensor, " b"]]]:
    """``ablated`` from the maps of ``regions``."""
    kept_one = [
        [own if number == kept else [torch.zeros_like(one) for one in own] for number, own in enumerate(maps)]
        for kept in range(len(maps))
    ]
    log_odds, *each = [_said(net, some, regions) for some in (maps, *kept_one)]
    return log_odds, each


def ablation(nets: Sequence[Trained], patches: Patches, network: Network, roi: Roi) -> Float[ndarray, "case 3"]:
    """Every case's log-odds with both regions, with the tumour alone and with the ring alone.

    Each is the mean over the networks that never saw the case; ``nets`` are all of a source with two regions.
    """
    boxes, every = Boxes.of(patches, device()), np.arange(len(patches.cases))
    total, count = np.zeros((len(every), 3)), np.zeros(len(every))
    for own in nets:
        net, cases = own.network(network, roi).to(device()), own.never_saw(every)
        with steady():
            for start in range(0, len(cases), BATCH):
                part = cases[start : start + BATCH]
                full = torch.from_numpy(np.resize(part, BATCH)).to(device())
                both, alone = ablated(net, centred(boxes, full, roi, network.input)[:, list(own.job.regions)])
                total[part] += torch.stack([both, *alone], 1)[: len(part)].cpu().numpy()
        count[cases] += 1
    return total / count[:, None]
