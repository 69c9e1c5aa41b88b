"""Vectors of the untrained ImageNet pyramid: no outcome has a part in them, so every fold shares them."""

from functools import partial

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from numpy import ndarray

from fusion.config.network import Network, SliceMean
from fusion.config.roi import Roi
from fusion.errors import Fault, ModelError
from fusion.models.backbone import Start, start_weights
from fusion.models.checkpoints import SOURCES
from fusion.models.embed import BATCH, deep_table, same_cases
from fusion.models.inputs import Boxes, centred
from fusion.models.machine import device, steady
from fusion.models.network import present
from fusion.models.pyramid import Pyramid, SlicePool
from fusion.progress import each
from fusion.roi.patch import Patches

REGIONS = (0, 1)


def frozen_features(
    patches: Patches, cases: pd.DataFrame, network: Network, roi: Roi, jobs: int = 1
) -> dict[str, pd.DataFrame]:
    """Each source's vectors, columns d000..., fold and set, index case.

    A region's vector holds the maxima over the plane of every scale of the pyramid, finest first (with `slice_mean`
    their mean over the slices that hold some of the region); that of both regions is tumour, then ring.

    Args:
        patches: the cohort's boxes.
        cases: columns case, set, fold.
        network: backbone, start weights and input; nothing is trained.
        roi: ring and box.
        jobs: processes; does not change a number.

    Raises:
        ModelError: start weights that are `none` or do not fit, other patches, or vectors that are not numbers.
    """
    same_cases(patches, cases)
    if network.weights == "none":
        raise ModelError(needs_weights())
    ask = partial(_vectors, patches=patches, network=network, roi=roi, start=start_weights(network))
    found = dict(each(ask, REGIONS, "frozen features", 1 if device().type == "cuda" else jobs))
    tables = {}
    for source, regions in SOURCES.items():
        table = deep_table(np.concatenate([found[region] for region in regions], axis=1), cases["case"])
        tables[source] = table.assign(fold=cases["fold"].to_numpy(), set=cases["set"].to_numpy())
    return tables


def needs_weights() -> Fault:
    """What is wrong with untrained vectors of a random start."""
    found = "heads.stacking=frozen_backbone with network.weights=none"
    return Fault(found, "ImageNet weights", "set network.weights to hub or a file, or choose another heads.stacking")


@torch.no_grad()
def _vectors(
    region: int, patches: Patches, network: Network, roi: Roi, start: Start
) -> Float[ndarray, "case feature"]:  # fmt: skip
    with steady(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # of layers that a file of partial weights lacks
        pyramid = Pyramid(network, roi.patch.shape[0], start).eval().to(device())
    boxes, found = Boxes.of(patches, device()), []
    with steady():
        for first in range(0, len(patches.cases), BATCH):
            part = np.arange(first, min(first + BATCH, len(patches.cases)))
            full = torch.from_numpy(np.resize(part, BATCH)).to(device())
            seen = centred(boxes, full, roi, network.input)[:, [region]]
            found.append(_pooled(pyramid, seen)[: len(part)].cpu().numpy())
    vectors = np.concatenate(found)
    if not np.isfinite(vectors).all():
        remedy = "use ImageNet weights of this backbone"
        raise ModelError(Fault("vectors that are not numbers", "finite maxima of every scale", remedy))
    return vectors


def _pooled(
    pyramid: Pyramid, regions: Float[torch.Tensor, "b 1 channel z y x"]
) -> Float[torch.Tensor, "b feature"]:  # fmt: skip
    maps = pyramid(regions[:, 0])
    rows = torch.cat([scale.flatten(2).amax(2) for scale in maps], dim=1)
    kind = SliceMean() if isinstance(pyramid.kind, SliceMean) else pyramid.kind  # attention would need training
    return SlicePool(kind, rows.shape[1])(rows[:, None], present(regions[:, None]))[:, 0]
