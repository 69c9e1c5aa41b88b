import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
import torch

from fusion.errors import FeatureError
from fusion.features.radiomics.classes.glcm import of_matrix
from fusion.features.radiomics.classes.ngtdm import ngtdm
from fusion.features.radiomics.classes.sizes import AS_GLDM, AS_GLRLM, AS_GLSZM, sizes, zones
from fusion.features.radiomics.levels import discretise
from fusion.features.radiomics.matrices import on_device
from fusion.features.radiomics.matrices.on_device import count
from fusion.features.radiomics.plan import Binning, Texture
from fusion.features.radiomics.texture import features as production
from fusion.features.radiomics.texture import ground, texture

spec = spec_from_file_location("gpu", Path(__file__).parents[3] / "experiments/benchmarks/gpu_texture.py")
script = module_from_spec(spec)
spec.loader.exec_module(script)

has_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
DEVICES = ["cpu", pytest.param("cuda", marks=has_gpu)]
WIDTHS = (1.0, 0.3, 9.0)  # many levels, more, and one


def settings(**changes):
    plain = {"distances": (1,), "symmetrical": True, "weighting": None, "gldm_alpha": 0, "force_2d": False}
    return Texture(Binning(1.0, None), **(plain | changes), force_2d_dimension=0, voxel_shift=0)


def case(shape, share, seed, chosen):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < share
    mask.flat[[0, -1]] = True
    images = [rng.normal(0.1, 1.5, mask.sum()).clip(-4, 4) for _ in WIDTHS]
    levels = [discretise(own, Binning(width, None)) for own, width in zip(images, WIDTHS, strict=True)]
    return levels, ground(mask, (1.0, 1.0, 2.0), chosen)


CASES = [
    ((6, 7, 8), 0.7, {}),
    ((6, 7, 8), 0.05, {}),
    ((5, 9, 4), 1.0, {}),
    ((1, 8, 9), 0.6, {}),
    ((1, 1, 5), 1.0, {}),
    ((5, 6, 7), 0.6, {"force_2d": True}),
    ((5, 6, 7), 0.6, {"distances": (1, 2)}),
    ((5, 6, 7), 0.6, {"distances": (2,), "gldm_alpha": 2}),
    ((5, 6, 7), 0.6, {"distances": (1, 2), "force_2d": True, "gldm_alpha": 1}),
    ((5, 6, 7), 0.6, {"weighting": "euclidean", "symmetrical": False}),
]  # fmt: skip


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("with_lone", [True, False])
@pytest.mark.parametrize(("shape", "share", "changes"), CASES)
def test_counts_are_the_kernels_own(shape, share, changes, with_lone, device):
    chosen = settings(**changes)
    levels, own = case(shape, share, 1, chosen)
    found = count(levels, own, chosen.gldm_alpha, with_lone, device)
    for counts, grey in zip(found, levels, strict=True):
        expected = script.by_kernels(grey, own, chosen.gldm_alpha, with_lone)
        for name in ("pairs", "runs", "dependences", "voxels", "zones"):
            np.testing.assert_array_equal(getattr(counts, name), getattr(expected, name), err_msg=name)
        np.testing.assert_allclose(counts.differences, expected.differences, rtol=1e-13, atol=1e-13)


def test_images_counted_in_turns_are_counted_alike(monkeypatch):
    levels, own = case((6, 7, 8), 0.7, 2, settings())
    together = count(levels, own, device="cpu")
    monkeypatch.setattr(on_device, "AT_ONCE", 1)
    assert max(map(script.difference, count(levels, own, device="cpu"), together)) == 0


@pytest.mark.parametrize("device", DEVICES)
def test_a_winding_zone_is_one(device):
    mask = np.zeros((1, 41, 41), dtype=bool)
    mask[0, ::2] = True
    mask[0, 1::4, -1] = mask[0, 3::4, 0] = True  # one snake through the slice
    own = ground(mask, (1.0, 1.0, 1.0), settings())
    grey = discretise(np.zeros(mask.sum()), Binning(1.0, None))
    assert [part.tolist() for part in count([grey], own, device=device)[0].zones] == [[1], [mask.sum()]]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("shape", "share", "changes"), [CASES[0], *CASES[3:]])
def test_features_are_those_of_the_kernels(shape, share, changes, device):
    chosen = settings(**changes)
    levels, own = case(shape, share, 3, chosen)
    for counts, grey in zip(count(levels, own, chosen.gldm_alpha, True, device), levels, strict=True):
        expected = texture(grey, own, chosen)
        for name, values in production(counts, grey, own, chosen).items():
            np.testing.assert_allclose(values, expected[name], rtol=1e-9, atol=1e-12, err_msg=name)


def features(counts, levels, own, chosen):
    grey, pairs = levels.astype(np.float64), counts.pairs.astype(np.float64)
    alike, long = (np.arange(1.0, n + 1) for n in (counts.dependences.shape[1], counts.runs.shape[2]))
    if chosen.symmetrical:
        pairs += pairs.transpose(0, 2, 1)
    if own.pair_weights is not None:
        pairs = np.tensordot(own.pair_weights, pairs, 1)[None]
    runs = counts.runs if own.run_weights is None else np.tensordot(own.run_weights, counts.runs, 1)[None]
    by_angle = [of_matrix(table / table.sum(), grey, chosen.symmetrical) for table in pairs if table.any()]
    by_line = [sizes(table.astype(np.float64), grey, long) for table in runs]
    return {
        "glcm": np.mean(by_angle, axis=0),
        "glrlm": np.mean(by_line, axis=0)[AS_GLRLM],
        "glszm": zones(*counts.zones, levels)[AS_GLSZM],
        "gldm": sizes(counts.dependences.astype(np.float64), grey, alike)[AS_GLDM],
        "ngtdm": ngtdm(counts.voxels, counts.differences, grey),
    }


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_gpu_that_is_not_there_is_named():
    levels, own = case((3, 3, 3), 1.0, 4, settings())
    with pytest.raises(FeatureError, match=r"no GPU for radiomics\.device=cuda"):
        count(levels, own, device="cuda")


def test_torch_is_imported_only_where_it_counts():
    code = "import sys, fusion.features.radiomics.matrices.on_device; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_benchmark_reports_its_figures_on_a_tiny_region():
    figures = script.measure((3, 4, 5), 3, "cpu")
    assert (figures["device"], figures["gpu"], figures["images"]) == ("cpu", False, 3)
    assert figures["max_difference"] < 1e-12
    assert figures["ratio"] > 0


def test_the_benchmark_ends_with_one_line_of_json(monkeypatch, capsys):
    monkeypatch.setattr(script, "RADII", (2, 3, 3))
    monkeypatch.setattr(script, "IMAGES", 2)
    monkeypatch.setattr(script.torch, "set_num_threads", lambda threads: None)
    script.main()
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["images"] == 2
