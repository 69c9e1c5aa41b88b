import subprocess
import sys

import pytest

from fusion.config.names import DEPRECATED, FEATURES, WITHDRAWN
from fusion.config.radiomics import Radiomics
from fusion.features.radiomics.plan import Binning, Gradient, Laplacian, Pattern2D, Pattern3D, Plain, Wavelet, plan
from fusion.features.radiomics.preset import columns


def step(kind: str, **settings):
    return next(step for step in plan(Radiomics(**settings)) if step.kind == kind)


def test_the_steps_put_together_are_the_images_in_order():
    images = ("wavelet-LLL", "log-sigma-2-0-mm-3D", "original", "wavelet-LLH", "wavelet-HHH", "lbp-2D")
    steps = plan(Radiomics(images=images))
    assert tuple(name for step in steps for name in step.names) == images
    assert [step.kind for step in steps] == ["wavelet", "log", "original", "wavelet", "lbp2d"]


def test_the_default_plan_makes_each_kind_once():
    kinds = [step.kind for step in plan(Radiomics())]
    assert len(kinds) == len(set(kinds)) == 9
    assert {step.texture.binning for step in plan(Radiomics())} == {Binning(25.0, None)}


def test_a_plan_is_a_key():
    assert hash(plan(Radiomics())) == hash(plan(Radiomics()))


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("square", {}, Plain()),
        ("log", {"images": ("log-sigma-1-mm-3D", "log-sigma-2-5-mm-3D")}, Laplacian((1.0, 2.5))),
        ("wavelet", {}, Wavelet("coif1", 0, 1, None)),
        ("wavelet", {"images": ("wavelet-LH",), "force_2d": True, "force_2d_dimension": 1}, Wavelet("coif1", 0, 1, 1)),
        ("gradient", {"gradient_use_spacing": False}, Gradient(False)),
        ("lbp2d", {"images": ("lbp-2D",), "force_2d_dimension": 2}, Pattern2D(1.0, 8, "uniform", 2)),
        ("lbp3d", {"lbp3d_radius": 2, "lbp3d_subdivision": 2}, Pattern3D(2, 2.0, 2)),
    ],
)
def test_a_filter_has_its_settings(kind, settings, expected):
    assert step(kind, **settings).filter == expected


def test_an_override_reaches_filter_and_texture_of_its_kind_alone():
    given = {"per_image": {"wavelet": {"wavelet": "haar", "bin_width": 5, "weighting": "euclidean"}}}
    own, other = step("wavelet", **given), step("original", **given)
    assert (own.filter.wavelet, own.texture.binning, own.texture.weighting) == ("haar", Binning(5.0, None), "euclidean")
    assert (other.texture.binning, other.texture.weighting) == (Binning(25.0, None), None)


def test_feature_names_are_pyradiomics_own():
    from radiomics.featureextractor import getFeatureClasses

    found = {kind: own.getFeatureNames() for kind, own in getFeatureClasses().items()}
    assert {kind: tuple(sorted(n for n, old in names.items() if not old)) for kind, names in found.items()} == FEATURES
    for kind, names in found.items():
        assert {n for n, old in names.items() if old} == {*DEPRECATED.get(kind, ()), *WITHDRAWN.get(kind, {})}


def test_columns_follow_images_and_classes():
    own = Radiomics(
        images=("square", "original"), classes={"glcm": ("MCC", "Contrast"), "shape": ("VoxelVolume",), "ngtdm": None}
    )
    assert columns(own)[:4] == ("original_shape_VoxelVolume", "square_glcm_MCC", "square_glcm_Contrast",
                                "square_ngtdm_Busyness")  # fmt: skip
    assert len(columns(own)) == 1 + 2 * (2 + 5)


def test_columns_need_no_pyradiomics():
    code = """
import sys
from fusion.config.radiomics import Radiomics
from fusion.features.radiomics.preset import columns
assert len(columns(Radiomics())) == 1874
assert "radiomics" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
