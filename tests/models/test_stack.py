import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

from fusion.config.network import Add, Concat, Diff, Gated, Network, PaperLiteral, SliceMean
from fusion.models import chance, recipe
from fusion.models.backbone import RANDOM
from fusion.models.network import RegionNetwork
from fusion.models.pyramid import Pyramid
from fusion.models.recipe import Statistics
from fusion.models.stack import Stack, StackError, check, stacked
from fusion.models.together import learn

from .conftest import SMALL

BACKBONES = ("mobilenetv3_small_100", "mobilenetv3_large_100", "resnet18")
REGIONS = [(0,), (1,), (0, 1), (0, 1)]
VIEWS = [0, 1, 0, 1]
BOX = (4, 32, 32)
CASES = 3
TIGHT = 1e-9
STEPS = 1e-6
"""AdamW divides by the size of gradients, some of which are zero but for rounding."""
SOME = (*BACKBONES[:2], pytest.param("resnet18", marks=pytest.mark.slow))
ALL_ON = Network(weights="none", warmup_epochs=0, dropout=0.2, drop_path=0.2, clip=0.5)


def networks(network: Network, regions=REGIONS) -> list[RegionNetwork]:
    torch.manual_seed(0)
    return [RegionNetwork(network, BOX[0], len(own)).double() for own in regions]


def stack(nets, regions=REGIONS, views=VIEWS, pointwise="grouped") -> Stack:
    return Stack(nets, regions, views, pointwise)


def batch(channels: int = 1, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn((2, CASES, 2, channels, *BOX), generator=rng, dtype=torch.float64)


def keys(step: int = 0) -> torch.Tensor:
    return chance.key(torch.arange(len(REGIONS))[:, None], torch.arange(CASES), step)


def alone(net, regions, view, seen):
    return net(seen[view][:, list(regions)])


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest, relative to the largest value there."""
    found, expected = found.detach(), expected.detach()
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1e-12))


def worst(found: dict, expected: dict) -> float:
    """Largest difference of a tensor; gradients that are zero but for rounding count by the largest of all."""
    assert found.keys() == expected.keys()
    size = {key: float(own.detach().abs().max()) for key, own in expected.items()}
    floor = 1e-6 * max(size.values())
    return max(float((found[key] - own).detach().abs().max()) / max(size[key], floor) for key, own in expected.items())


@pytest.mark.parametrize("backbone", BACKBONES)
def test_logits_gradients_and_statistics_are_those_of_each_network_alone(backbone):
    nets = networks(ALL_ON.model_copy(update={"backbone": backbone}))
    together, seen = stack(nets), batch()
    together.tell(keys())
    logits = together(seen)
    logits.square().sum().backward()
    gradients = together.split({key: own.grad for key, own in together.named_parameters()})
    for n, net in enumerate(nets):
        net.tell(keys()[n])
        own = alone(net, REGIONS[n], VIEWS[n], seen)
        own.square().sum().backward()
        assert difference(logits[:, n], own) <= TIGHT
        assert worst(gradients[n], {key: p.grad for key, p in net.named_parameters()}) <= TIGHT
        assert worst(together.split(together.state_dict())[n], net.state_dict()) <= TIGHT


@pytest.mark.parametrize("backbone", SOME)
def test_weights_statistics_and_averages_stay_together_over_several_steps(backbone):
    network = ALL_ON.model_copy(update={"backbone": backbone})
    nets = networks(network)
    together = stack(nets)
    adam = recipe.optimizer(together.pyramid, together.heads, network)
    adams = [recipe.optimizer(net.branches, net.head, network) for net in nets]
    averaged = {key: value.clone() for key, value in together.state_dict().items()}
    averages = [{key: value.clone() for key, value in net.state_dict().items()} for net in nets]
    weight, rng = torch.tensor([1.0, 2.0, 3.0, 1.5], dtype=torch.float64), torch.Generator().manual_seed(1)
    for step in range(2):
        seen, targets = batch(seed=step), torch.rand((CASES, 4), generator=rng, dtype=torch.float64)
        together.tell(keys(step))
        losses = learn(together, adam, seen, targets, weight, network)
        recipe.average(averaged, together.state_dict(), 0.9)
        for n, net in enumerate(nets):
            net.tell(keys(step)[n])
            before = Statistics.of(net, 1)
            logits = alone(net, REGIONS[n], VIEWS[n], seen)
            loss = recipe.losses(logits[:, None], targets[:, [n]], weight[[n]])[0]
            adams[n].zero_grad()
            loss.backward()
            recipe.clip([(net, torch.zeros(1, dtype=torch.long))], 1, network.clip)
            adams[n].step()
            recipe.keep_silent(before)
            recipe.average(averages[n], net.state_dict(), 0.9)
            assert difference(losses[n], loss.detach()) <= TIGHT
    for n, net in enumerate(nets):
        assert worst(together.split(together.state_dict())[n], net.state_dict()) <= STEPS
        assert worst(together.split(averaged)[n], averages[n]) <= STEPS


@pytest.mark.parametrize("fuse", [Add(), Concat(), Diff(), Gated(hidden=8), PaperLiteral()], ids=lambda own: own.kind)
@pytest.mark.parametrize("pointwise", ["grouped", "matmul"])
def test_every_fusion_stacks_in_both_ways(fuse, pointwise):
    nets = networks(SMALL.model_copy(update={"fuse": fuse}))
    together, seen = stack(nets, pointwise=pointwise).eval(), batch()
    for n, net in enumerate(nets):
        assert difference(together(seen)[:, n], alone(net.eval(), REGIONS[n], VIEWS[n], seen)) <= TIGHT


@pytest.mark.parametrize("pool", ["mean", "attention"])
def test_slices_without_a_region_are_left_out_of_each_networks_own_mean(pool):
    nets = networks(SMALL.model_copy(update={"input": SliceMean(pool=pool), "drop_path": 0.3}))
    together, seen = stack(nets), batch(3)
    seen[:, :, 0, -1, :2] = 0  # no tumour there
    seen[1, :, 1, -1, 2:] = 0
    together.tell(keys())
    logits = together(seen)
    for n, net in enumerate(nets):
        net.tell(keys()[n])
        assert difference(logits[:, n], alone(net, REGIONS[n], VIEWS[n], seen)) <= TIGHT


def test_another_weight_changes_its_own_network_alone():
    together, seen = stack(networks(SMALL)).eval(), batch()
    before = together(seen)
    stem = next(together.pyramid.parameters())
    branch = together.places.index((2, 1))
    with torch.no_grad():
        stem.unflatten(0, (together.branches, -1))[branch].mul_(1.5)
    changed = (together(seen) - before).abs().amax(0) > 0
    assert changed.tolist() == [False, False, True, False]


def test_every_weight_has_the_networks_along_its_first_axis():
    nets = networks(SMALL)
    for n, state in enumerate(stack(nets).split(stack(nets).state_dict())):
        assert all(torch.equal(state[key], value) for key, value in nets[n].state_dict().items())


@pytest.mark.parametrize("backbone", SOME)
def test_vmap_over_the_networks_weights_says_the_same(backbone, monkeypatch):
    network = ALL_ON.model_copy(update={"backbone": backbone, "dropout": 0.0, "drop_path": 0.0})
    regions, seen = [(0, 1)] * 3, batch()
    nets = networks(network, regions)
    together = stack(nets, regions, [0, 1, 0])
    logits = together(seen)
    logits.square().sum().backward()
    weights, buffers = stack_module_state(nets)
    skeleton = copy.deepcopy(nets[0]).to("meta")

    def loss(weight, buffer, own):
        answered = functional_call(skeleton, (weight, buffer), (own,))
        return answered.square().sum(), answered

    monkeypatch.setattr(Pyramid, "channels_last", False)  # not known to vmap
    gradients, answers = vmap(grad(loss, has_aux=True))(weights, buffers, seen[[0, 1, 0]])
    ours = together.split({key: own.grad for key, own in together.named_parameters()})
    assert difference(logits.T, answers) <= TIGHT
    assert worst({key: torch.stack([own[key] for own in ours]) for key in gradients}, gradients) <= TIGHT
    states = together.split(together.state_dict())
    assert worst({key: torch.stack([own[key] for own in states]) for key in buffers}, buffers) <= TIGHT


def test_layers_in_three_dimensions_stack_too():
    torch.manual_seed(0)
    parts = [nn.Sequential(nn.Conv3d(2, 4, 3, bias=False), nn.BatchNorm3d(4), nn.Conv3d(4, 3, 1)) for _ in range(3)]
    seen = [torch.randn(2, 2, 4, 4, 4) for _ in parts]
    for pointwise in ("grouped", "matmul"):
        found = stacked(parts, pointwise)(torch.cat(seen, 1))
        expected = torch.cat([copy.deepcopy(own)(x) for own, x in zip(parts, seen, strict=True)], 1)
        torch.testing.assert_close(found, expected)


def test_a_layer_that_occurs_twice_is_widened_once():
    shared = [nn.Conv2d(2, 2, 1) for _ in range(2)]
    both = stacked([nn.ModuleList([nn.Sequential(own), nn.Sequential(own)]) for own in shared])
    assert both[0][0] is both[1][0]
    assert both[0][0].groups == 2


@pytest.mark.parametrize("layer", [nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.ConvTranspose2d(2, 2, 1)])
def test_a_layer_it_does_not_know_is_refused_by_name(layer):
    pair = [nn.Sequential(nn.Identity(), copy.deepcopy(layer)) for _ in range(2)]
    with pytest.raises(StackError, match=rf"a {type(layer).__name__} layer with weights of its own at 1.*separate"):
        stacked(pair)


def test_a_pyramid_whose_networks_would_meet_is_refused():
    dense = SMALL.model_copy(update={"backbone": "densenet121", "drop_path": 0.0})
    pair = [Pyramid(dense, 4, RANDOM) for _ in range(2)]
    with pytest.raises(StackError, match=r"beside another|do not take two"):
        check(*pair, BOX)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_pyramids_of_the_papers_pass_the_check(backbone):
    own = SMALL.model_copy(update={"backbone": backbone})
    check(Pyramid(own, 4, RANDOM), Pyramid(own, 4, RANDOM), BOX)
