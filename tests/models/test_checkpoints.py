import pytest
import torch

from fusion.config.network import Network
from fusion.errors import ModelError
from fusion.models.checkpoints import load, notes, read, save, trained, untrained
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


def test_bytes_hold_the_same_weights_as_their_file_and_others_are_refused(tmp_path):
    path, state = tmp_path / "net.safetensors", RegionNetwork(SMALL, 4, 1).state_dict()
    save(state, {}, path)
    found = trained(untrained(SMALL, 4, 1), read(path.read_bytes(), "net"), SMALL, "net")
    assert not found.training
    assert all(torch.equal(own, state[name]) for name, own in found.state_dict().items())
    with pytest.raises(ModelError, match="net: found no weights"):
        read(path.read_bytes()[:-1], "net")
