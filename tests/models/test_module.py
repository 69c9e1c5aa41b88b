import numpy as np
import pytest
import torch

from fusion.models.module import Order, Recipe, average, keep_silent, statistics
from fusion.models.network import RegionNetwork

from .conftest import EVENTS, ROI, SMALL


def recipe(boxes, network=SMALL, cases=(0, 1, 2, 4, 6)) -> Recipe:
    net = RegionNetwork(network, 4, 2)
    return Recipe(
        net, (0, 1), boxes, torch.tensor(EVENTS, dtype=torch.float32), np.array(cases), network, ROI, 0, "own"
    )


@pytest.mark.parametrize(("cases", "batch"), [(12, 4), (13, 4), (5, 2), (3, 32)])
def test_an_epoch_sees_every_case_once_and_no_batch_of_one(cases, batch):
    batches = list(Order(np.arange(cases), batch, 0, 0))
    assert sorted(torch.cat(batches).tolist()) == list(range(cases))
    assert min(len(b) for b in batches) > 1


def test_the_order_changes_with_the_epoch_and_not_otherwise():
    orders = [torch.cat(list(Order(np.arange(32), 8, 0, epoch))).tolist() for epoch in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_the_first_bias_is_the_prevalence_of_the_training_cases(boxes):
    assert torch.sigmoid(recipe(boxes).net.classifier.bias).item() == pytest.approx(1 / 5)


def test_pyramid_and_head_learn_at_their_own_rates(boxes):
    groups = recipe(boxes).configure_optimizers()["optimizer"].param_groups
    assert [group["initial_lr"] for group in groups] == [3e-4, 3e-5]
    net = RegionNetwork(SMALL, 4, 2)
    assert sum(p.numel() for g in groups for p in g["params"]) == sum(p.numel() for p in net.parameters())


def test_every_branch_stands_still_in_the_warm_up(boxes):
    own = recipe(boxes)
    own.on_train_epoch_start()
    assert not any(p.requires_grad for p in own.net.branches.parameters())
    assert not any(m.training for m in own.net.branches.modules())
    assert all(m.training for m in own.net.scales.modules())


def test_the_average_covers_buffers_and_copies_counters():
    averaged = {"weight": torch.zeros(2), "seen": torch.tensor(0)}
    average(averaged, {"weight": torch.ones(2), "seen": torch.tensor(5)}, 0.75)
    assert averaged["weight"].tolist() == [0.25, 0.25]
    assert averaged["seen"] == 5


def test_an_average_that_keeps_nothing_is_the_last_state():
    averaged, last = {"weight": torch.randn(5)}, {"weight": torch.randn(5)}
    average(averaged, last, 0.0)
    assert torch.equal(averaged["weight"], last["weight"])


def test_a_channel_that_stays_silent_keeps_its_statistics():
    norm = torch.nn.BatchNorm2d(3)
    rng = torch.Generator().manual_seed(0)
    for _ in range(200):
        maps = torch.randn((4, 3, 5, 5), generator=rng)
        maps[:, 0] = 0.0
        mean, variance = statistics(norm)
        norm(maps)
        keep_silent(norm, mean, variance)
    assert norm.running_var[0] == 1.0
    assert norm.eval()(torch.full((1, 3, 1, 1), 5.0))[0, 0].item() == pytest.approx(5.0, rel=1e-4)


def test_a_channel_that_speaks_is_tracked_as_ever():
    ours, plain = torch.nn.BatchNorm2d(2), torch.nn.BatchNorm2d(2)
    maps = 3 + 2 * torch.randn((8, 2, 6, 6), generator=torch.Generator().manual_seed(0))
    before = statistics(ours)
    ours(maps)
    keep_silent(ours, *before)
    plain(maps)
    assert torch.equal(ours.running_var, plain.running_var)
    assert torch.equal(ours.running_mean, plain.running_mean)
