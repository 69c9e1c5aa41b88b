"""The cohort on the device that trains, boxes or slices, and what its networks see of it."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fusion.config.network import Network
from fusion.config.roi import Roi
from fusion.models import augment, inputs, planes
from fusion.models.inputs import Boxes
from fusion.models.planes import Planes
from fusion.roi.patch import Patches
from fusion.roi.slice import Slices

Material = Patches | Slices
Held = Boxes | Planes


def hold(material: Material, device: torch.device, branches: Sequence[int] | None = None) -> Held:
    """``material`` on ``device``; of slices only the sequences ``branches``, of boxes always all."""
    return Boxes.of(material, device) if isinstance(material, Patches) else Planes.of(material, device, branches)


def count(material: Material) -> int:
    """Branches that ``material`` can feed: tumour and ring, or its sequences."""
    return 2 if isinstance(material, Patches) else len(material.sequences)


def box(network: Network, roi: Roi) -> tuple[int, int, int]:
    """Voxels that a branch sees, along (z, y, x)."""
    return (1, *roi.slice.shape) if network.input.kind == "picture" else roi.patch.shape


def channels(network: Network) -> int:
    """Channels that a branch sees of a voxel."""
    return {"slice_mean": 3, "picture": 3}.get(network.input.kind, 1)


def plain(held: Held, case: Int[Tensor, " b"], network: Network, roi: Roi) -> Float[Tensor, "b branch channel z y x"]:
    """What the branches see of the cases, as they are."""
    if isinstance(held, Planes):
        return planes.plain(held, case, planes.units(network.backbone))
    return inputs.centred(held, case, roi, network.input)


def augmented(
    held: Held, case: Int[Tensor, " b"], keys: Int[Tensor, " b"], network: Network, roi: Roi
) -> Float[Tensor, "b branch channel z y x"]:
    """What they see in training, as ``network.augment`` says; a case's transform depends on its key alone."""
    if not network.augment:
        return plain(held, case, network, roi)
    if isinstance(held, Planes):
        return planes.turned(held, case, keys, network.augment == "rotation", planes.units(network.backbone))
    return augment.augmented(held, case, roi, network.input, keys)
