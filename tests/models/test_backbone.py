import time
from pathlib import Path

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file

from fusion.config.run import Network
from fusion.errors import ModelError
from fusion.models.backbone import RANDOM, backbone, start_weights, stem
from fusion.store import sha256

NAME = "mobilenetv3_small_100"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "pretrained_mobilenetv3"
REAL = SHARED / "tf_mobilenetv3_small_100_google_uint8_dequantised.pth"


@pytest.fixture(scope="module")
def plain():
    return timm.create_model(NAME).state_dict()


def network(weights, name=NAME) -> Network:
    return Network(backbone=name, weights=str(weights))


def test_a_constant_image_answers_about_as_in_rgb():
    rgb = torch.randn(8, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(stem(rgb, 16).sum(1), rgb.sum(1), atol=1e-6)


def test_the_stem_is_the_grey_mean_times_three_sixteenths_times_a_gaussian_of_four_slices():
    rgb = torch.randn(8, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    grey = stem(rgb, 16)
    ratio = grey[:, 0] / grey[:, 7]
    assert torch.allclose(ratio, torch.exp(torch.tensor((0.5**2 - 7.5**2) / 32)).expand_as(ratio), rtol=1e-4)
    assert torch.allclose(grey.mean(1), rgb.mean(1) * 3 / 16, atol=1e-6)


def test_the_stem_treats_both_directions_along_z_alike():
    grey = stem(torch.randn(2, 3, 1, 1), 16)
    assert torch.equal(grey, grey.flip(1))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_local_file_fills_the_pyramid_and_its_digest_is_kept(plain, tmp_path, suffix):
    path = tmp_path / f"weights{suffix}"
    (torch.save if suffix == ".pth" else save_file)(plain, path)
    start = start_weights(network(path))
    pyramid = backbone(network(path), 16, start).state_dict()
    assert start.sha256 == sha256(path)
    assert torch.equal(pyramid.pop("conv_stem.weight"), stem(plain["conv_stem.weight"], 16))
    assert all(torch.equal(value, plain[key]) for key, value in pyramid.items())


def test_keys_that_timm_renames_in_a_pyramid_are_found(tmp_path):
    state = timm.create_model("convnext_atto").state_dict()
    torch.save(state, tmp_path / "weights.pth")
    asked = network(tmp_path / "weights.pth", "convnext_atto")
    pyramid = backbone(asked, 4, start_weights(asked)).state_dict()
    assert torch.equal(pyramid["stages_0.blocks.0.conv_dw.weight"], state["stages.0.blocks.0.conv_dw.weight"])
    assert torch.equal(pyramid["stem_0.weight"], stem(state["stem.0.weight"], 4))


@pytest.mark.skipif(not REAL.is_file(), reason="the environment's shared data are not here")
@pytest.mark.parametrize("name", [NAME, "tf_mobilenetv3_small_100"])
def test_googles_imagenet_weights_load_under_both_of_timms_names(name):
    asked = network(REAL, name)
    start = start_weights(asked)
    pyramid = backbone(asked, 16, start).state_dict()
    state = torch.load(REAL, weights_only=True)
    assert start.sha256 == "beec5fa24d65670fb28e7b6040f621b15ed89a4bdd8548b33f7531f96b21a850"
    assert torch.equal(pyramid["blocks.5.0.conv.weight"], state["blocks.5.0.conv.weight"])
    assert torch.equal(pyramid["conv_stem.weight"], stem(state["conv_stem.weight"], 16))


def test_another_number_of_classes_is_no_obstacle(plain, tmp_path):
    state = {key: value for key, value in plain.items() if not key.startswith(("classifier", "conv_head"))}
    torch.save(state | {"classifier.weight": torch.zeros(2, 1024)}, tmp_path / "weights.pth")
    assert start_weights(network(tmp_path / "weights.pth")).arrays


def test_a_file_of_another_architecture_is_refused(plain, tmp_path):
    torch.save(plain, tmp_path / "weights.pth")
    with pytest.raises(
        ModelError, match=r"weights that do not fit .* expected timm's weights of mobilenetv3_large_100"
    ):
        start_weights(network(tmp_path / "weights.pth", "mobilenetv3_large_100"))


def test_a_file_with_a_weight_missing_is_refused(plain, tmp_path):
    torch.save({key: value for key, value in plain.items() if key != "blocks.0.0.bn1.weight"}, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match=r"1 weights that do not fit .*blocks_0_0_bn1_weight missing"):
        start_weights(network(tmp_path / "weights.pth"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere\.pth: found no such file"):
        start_weights(network(tmp_path / "nowhere.pth"))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_an_unreadable_file_is_named(tmp_path, suffix):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(b"not weights at all")
    with pytest.raises(ModelError, match="unreadable"):
        start_weights(network(path))


def test_a_pickle_with_code_in_it_is_not_run(tmp_path):
    torch.save({"conv_stem.weight": Path("x")}, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="unreadable"):
        start_weights(network(tmp_path / "weights.pth"))


def test_a_whole_checkpoint_is_refused(plain, tmp_path):
    torch.save({"state_dict": plain, "epoch": 3}, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="state_dict alone"):
        start_weights(network(tmp_path / "weights.pth"))


def test_a_hub_out_of_reach_is_an_error_within_seconds(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"out of reach.*network\.weights=none"):
        start_weights(network("hub"))
    assert time.monotonic() - start < 8


def test_the_hubs_cached_file_needs_no_network(monkeypatch, plain, tmp_path):
    save_file(plain, tmp_path / "model.safetensors")
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: str(tmp_path / "model.safetensors"))
    assert start_weights(network("hub")).sha256 == sha256(tmp_path / "model.safetensors")


def test_an_unknown_backbone_is_an_error():
    with pytest.raises(ModelError, match=r"network\.backbone=mobilenet_v9"):
        start_weights(network("none", "mobilenet_v9"))


def test_a_random_start_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    assert start_weights(network("none")) == RANDOM
    assert torch.equal(torch.get_rng_state(), before)
