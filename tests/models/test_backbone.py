import time
from pathlib import Path

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file

from fusion.config.network import Network
from fusion.errors import ModelError
from fusion.models.backbone import RANDOM, backbone, start_weights, stem
from fusion.store import sha256

NAME = "mobilenetv3_small_100"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "pretrained_mobilenetv3"
HALF = SHARED.parent / "pretrained_resnet18_partial" / "resnet18_imagenet_stem_layer1-3.pth"
REAL = SHARED / "tf_mobilenetv3_small_100_google_uint8_dequantised.pth"


@pytest.fixture(scope="module")
def plain():
    return timm.create_model(NAME).state_dict()


def network(weights, name=NAME, **fields) -> Network:
    return Network(backbone=name, weights=str(weights), **fields)


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


@pytest.fixture(scope="module")
def partial(tmp_path_factory):
    state = timm.create_model("resnet18").state_dict()
    path = tmp_path_factory.mktemp("weights") / "partial.pth"
    torch.save({key: value for key, value in state.items() if not key.startswith(("layer4", "fc"))}, path)
    return path


def test_a_slice_by_itself_keeps_the_rgb_stem(plain, tmp_path):
    torch.save(plain, tmp_path / "weights.pth")
    asked = network(tmp_path / "weights.pth", input={"kind": "slice_mean"})
    stem_weight = backbone(asked, 16, start_weights(asked)).conv_stem.weight
    assert torch.equal(stem_weight, plain["conv_stem.weight"])


def test_a_volume_starts_from_imagenet_too(plain, tmp_path):
    torch.save(plain, tmp_path / "weights.pth")
    asked = network(tmp_path / "weights.pth", input={"kind": "volume"})
    pyramid = backbone(asked, 16, start_weights(asked))
    assert torch.allclose(pyramid.conv_stem.weight.sum(2), stem(plain["conv_stem.weight"], 1), atol=1e-6)
    assert torch.allclose(pyramid.blocks[1][0].conv_dw.weight.sum(2), plain["blocks.1.0.conv_dw.weight"], atol=1e-6)
    assert torch.equal(pyramid.blocks[1][0].bn1.running_var, plain["blocks.1.0.bn1.running_var"])


@pytest.mark.parametrize("slices", [3, 4])
def test_any_number_of_slices_gets_the_grey_stem(plain, tmp_path, slices):
    torch.save(plain, tmp_path / "weights.pth")
    asked = network(tmp_path / "weights.pth")
    own = backbone(asked, slices, start_weights(asked)).conv_stem.weight
    assert torch.equal(own, stem(plain["conv_stem.weight"], slices))


def test_every_weight_that_meets_the_image_is_a_stem(tmp_path):
    state = timm.create_model("repvgg_a0").state_dict()
    torch.save(state, tmp_path / "weights.pth")
    asked = network(tmp_path / "weights.pth", "repvgg_a0")
    own = backbone(asked, 4, start_weights(asked)).state_dict()
    for key in ("stem.conv_kxk.conv.weight", "stem.conv_1x1.conv.weight"):
        assert torch.equal(own[key], stem(state[key], 4))


def test_a_file_with_layers_missing_is_refused(partial):
    with pytest.raises(ModelError, match="25 weights that do not fit"):
        start_weights(network(partial, "resnet18"))


def test_missing_layers_start_at_random_where_that_is_asked_for(partial):
    asked, state = network(partial, "resnet18", partial_weights=True), torch.load(partial, weights_only=True)
    start = start_weights(asked)
    torch.manual_seed(1)
    one = backbone(asked, 4, start).state_dict()
    torch.manual_seed(2)
    other = backbone(asked, 4, start).state_dict()
    assert start.missing == tuple(sorted({key.rpartition(".")[0] for key in one if key.startswith("layer4")}))
    assert not torch.equal(one["layer4.0.conv1.weight"], other["layer4.0.conv1.weight"])
    assert torch.equal(one["layer3.1.conv2.weight"], state["layer3.1.conv2.weight"])


def test_a_missing_stem_starts_at_random_as_a_random_start_does(partial, tmp_path):
    state = torch.load(partial, weights_only=True)
    del state["conv1.weight"]
    torch.save(state, tmp_path / "weights.pth")
    asked = network(tmp_path / "weights.pth", "resnet18", partial_weights=True)
    torch.manual_seed(1)
    own = backbone(asked, 4, start_weights(asked)).conv1.weight
    torch.manual_seed(1)
    assert torch.equal(own, backbone(asked, 4, RANDOM).conv1.weight)


@pytest.mark.parametrize("changed", [{"nonsense.weight": torch.zeros(2)}, {"layer1.0.conv1.weight": torch.zeros(2)}])
def test_a_partial_file_with_foreign_weights_is_still_refused(partial, tmp_path, changed):
    torch.save(torch.load(partial, weights_only=True) | changed, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="1 weights that do not fit"):
        start_weights(network(tmp_path / "weights.pth", "resnet18", partial_weights=True))


@pytest.mark.parametrize("state", [{}, {"fc.weight": torch.zeros(1000, 512)}])
def test_a_partial_file_with_nothing_of_the_pyramid_is_refused(tmp_path, state):
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="weights that do not fit"):
        start_weights(network(tmp_path / "weights.pth", "resnet18", partial_weights=True))


@pytest.mark.skipif(not HALF.is_file(), reason="the environment's shared data are not here")
def test_the_shared_part_of_resnet18_loads():
    asked = network(HALF, "resnet18", partial_weights=True)
    start = start_weights(asked)
    assert {name.split(".")[0] for name in start.missing} == {"layer4"}
    assert backbone(asked, 16, start).conv1.weight.shape == (64, 16, 7, 7)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("visformer_tiny", "features_only not implemented"),
        ("vit_tiny_patch16_224", "doesn't match"),
        ("mambaout_femto", r"not \(channel, y, x\)"),
        ("tresnet_m", "channel by channel"),
        ("ghostnet_100", r"drop-path.*network\.drop_path=0"),
    ],
)
def test_an_unsuitable_backbone_is_one_clear_error(name, why):
    with pytest.raises(ModelError, match=rf"network\.backbone={name}: .*{why}"):
        start_weights(network("none", name))


@pytest.mark.parametrize(
    ("name", "why"),
    [("convnext_atto", "stem_1 of convnext_atto is a LayerNorm2d"), ("eca_resnet33ts", "eca_resnet33ts")],
)
def test_a_backbone_that_stays_flat_is_one_clear_error(name, why):
    with pytest.raises(ModelError, match=why):
        start_weights(network("none", name, input={"kind": "volume"}))
