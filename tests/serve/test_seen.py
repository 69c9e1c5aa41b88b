"""What networks see without torch is what they saw with it, to the last bit."""

import numpy as np
import pytest
import torch

from fusion.config.network import SliceMean, Slices, WholeVolume
from fusion.config.roi import Patch, Ring, Roi
from fusion.models.inputs import Boxes, centred
from fusion.roi.patch import CasePatch, Patches, stored_shape
from fusion.serve.seen import seen

PATCH = Patch(shape=(4, 12, 12), spacing_mm=(3.0, 0.7, 0.5), window=(-160.0, 245.0))


def box(drawn: bool) -> CasePatch:
    rng, shape = np.random.default_rng(0), stored_shape(PATCH)
    grey = rng.integers(-400, 500, shape).astype(np.int16)
    ring = rng.integers(0, 2, shape).astype(np.uint8) if drawn else None
    return CasePatch(grey, rng.integers(-20, 20, shape).astype(np.int8), ring, exceeds=False)


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize("kind", [Slices(), SliceMean(), WholeVolume()])
@pytest.mark.parametrize("ring", [Ring(), Ring(thickness_mm=1.3, shape="filled", hu_range=None)])
def test_the_same_bits_as_the_networks_own_input(drawn, kind, ring):
    roi, own = Roi(patch=PATCH, external2=ring), box(drawn)
    boxes = Boxes.of(Patches.stack(["a"], [own]), torch.device("cpu"))
    theirs = centred(boxes, torch.zeros(1, dtype=torch.long), roi, kind).numpy()
    ours = seen(own, roi, kind)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert (ours == theirs).all()
    assert len(np.unique(ours)) > 20
