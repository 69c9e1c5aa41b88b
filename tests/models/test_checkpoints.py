import pytest
import torch

from fusion.config.network import Network
from fusion.errors import ModelError
from fusion.models.checkpoints import load, notes, save
from fusion.models.network import RegionNetwork

SMALL = Network(backbone="mobilenetv3_small_100", weights="none")


def test_weights_come_back_from_disk(tmp_path):
    net = RegionNetwork(SMALL, 4, 2).eval()
    save(net.state_dict(), {"epochs": 2}, tmp_path / "net.safetensors")
    back = load(tmp_path / "net.safetensors", SMALL, 4, 2)
    x = torch.randn(2, 2, 1, 4, 32, 32)
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
