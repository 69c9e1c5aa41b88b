import numpy as np
import pytest
import torch
from torch import nn

from fusion.config.network import Network
from fusion.models import recipe
from fusion.models.recipe import Order, Statistics, average, keep_silent

from .conftest import EVENTS, ROI, SMALL

events = torch.tensor(EVENTS, dtype=torch.float32)


def keys(*shape: int) -> torch.Tensor:
    return torch.arange(int(np.prod(shape))).view(shape)


@pytest.mark.parametrize(("cases", "batch"), [(12, 4), (13, 4), (5, 2), (3, 32)])
def test_an_epoch_sees_every_case_in_batches_of_one_size(cases, batch):
    table = Order(np.arange(cases), cases, batch, 0, 0).table()
    assert set(table.flatten()) == set(range(cases))
    assert 1 < table.shape[1] <= batch
    assert table.size - cases < len(table)


def test_a_smaller_training_part_takes_as_many_steps_as_the_largest():
    small, large = (Order(np.arange(cases), 13, 4, 0, 0).table() for cases in (11, 13))
    assert small.shape == large.shape
    assert set(small.flatten()) == set(range(11))


def test_the_order_changes_with_the_epoch_and_not_otherwise():
    orders = [Order(np.arange(32), 32, 8, 0, epoch).table().tolist() for epoch in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_a_case_gets_the_same_augmentation_in_any_company(boxes):
    case, own = torch.tensor([[0, 1, 2, 5]]), keys(1, 4)
    whole, _ = recipe.batch(boxes, events, case, own, SMALL, ROI)
    part, _ = recipe.batch(boxes, events, case[:, [2, 0]], own[:, [2, 0]], SMALL, ROI)
    assert torch.equal(part, whole[:, [2, 0]])


def test_mixup_takes_the_same_partner_and_share_for_regions_and_outcome(boxes):
    mixed = SMALL.model_copy(update={"mixup": 0.4, "augment": False})
    case = torch.tensor([[1, 0, 3]])
    plain, said = recipe.batch(boxes, events, case, keys(1, 3), mixed.model_copy(update={"mixup": 0.0}), ROI)
    regions, targets = recipe.batch(boxes, events, case, keys(1, 3), mixed, ROI)
    share = (targets[0, 1] - said[0, 0]) / (said[0, 1] - said[0, 0])
    torch.testing.assert_close(regions[0, 1], share * plain[0, 1] + (1 - share) * plain[0, 0])


def test_smoothed_outcomes_stay_in_the_middle_together(boxes):
    own = SMALL.model_copy(update={"label_smoothing": 0.2, "augment": False})
    _, targets = recipe.batch(boxes, events, torch.tensor([[0, 1]]), keys(1, 2), own, ROI)
    assert targets.tolist() == [[pytest.approx(0.1), pytest.approx(0.9)]]


def test_balanced_losses_weigh_both_classes_the_same():
    share = 0.25
    weight = recipe.positive_weight(share, Network(balanced=True))
    assert share * weight == pytest.approx(1 - share)


def test_the_bias_is_shifted_back_to_the_true_share():
    own = Network(balanced=True)
    assert torch.sigmoid(recipe.shifted_back(torch.zeros(1), 0.2, own)).item() == pytest.approx(0.2)
    assert recipe.shifted_back(torch.ones(1), 0.2, Network()).item() == 1


def test_each_networks_gradient_is_clipped_by_its_own_norm_over_all_parts():
    first, second = nn.Linear(3, 2, bias=False), nn.Linear(1, 3, bias=False)
    first.weight.grad = torch.tensor([[3.0, 0.0, 0.0], [0.1, 0.0, 0.0]])
    second.weight.grad = torch.tensor([[0.2], [4.0], [0.0]])  # groups of networks 1, 0 and 1
    parts = [(first, torch.tensor([0, 1])), (second, torch.tensor([1, 0, 1]))]
    recipe.clip(parts, 2, 1.0)
    assert first.weight.grad[0, 0].item() == pytest.approx(3 / 5)
    assert second.weight.grad[1, 0].item() == pytest.approx(4 / 5)
    assert (first.weight.grad[1, 0], second.weight.grad[0, 0]) == (pytest.approx(0.1), pytest.approx(0.2))


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
    norm = nn.BatchNorm2d(3)
    rng = torch.Generator().manual_seed(0)
    for _ in range(200):
        maps = torch.randn((4, 3, 5, 5), generator=rng)
        maps[:, 0] = 0.0
        before = Statistics.of(norm, 1)
        norm(maps)
        keep_silent(before)
    assert norm.running_var[0] == 1.0
    assert norm.eval()(torch.full((1, 3, 1, 1), 5.0))[0, 0].item() == pytest.approx(5.0, rel=1e-4)


def test_a_channel_that_speaks_is_tracked_as_ever():
    ours, plain = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
    maps = 3 + 2 * torch.randn((8, 2, 6, 6), generator=torch.Generator().manual_seed(0))
    before = Statistics.of(ours, 1)
    ours(maps)
    keep_silent(before)
    plain(maps)
    assert torch.equal(ours.running_var, plain.running_var)
    assert torch.equal(ours.running_mean, plain.running_mean)


def test_a_quiet_network_beside_a_loud_one_is_not_silent():
    norm = nn.BatchNorm2d(4)
    maps = torch.randn((8, 4, 6, 6), generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [1.0, 1.0, 1e-3, 1e-3]
    ).view(1, 4, 1, 1)
    before = Statistics.of(norm, 2)
    norm(maps)
    keep_silent(before)
    assert (norm.running_var[2:] < 0.95).all()
