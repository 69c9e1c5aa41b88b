import pytest
import torch

from fusion.config.network import Network, SliceMean, Slices
from fusion.models.backbone import RANDOM
from fusion.models.pyramid import Pyramid, SlicePool, arranged

SMALL = Network(backbone="mobilenetv3_small_100", weights="none")
ATTENTION = SliceMean(pool="attention")
ROWS = torch.randn(3 * 5, 2, 7, generator=torch.Generator().manual_seed(0))
PRESENT = torch.ones(3, 5, 2)


def pyramid(kind: str, slices: int = 4) -> Pyramid:
    return Pyramid(SMALL.model_copy(update={"input": Network(input={"kind": kind}).input}), slices, RANDOM).eval()


@pytest.mark.parametrize(
    ("kind", "channels", "finest"),
    [("slices", 1, (2, 16, 16, 16)), ("slice_mean", 3, (8, 16, 16, 16)), ("volume", 1, (2, 16, 2, 16, 16))],
)
def test_maps_of_every_input(kind, channels, finest):
    own = pyramid(kind)
    maps = own(torch.randn(2, channels, 4, 32, 32))
    assert maps[0].shape == finest
    assert [m.shape[1] for m in maps] == own.channels == [16, 16, 24, 48, 576]


@pytest.mark.parametrize("kind", ["slices", "slice_mean"])
def test_where_the_channels_lie_in_memory_changes_nothing(kind):
    own, region = pyramid(kind), torch.randn(2, 1 if kind == "slices" else 3, 4, 32, 32)
    fast = own(region)
    own.channels_last = False
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(fast, own(region), strict=True))


def test_a_slice_by_itself_keeps_its_three_channels():
    region = torch.randn(2, 3, 4, 8, 8)
    assert torch.equal(arranged(region, SliceMean()).unflatten(0, (2, 4)), region.transpose(1, 2))


def test_without_slices_of_their_own_there_is_nothing_to_pool():
    rows = torch.randn(3, 1, 7)
    assert SlicePool(Slices(), 7)(rows, None) is rows


def test_the_mean_does_not_know_the_order_of_the_slices():
    order, pool = torch.randperm(5), SlicePool(SliceMean(), 7)
    turned = ROWS.unflatten(0, (3, 5))[:, order].flatten(0, 1)
    assert torch.allclose(pool(ROWS, PRESENT), pool(turned, PRESENT), atol=1e-6)


@pytest.mark.parametrize("kind", [SliceMean(), ATTENTION])
def test_empty_slices_do_not_count(kind):
    pool, present = SlicePool(kind, 7), PRESENT.clone()
    present[:, 3:] = 0
    few = pool(ROWS.unflatten(0, (3, 5))[:, :3].flatten(0, 1), PRESENT[:, :3])
    assert torch.allclose(pool(ROWS, present), few, atol=1e-6)


@pytest.mark.parametrize("kind", [SliceMean(), ATTENTION])
def test_a_case_without_any_region_counts_all_its_slices(kind):
    pool, present = SlicePool(kind, 7), PRESENT.clone()
    present[1] = 0
    assert torch.allclose(pool(ROWS, present), pool(ROWS, PRESENT))


def test_equal_slices_are_pooled_to_themselves_because_the_weights_sum_to_one():
    one = torch.randn(3, 1, 2, 7)
    pooled = SlicePool(ATTENTION, 7)(one.expand(-1, 5, -1, -1).flatten(0, 1), PRESENT)
    assert torch.allclose(pooled, one[:, 0], atol=1e-6)


def test_attention_can_prefer_a_slice():
    pool = SlicePool(ATTENTION, 7)
    torch.nn.init.zeros_(pool.hidden.weight)
    torch.nn.init.zeros_(pool.hidden.bias)
    with torch.no_grad():
        pool.hidden.weight[0, 0], pool.score.weight[0] = 1, 0
        pool.score.weight[0, 0] = 50
    rows = ROWS.unflatten(0, (3, 5)).clone()
    rows[..., 0] = 0
    rows[:, 2, :, 0] = 3
    assert torch.allclose(pool(rows.flatten(0, 1), PRESENT), rows[:, 2], atol=1e-4)
