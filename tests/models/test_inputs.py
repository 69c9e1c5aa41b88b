import itertools

import numpy as np
import pytest
import torch

from fusion.config.network import SliceMean, Slices, WholeVolume
from fusion.config.roi import Ring, Roi
from fusion.models.inputs import Boxes, centred, inputs, masks, pick, scaled
from fusion.roi.patch import margin

from .conftest import ROI, patches

EVERY = torch.arange(4)


def regions(boxes: Boxes, cases: torch.Tensor, own: Roi = ROI) -> torch.Tensor:
    return centred(boxes, cases, own, Slices())[:, :, 0]


def roi(**ring) -> Roi:
    return ROI.model_copy(update={"external2": Ring(**ring)})


def ring(thickness_mm: float, **fields) -> torch.Tensor:
    boxes = Boxes.of(patches(cases=4), torch.device("cpu"))
    sample = pick(boxes, EVERY, torch.arange(8).expand(4, -1))
    return masks(sample, Ring(thickness_mm=thickness_mm, **fields), torch.full((4,), thickness_mm))[:, 1]


def test_both_regions_have_the_networks_shape(boxes):
    for kind, channels in ((Slices(), 1), (WholeVolume(), 1), (SliceMean(), 3)):
        assert centred(boxes, EVERY, ROI, kind).shape == (4, 2, channels, *ROI.patch.shape)


def test_ring_and_tumour_are_disjoint(boxes):
    tumour, external2 = regions(boxes, torch.tensor([0, 1, 2])).unbind(1)
    assert not ((tumour != 0) & (external2 != 0)).any()


def test_a_thicker_ring_contains_a_thinner_one():
    rings = [ring(t) for t in (1.0, 2.0, 3.5)]
    assert all((thin <= thick).all() and thin.sum() < thick.sum() for thin, thick in itertools.pairwise(rings))


def test_a_filled_ring_is_the_shell_and_the_tumour():
    shell, filled, tumour = ring(2.0), ring(2.0, shape="filled"), ring(2.0, shape="filled") & ~ring(2.0)
    assert torch.equal(filled, shell | tumour)
    assert tumour.any()


def test_the_ring_drops_air_and_bone_by_the_unclipped_grey_value():
    assert not ring(2.0, hu_range=(300.0, 400.0)).any()
    assert ring(2.0, hu_range=None).sum() >= ring(2.0).sum()


def test_a_drawn_ring_replaces_the_distance_rule(boxes):
    drawn = regions(boxes, torch.tensor([3]))[0, 1]
    assert (drawn[:, :16] == 0).all()
    assert (drawn[:, 16:] != 0).float().mean() > 0.9


def test_a_case_without_a_drawn_ring_is_not_touched_by_another_ones(boxes):
    alone = Boxes.of(patches(), torch.device("cpu"))
    assert torch.equal(regions(boxes, torch.tensor([3, 4]))[1], regions(alone, torch.tensor([4]))[0])


@pytest.mark.parametrize(("grey", "expected"), [(-160.0, -2.0), (40.0, 0.0), (140.0, 1.0), (240.0, 2.0)])
def test_the_window_becomes_minus_two_to_two(grey, expected):
    assert float(scaled(torch.full((1, 1, 1, 1), grey), ROI.patch)) == expected


def test_outside_a_region_is_zero_and_inside_is_the_scaled_grey_value(boxes):
    z, y, x = margin(ROI.patch)
    own = patches(drawn=(3,))
    inner = (slice(z, -z), slice(y, -y), slice(x, -x))
    expected = np.where(own.distance[0][inner] < 0, (np.clip(own.grey[0][inner], -160, 240) - 40) / 100, 0)
    assert np.allclose(regions(boxes, torch.tensor([0]))[0, 0], expected, atol=1e-6)


def test_read_only_arrays_are_taken_as_they_are():
    own = patches(cases=2)
    own.grey.setflags(write=False)
    assert Boxes.of(own, torch.device("cpu")).grey.shape == own.grey.shape


def test_slices_by_themselves_have_a_soft_window_a_wide_one_and_the_region(boxes):
    soft, wide, inside = centred(boxes, EVERY, ROI, SliceMean()).unbind(2)
    assert torch.equal(soft, regions(boxes, EVERY))
    unclipped = (soft.abs() < 2) & (inside > 0)
    assert torch.allclose(4 * wide[unclipped], soft[unclipped], atol=1e-5)
    assert torch.equal(inside.unique(), torch.tensor([0.0, 1.0]))
    assert not soft[inside == 0].any()
    assert not wide[inside == 0].any()


def test_the_wide_window_still_tells_bone_from_more_bone():
    grey = scaled(torch.tensor([300.0, 700.0]).view(2, 1, 1, 1), ROI.patch)
    soft, wide, _ = inputs(grey, torch.ones(2, 2, 1, 1, 1, dtype=torch.bool), SliceMean())[:, 0].unbind(1)
    assert soft.flatten().tolist() == [2, 2]
    assert wide.flatten().tolist() == pytest.approx([0.65, 1.65])
