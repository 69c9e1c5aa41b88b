import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from fusion.config.network import Network, SliceMean, Slices, WholeVolume
from fusion.errors import ModelError
from fusion.models import onnx as portable
from fusion.models.inputs import centred
from fusion.models.network import RegionNetwork
from fusion.models.trace import traced

from .conftest import CASES, ROI

onnx = pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
KINDS = {
    "slices": (Network(backbone="mobilenetv3_small_100", weights="none"), 1),
    "slice_mean": (Network(backbone="test_resnet", weights="none", input=SliceMean(pool="attention")), 2),
    "volume": (Network(backbone="test_resnet", weights="none", input=WholeVolume()), 1),
}
ALONE = """
import sys
sys.modules["torch"] = None
import numpy, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
answer = session.run(["log_odds"], {"regions": numpy.load(sys.argv[2])})[0]
assert not any(name.split(".")[0] in ("torch", "fusion") for name, loaded in sys.modules.items() if loaded)
numpy.save(sys.argv[3], answer)
"""


def network(kind: str, seed: int = 0) -> RegionNetwork:
    """Random weights, and running statistics as a training would leave them."""
    asked, regions = KINDS[kind]
    torch.manual_seed(seed)
    net = RegionNetwork(asked, ROI.patch.shape[0], regions).eval()
    for name, value in net.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(0, 0.1)
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    return net


def seen(kind: str, boxes) -> torch.Tensor:
    asked, regions = KINDS[kind]
    return centred(boxes, torch.arange(CASES), ROI, asked.input)[:, :regions]


@pytest.fixture(scope="module")
def models(boxes):
    """Traced once a kind; to trace takes seconds."""
    kept = {}

    def model(kind: str):
        if kind not in kept:
            kept[kind] = traced(network(kind), seen(kind, boxes)[:2])
        return kept[kind]

    return model


@pytest.fixture
def written(models, boxes, tmp_path):
    net, regions = network("slices"), seen("slices", boxes)
    metadata = {"regions": portable.preprocessing(ROI, Slices(), (0,))}
    portable.write(tmp_path / "a.onnx", portable.filled(models("slices"), net, metadata), net, regions)
    return tmp_path / "a.onnx", net, regions


@pytest.mark.parametrize("kind", KINDS)
def test_onnxruntime_answers_as_torch_on_real_patches(kind, models, boxes, tmp_path):
    net, regions = network(kind), seen(kind, boxes)
    portable.write(tmp_path / "a.onnx", portable.filled(models(kind), net, {}), net, regions)
    session = runtime.InferenceSession(tmp_path / "a.onnx")
    for batch in (regions, regions[:1], regions[3:8]):
        log_odds, deep = session.run(["log_odds", "deep"], {"regions": batch.numpy()})
        with torch.no_grad():
            assert np.abs(deep - net.deep(batch).numpy()).max() < 1e-5
            assert np.abs(log_odds - net(batch).numpy()).max() < 1e-5


def test_one_trace_serves_every_network_of_an_architecture(models, boxes, tmp_path):
    other, regions = network("slices", seed=1), seen("slices", boxes)
    assert not torch.allclose(other(regions), network("slices")(regions), atol=1e-3)
    assert portable.write(tmp_path / "a.onnx", portable.filled(models("slices"), other, {}), other, regions) < 1e-5


def test_weights_of_another_network_are_not_written(models, boxes, tmp_path):
    model = portable.filled(models("slices"), network("slices", seed=1), {})
    with pytest.raises(ModelError, match="answers that differ"):
        portable.write(tmp_path / "a.onnx", model, network("slices"), seen("slices", boxes))
    assert list(tmp_path.iterdir()) == []


def test_another_architecture_does_not_fit(models):
    with pytest.raises(ModelError, match="another architecture"):
        portable.filled(models("slices"), network("slice_mean"), {})


def test_the_file_answers_where_there_is_no_torch(written, tmp_path):
    path, net, regions = written
    np.save(tmp_path / "in.npy", regions.numpy())
    command = [sys.executable, "-c", ALONE, path, tmp_path / "in.npy", tmp_path / "out.npy"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with torch.no_grad():
        assert np.abs(np.load(tmp_path / "out.npy") - net(regions).numpy()).max() < 1e-5


def test_the_file_says_what_made_its_input(written):
    model = onnx.load(written[0])
    told = json.loads({own.key: own.value for own in model.metadata_props}["fusion"])["regions"]
    assert told["regions"] == ["tumour"]
    assert told["shape_zyx"] == [4, 32, 32]
    assert told["spacing_mm_zyx"] == [3.0, 0.5, 0.5]
    assert told["window"] == [-160.0, 240.0]
    assert told["channels_inside_the_region"] == ["(grey - 40) / 100, clipped to [-2, 2]"]
    assert told["ring"]["thickness_mm"] == 2.0


def test_the_graph_is_sound_and_has_nothing_of_training_or_of_this_machine(written):
    model = onnx.load(written[0])
    onnx.checker.check_model(model, full_check=True)
    assert not {node.op_type for node in model.graph.node} & {"Dropout", "RandomUniform", "RandomUniformLike"}
    assert str(sys.prefix).encode() not in written[0].read_bytes()
    assert b"forward" not in written[0].read_bytes()


def test_the_same_network_is_the_same_bytes(models, boxes):
    net, regions = network("volume"), seen("volume", boxes)[:2]
    once, again = (portable.filled(own, net, {}) for own in (models("volume"), traced(net, regions)))
    assert once.SerializeToString(deterministic=True) == again.SerializeToString(deterministic=True)


def test_a_missing_package_is_an_error_that_names_it(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name))
    with pytest.raises(ModelError, match=r"no onnxruntime; .*install fusion again"):
        portable.check_installed()
