"""Graphs of networks as ONNX: made the quick way, checked, and made the thorough way where that is not enough."""

import copy

import numpy as np
import pytest
import torch

from fusion.config.network import Network
from fusion.errors import ModelError
from fusion.models import onnx, trace
from fusion.models.network import RegionNetwork

PICTURE = Network(backbone="test_resnet", weights="none", input={"kind": "picture"})


def network(own: Network, branches: int, outputs: int = 1, depth: int = 1) -> RegionNetwork:
    torch.manual_seed(0)
    return RegionNetwork(own, depth, branches, outputs=outputs).eval()


def seen(branches: int, cases: int = 3, channels: int = 3, depth: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).normal(size=(cases, branches, channels, depth, 32, 32))).float()


@pytest.fixture
def slowly(monkeypatch):
    """Fails where the thorough way is taken."""

    def never(*_):
        raise AssertionError("the thorough way")

    monkeypatch.setattr(trace, "_thoroughly", never)


def test_one_graph_serves_any_number_of_outputs_and_missing_pictures(slowly, tmp_path):
    graph, pictures = trace.traced(network(PICTURE, 2, outputs=2), seen(2)), seen(2)
    pictures[0, 1], pictures[2, 0] = 0, 0
    for outputs in (1, 3):
        own = network(PICTURE, 2, outputs)
        assert onnx.write(tmp_path / "a.onnx", onnx.filled(graph, own, {}), own, pictures) < 1e-5
        content = (tmp_path / "a.onnx").read_bytes()
        for case in (0, 1):
            (odds, _), (wanted, _) = (trace.answers(content, pictures[[case]]), trace.asked(own, pictures[[case]]))
            np.testing.assert_allclose(odds, wanted.reshape(1, outputs), atol=1e-5)


@pytest.mark.parametrize("backbone", ["test_resnet", pytest.param("tf_mobilenetv3_small_100", marks=pytest.mark.slow)])
def test_volumes_go_the_quick_way(slowly, backbone):
    own = Network(backbone=backbone, weights="none", input={"kind": "volume"})
    trace.traced(network(own, 1, depth=16), seen(1, channels=1, depth=16))


def test_nothing_of_this_machine_is_in_a_graph(slowly):
    content = trace.traced(network(PICTURE, 1), seen(1)).SerializeToString()
    assert b"/fusion/" not in content
    assert b"site-packages" not in content


def test_layers_that_begin_alike_do_not_end_alike(slowly, tmp_path):
    """The quick way tells equal weights as one, and every batch norm begins as every other."""
    graph, own = trace.traced(network(PICTURE, 1), seen(1)), network(PICTURE, 1)
    for number, value in enumerate(own.state_dict().values()):
        if value.is_floating_point():
            value *= 1 + number / 100
    onnx.write(tmp_path / "a.onnx", onnx.filled(graph, own, {}), own, seen(1))


def test_a_quick_graph_that_answers_otherwise_is_not_taken(monkeypatch):
    quickly, kept = trace._quickly, network(PICTURE, 1)

    def wrongly(net, regions):
        other = copy.deepcopy(net)
        with torch.no_grad():
            other.head.classifier.bias += 1
        return quickly(other, regions)

    monkeypatch.setattr(trace, "_quickly", wrongly)
    monkeypatch.setattr(trace, "_thoroughly", quickly)
    assert_told(trace.traced(kept, seen(1)), kept)
    monkeypatch.setattr(trace, "_thoroughly", wrongly)
    with pytest.raises(ModelError, match="cannot tell as ONNX"):
        trace.traced(kept, seen(1))


@pytest.mark.slow
def test_what_the_quick_way_does_not_know_goes_the_thorough_way(monkeypatch):
    def refuses(*_):
        raise torch.onnx.OnnxExporterError("no such operator")

    monkeypatch.setattr(trace, "_quickly", refuses)
    own = network(PICTURE, 1)
    assert_told(trace.traced(own, seen(1)), own)


def assert_told(graph, own: RegionNetwork) -> None:
    content = onnx.filled(graph, own, {}).SerializeToString()
    np.testing.assert_allclose(trace.answers(content, seen(1))[0], trace.asked(own, seen(1))[0], atol=1e-5)
