import pytest
import torch

from fusion.config.run import Add, Concat, Diff, Network
from fusion.errors import ModelError
from fusion.models import network as module
from fusion.models.network import RegionNetwork, load, notes, save, steady

LARGE = Network(weights="none")
SMALL = Network(backbone="mobilenetv3_small_100", weights="none")


def millions(net: torch.nn.Module) -> float:
    return sum(p.numel() for p in net.parameters()) / 1e6


@pytest.mark.parametrize(
    ("network", "channels", "pooled"),
    [(LARGE, (16, 24, 40, 112, 960), 16 + 24 + 40 + 64 + 64), (SMALL, (16, 16, 24, 48, 576), 16 + 16 + 24 + 48 + 64)],
)
def test_maps_and_deep_features_of_a_96_pixel_box(network, channels, pooled):
    net = RegionNetwork(network, 16, 2).eval()
    maps = net.branches[0](torch.randn(1, 16, 96, 96))
    assert [tuple(m.shape[1:]) for m in maps] == [(c, s, s) for c, s in zip(channels, (48, 24, 12, 6, 3), strict=True)]
    assert net.deep(torch.randn(1, 2, 16, 96, 96)).shape == (1, pooled)


@pytest.mark.parametrize(
    ("network", "regions", "expected"), [(LARGE, 2, 6.03), (SMALL, 2, 1.90), (LARGE, 1, 3.06), (SMALL, 1, 0.98)]
)
def test_parameters_in_millions(network, regions, expected):
    assert round(millions(RegionNetwork(network, 16, regions)), 2) == expected


@pytest.mark.parametrize("fuse", [Add(), Concat(), Diff()])
def test_gradients_reach_both_branches(fuse):
    net = RegionNetwork(SMALL.model_copy(update={"fuse": fuse}), 4, 2)
    net(torch.randn(3, 2, 4, 32, 32)).sum().backward()
    for branch in net.branches:
        assert branch.conv_stem.weight.grad.abs().sum() > 0


def test_branches_have_weights_of_their_own():
    net = RegionNetwork(SMALL, 4, 2)
    assert not torch.equal(net.branches[0].conv_stem.weight, net.branches[1].conv_stem.weight)


@pytest.mark.parametrize("regions", [1, 2])
def test_logits_are_a_linear_function_of_the_deep_features(regions):
    net = RegionNetwork(SMALL, 4, regions).eval()
    x = torch.randn(3, regions, 4, 32, 32)
    assert torch.equal(net(x), net.classify(net.deep(x)))


def test_weights_come_back_from_disk(tmp_path):
    net = RegionNetwork(SMALL, 4, 2).eval()
    save(net.state_dict(), {"epochs": 2}, tmp_path / "net.safetensors")
    back = load(tmp_path / "net.safetensors", SMALL, 4, 2)
    x = torch.randn(2, 2, 4, 32, 32)
    assert torch.equal(back(x), net(x))
    assert notes(tmp_path / "net.safetensors") == {"epochs": 2}


def test_equal_weights_are_equal_bytes(tmp_path):
    state, noted = RegionNetwork(SMALL, 4, 1).state_dict(), {"epochs": 2, "cases": [1, 2], "torch": "x"}
    for name in "ab":
        save(state, noted, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_of_another_network_are_refused(tmp_path):
    save(RegionNetwork(SMALL, 4, 1).state_dict(), {}, tmp_path / "net.safetensors")
    with pytest.raises(ModelError, match="do not fit"):
        load(tmp_path / "net.safetensors", SMALL, 4, 2)


def test_a_missing_network_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"net\.safetensors: found no trained network"):
        load(tmp_path / "net.safetensors", SMALL, 4, 2)


def test_steady_leaves_torch_as_it_was(monkeypatch):
    monkeypatch.setattr(module.torch.cuda, "is_available", lambda: False)
    torch.set_num_threads(2)
    with steady():
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()
