import pytest
import torch

from fusion.models.fuse import Scale


@pytest.mark.parametrize("kind", ["add", "concat", "diff"])
def test_every_fusion_gives_the_same_width(kind):
    scale = Scale(112, 2, 64, kind)
    assert scale([torch.randn(3, 112, 6, 6), torch.randn(3, 112, 6, 6)]).shape == (3, 64)


@pytest.mark.parametrize("kind", ["add", "concat", "diff"])
def test_one_region_has_nothing_to_fuse(kind):
    assert Scale(16, 1, 64, kind)([torch.randn(3, 16, 6, 6)]).shape == (3, 16)


def test_the_sum_does_not_know_which_region_is_which():
    scale, (one, other) = Scale(8, 2, 64, "add"), torch.randn(2, 3, 8, 4, 4)
    assert torch.equal(scale([one, other]), scale([other, one]))


@pytest.mark.parametrize("kind", ["concat", "diff"])
def test_the_other_fusions_do(kind):
    scale, (one, other) = Scale(8, 2, 64, kind), torch.randn(2, 3, 8, 4, 4)
    assert not torch.allclose(scale([one, other]), scale([other, one]))


def test_each_output_is_a_maximum_over_the_plane():
    scale = Scale(4, 1, 64, "add").eval()
    maps = torch.randn(2, 4, 9, 9)
    assert torch.equal(scale([maps]), scale.convolve(maps).amax((2, 3)))
