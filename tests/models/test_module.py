import numpy as np
import pytest
import torch

from fusion.models.module import Module
from fusion.models.network import RegionNetwork

from .conftest import EVENTS, ROI, SMALL


def module(boxes, network=SMALL, cases=(0, 1, 2, 4, 6)) -> Module:
    events = torch.tensor(EVENTS, dtype=torch.float32)
    net = RegionNetwork(network, 4, 2)
    return Module(net, (0, 1), boxes, events, np.array(cases), len(cases), network, ROI, 0, 1, "own")


def test_the_first_bias_is_the_prevalence_of_the_training_cases(boxes):
    assert torch.sigmoid(module(boxes).net.head.classifier.bias).item() == pytest.approx(1 / 5)


def test_with_balance_the_first_bias_is_even_and_the_last_one_true(boxes):
    own = module(boxes, SMALL.model_copy(update={"balanced": True}))
    own.on_fit_start()
    assert own.averaged["head.classifier.bias"].item() == 0
    own.on_fit_end()
    assert torch.sigmoid(own.averaged["head.classifier.bias"]).item() == pytest.approx(1 / 5)


def test_pyramid_and_head_learn_at_their_own_rates(boxes):
    groups = module(boxes).configure_optimizers()["optimizer"].param_groups
    assert [group["initial_lr"] for group in groups] == [3e-4, 3e-5]
    net = RegionNetwork(SMALL, 4, 2)
    assert sum(p.numel() for g in groups for p in g["params"]) == sum(p.numel() for p in net.parameters())


def test_every_branch_stands_still_in_the_warm_up(boxes):
    own = module(boxes)
    own.on_train_epoch_start()
    assert not any(p.requires_grad for p in own.net.branches.parameters())
    assert not any(m.training for m in own.net.branches.modules())
    assert all(m.training for m in own.net.head.modules())


def test_the_loss_depends_on_the_step_through_augmentation(boxes):
    own = module(boxes)
    own.log = lambda *_, **__: None
    case = torch.tensor([0, 1, 2])
    first, again, later = (own.training_step(case, step).item() for step in (0, 0, 1))
    assert first == again != later
