import pytest
import torch
from pydantic import ValidationError

from fusion.config.network import Network
from fusion.models.fuse import Scale

KINDS = ["add", "concat", "diff", "gated"]


def scale(channels: int, regions: int, kind: str, **fields) -> Scale:
    return Scale(channels, regions, Network(fuse={"kind": kind}, **fields))


@pytest.mark.parametrize("kind", KINDS)
def test_every_fusion_gives_the_same_width(kind):
    assert scale(112, 2, kind)([torch.randn(3, 112, 6, 6), torch.randn(3, 112, 6, 6)]).shape == (3, 1, 64)


@pytest.mark.parametrize("kind", [*KINDS, "paper_literal"])
def test_one_region_has_nothing_to_fuse(kind):
    own = scale(16, 1, kind)
    assert own([torch.randn(3, 16, 6, 6)]).shape == (3, 1, 16)
    assert own.gate is None


def test_the_papers_convolution_is_full_and_keeps_all_channels():
    own = scale(112, 2, "paper_literal")
    assert own.convolve[0].weight.shape == (112, 112, 3, 3)
    assert own([torch.randn(3, 112, 6, 6), torch.randn(3, 112, 6, 6)]).shape == (3, 1, 112)


@pytest.mark.parametrize("kind", ["add", "paper_literal"])
def test_the_sum_does_not_know_which_region_is_which(kind):
    own, (one, other) = scale(8, 2, kind), torch.randn(2, 3, 8, 4, 4)
    assert torch.equal(own([one, other]), own([other, one]))


@pytest.mark.parametrize("kind", ["concat", "diff", "gated"])
def test_the_other_fusions_do(kind):
    own, (one, other) = scale(8, 2, kind), torch.randn(2, 3, 8, 4, 4)
    assert not torch.allclose(own([one, other]), own([other, one]))


def test_the_difference_changes_its_sign_with_the_order():
    own, (one, other) = scale(8, 2, "diff"), torch.randn(2, 3, 8, 4, 4)
    assert torch.equal(own.combine([one, other]), -own.combine([other, one]))


def test_the_gate_weighs_between_the_two_regions_at_every_place():
    own, (one, other) = scale(8, 2, "gated"), torch.randn(2, 3, 8, 4, 4)
    gate = own.gate(torch.cat([one, other], 1))
    mixed = own.combine([one, other])
    assert 0 < gate.min() < gate.max() < 1
    assert (torch.minimum(one, other) - 1e-6 <= mixed).all()
    assert (mixed <= torch.maximum(one, other) + 1e-6).all()


def test_gated_equal_maps_are_themselves():
    own, one = scale(8, 2, "gated"), torch.randn(3, 8, 4, 4)
    assert torch.allclose(own.combine([one, one]), one, atol=1e-6)


def test_the_gates_width_is_the_configs():
    assert Scale(8, 2, Network(fuse={"kind": "gated", "hidden": 5})).gate[0].out_channels == 5


@pytest.mark.parametrize("kind", ["add", "concat", "diff", "paper_literal"])
def test_a_gates_width_elsewhere_is_refused(kind):
    with pytest.raises(ValidationError, match="hidden"):
        Network(fuse={"kind": kind, "hidden": 5})


def test_each_output_is_a_maximum_over_the_plane():
    own, maps = scale(4, 1, "add").eval(), torch.randn(2, 4, 9, 9)
    assert torch.equal(own([maps])[:, 0], own.convolve(maps).amax((2, 3)))


@pytest.mark.parametrize("kind", [*KINDS, "paper_literal"])
def test_volumes_are_fused_as_planes_are_away_from_their_ends(kind):
    torch.manual_seed(0)
    flat = scale(8, 2, kind).eval()
    torch.manual_seed(0)
    deep = scale(8, 2, kind, input={"kind": "volume"}).eval()
    maps = [own[:, :, None].expand(-1, -1, 5, -1, -1) for own in torch.randn(2, 3, 8, 4, 4)]
    seen = deep.convolve(deep.combine(maps))[:, :, 2]
    assert torch.allclose(seen, flat.convolve(flat.combine([own[:, :, 0] for own in maps])), atol=1e-5)
    assert deep(maps).shape == flat([own[:, :, 0] for own in maps]).shape
