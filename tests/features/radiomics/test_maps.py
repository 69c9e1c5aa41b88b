import warnings

import numpy as np
import pytest
import SimpleITK as sitk

import fusion
from fusion.config.names import FEATURES
from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry, Image, read_image, to_sitk
from fusion.errors import FeatureError
from fusion.features.radiomics import oracle
from fusion.features.radiomics.mapping.maps import maps

SHAPE = (9, 10, 11)
GEOMETRY = Geometry(SHAPE, (2.0, 1.0, 1.5), (3.0, -4.0, 5.0), tuple(np.eye(3).ravel()))
CLASSES = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
OUTSIDE = -7.5


def drawn(kind, seed=0):
    noise = np.random.default_rng(seed).normal(50, 60, SHAPE).astype(np.float32)
    return {
        "noise": noise, "patches": np.round(noise / 100) * np.float32(100.1), "constant": np.full_like(noise, 3.3),
        "two levels": np.where(noise > 50, np.float32(100), np.float32(0)),
    }[kind]  # fmt: skip


def region(kind, seed=0):
    mask = np.zeros(SHAPE, bool)
    if kind == "lone":
        mask[2, 3, 3] = mask[5, 7, 8] = True
    elif kind == "thin":
        mask[4, 5, 2:9] = mask[4, 6, 2:4] = True
    elif kind == "corner":
        mask[:4, :4, 7:] = True
    else:
        mask[3:7, 3:8, 3:9] = True
        if kind == "holes":
            mask &= np.random.default_rng(seed).random(SHAPE) < 0.7
    return mask


def settings(**more):
    given = {"images": ("original",), "spacing_mm": None, "initial_value": OUTSIDE, "classes": dict.fromkeys(CLASSES)}
    return Radiomics(**(given | more))


def names(own):
    return [f"{image}_{kind}_{name}" for image in own.images for kind in own.classes for name in FEATURES[kind]]


def pyradiomics(image, mask, own):
    """PyRadiomics' maps by name, as SimpleITK images."""
    with warnings.catch_warnings(), np.errstate(all="ignore"), oracle.scipy_names():
        warnings.simplefilter("ignore")  # means over nothing, which are what some voxels should give
        found = oracle.extractor(own).execute(
            to_sitk(image, GEOMETRY), to_sitk(mask.astype(np.uint8), GEOMETRY), voxelBased=True
        )
    return {name: made for name, made in found.items() if isinstance(made, sitk.Image)}


def assert_alike(image, mask, own):
    theirs = pyradiomics(image, mask, own)
    ours = maps(image, mask, GEOMETRY, own, names(own))
    for name, made in ours.items():
        expected = sitk.GetArrayFromImage(theirs[name])
        if name.endswith("MCC") and (expected == OUTSIDE).all():
            continue  # PyRadiomics failed on a window in which a direction has no pair
        np.testing.assert_allclose(made.values, expected, rtol=1e-6, atol=1e-7, err_msg=name)
        assert made.geometry.size == expected.shape
        np.testing.assert_allclose(made.geometry.origin_mm, theirs[name].GetOrigin())
        assert made.geometry.spacing_mm == theirs[name].GetSpacing()[::-1]


def test_a_map_has_the_initial_value_outside_the_region_and_nowhere_else():
    mask = region("corner")
    made = maps(drawn("noise"), mask, GEOMETRY, settings(), ["original_firstorder_Energy"])
    values = made["original_firstorder_Energy"].values
    assert values.shape == (5, 5, 5)
    np.testing.assert_array_equal(values != OUTSIDE, mask[:5, :5, 6:])


def test_a_kernel_as_large_as_the_region_gives_the_features_of_the_region():
    image, mask, own = drawn("noise"), region("holes"), settings(kernel_radius=5)
    made = maps(image, mask, GEOMETRY, own, names(own))
    whole = oracle.extract(image, mask, GEOMETRY, own)
    for name, expected in zip(names(own), whole, strict=True):
        inside = made[name].values[made[name].values != OUTSIDE]
        np.testing.assert_allclose(inside, np.full(mask.sum(), expected), rtol=1e-6, atol=1e-9, err_msg=name)


def test_threads_and_other_features_change_no_number():
    image, mask, own = drawn("noise"), region("holes"), settings()
    alone = maps(image, mask, GEOMETRY, own, ["original_glcm_Contrast"])
    among = maps(image, mask, GEOMETRY, own, names(own), threads=3)
    np.testing.assert_array_equal(alone["original_glcm_Contrast"].values, among["original_glcm_Contrast"].values)
    assert list(among) == names(own)


@pytest.mark.parametrize("kind", ["noise", "patches", "constant", "two levels"])
@pytest.mark.parametrize("shape", ["box", "holes", "thin", "lone", "corner"])
def test_every_feature_of_every_voxel_is_pyradiomics_own(kind, shape):
    assert_alike(drawn(kind), region(shape), settings())


@pytest.mark.parametrize(
    "more",
    [
        {"masked_kernel": False}, {"kernel_radius": 2}, {"kernel_radius": 2, "masked_kernel": False},
        {"force_2d": True}, {"force_2d": True, "force_2d_dimension": 1, "kernel_radius": 2},
        {"distances": (1, 2), "gldm_alpha": 1}, {"distances": (2,), "kernel_radius": 2}, {"distances": (3,)},
        {"symmetrical_glcm": False}, {"bin_count": 6}, {"voxel_shift": 1000}, {"normalise": True, "bin_width": 0.3},
        {"weighting": "euclidean"}, {"weighting": "no_weighting"}, {"weighting": "infinity", "distances": (1, 2)},
        {"spacing_mm": (1.5, 1.5, 1.5)}, {"spacing_mm": (1.5, 1.5, 1.5), "kernel_radius": 3, "pad_distance": 1},
        {"resegment_range": (0.0, 100.0), "pre_crop": True},
        {"images": ("wavelet-LLH", "square"), "per_image": {"wavelet": {"bin_width": 50}}, "masked_kernel": False},
        {"images": ("gradient", "logarithm", "lbp-3D-k", "log-sigma-2-0-mm-3D")},
    ],
    ids=str,
)  # fmt: skip
def test_every_setting_means_what_it_means_to_pyradiomics(more):
    for shape in ("holes", "corner"):
        assert_alike(drawn("noise", 1), region(shape, 1), settings(**more))


def test_a_flat_neighbourhood_of_float64_values_rounds_as_numpy_does():
    own = settings(images=("square", "squareroot"), classes={"firstorder": None})
    assert_alike(drawn("patches"), region("box"), own)
    assert_alike(drawn("patches"), region("holes"), own)


def test_standard_deviation_has_a_map_though_it_is_deprecated():
    name = "original_firstorder_StandardDeviation"
    own = settings(classes={"firstorder": ("StandardDeviation",)})
    made = maps(drawn("noise"), region("holes"), GEOMETRY, own, [name])
    theirs = pyradiomics(drawn("noise"), region("holes"), own)
    np.testing.assert_allclose(made[name].values, sitk.GetArrayFromImage(theirs[name]), rtol=1e-9)


def test_mcc_has_values_where_pyradiomics_fails():
    name, mask = "original_glcm_MCC", region("holes")
    own = settings(classes={"glcm": ("MCC",)}, initial_value=0)
    theirs = sitk.GetArrayFromImage(pyradiomics(drawn("noise"), mask, own)[name])
    ours = maps(drawn("noise"), mask, GEOMETRY, own, [name])[name].values
    assert (theirs == 0).all()
    assert (ours > 0).sum() == mask.sum()


def test_every_name_without_a_map_is_told_at_once():
    wrong = {
        "original_shape_Sphericity": "shape is one number", "original_glcm_Contrasts": "has no Contrasts",
        "sharpened_glcm_Contrast": "take as image", "original_texture_Contrast": "one of the classes",
        "original_glcm_SumVariance": "withdrawn", "Contrast": "write",
    }  # fmt: skip
    with pytest.raises(FeatureError) as error:
        maps(drawn("noise"), region("box"), GEOMETRY, settings(), ["original_glcm_Contrast", *wrong])
    told = [str(fault) for fault in error.value.faults]
    assert len(told) == len(wrong)
    assert all(name in line and why in line for line, (name, why) in zip(told, wrong.items(), strict=True))


@pytest.mark.parametrize(
    ("more", "feature", "told"),
    [
        ({"mode": "ibsi"}, ["original_glcm_Contrast"], "mode=exact"),
        ({"engine": "pyradiomics"}, ["original_glcm_Contrast"], "engine=fusion"),
        ({}, ["wavelet2-LLH_glcm_Contrast"], "no filter makes wavelet2-LLH"),
        ({}, [], "no feature"),
    ],
)
def test_what_has_no_map_is_refused(more, feature, told):
    with pytest.raises(FeatureError, match=told):
        maps(drawn("noise"), region("box"), GEOMETRY, settings(**more), feature)


def test_the_public_call_maps_any_input_and_a_map_is_read_back_as_written(tmp_path):
    image, mask, name = drawn("noise"), region("holes"), "wavelet-LLH_glcm_Contrast"
    made = fusion.radiomics.maps(Image(image, GEOMETRY), mask * 2, [name], settings(), label=2, threads=2)
    np.testing.assert_array_equal(made[name].values, maps(image, mask, GEOMETRY, settings(), [name])[name].values)
    made[name].write(tmp_path / "map.nii.gz")
    back = read_image(tmp_path / "map.nii.gz")
    np.testing.assert_allclose(back.values, made[name].values, rtol=1e-6)
    assert not back.geometry.difference(made[name].geometry, 1e-4, 1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["map.nii.gz"]
