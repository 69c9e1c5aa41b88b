"""The engine against PyRadiomics, feature by feature, on every kind of case."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry, read_image, read_labels
from fusion.errors import FeatureError
from fusion.features.radiomics import engine, oracle
from fusion.features.radiomics.preset import columns
from fusion.roi.region import peritumoural_ring
from tests import toy

STS = Path(__file__).parents[4] / "shared/data/sts/nifti"
ALL = Radiomics()
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
ROUNDING = 1e-11
"""Sums that cancel to nothing come out as rounding noise."""


def grid(shape, spacing_mm=(3.0, 0.7, 0.7)) -> Geometry:
    return Geometry(shape, spacing_mm, (-12.0, 30.0, 4.5), UPRIGHT)


def tumour_and_ring(seed: int = 0):
    image, tumour = toy.volume(seed % 2, np.random.default_rng(seed))
    mask = tumour == 1
    ring = peritumoural_ring(mask, toy.SPACING, 2.0)
    return image.astype(np.float32), {"tumour": mask, "external2": ring}, grid(toy.SHAPE, toy.SPACING)


def compare(image, masks, geometry, radiomics) -> None:
    found = engine.measure(image, masks, geometry, radiomics).features
    for region, mask in masks.items():
        theirs = oracle.extract(image, mask, geometry, radiomics.model_copy(update={"engine": "pyradiomics"}))
        close = np.isclose(found[region], theirs, rtol=1e-6, atol=ROUNDING)
        names = columns(radiomics)
        assert close.all(), [(names[n], found[region][n], theirs[n]) for n in np.flatnonzero(~close)[:5]]


def test_all_1874_of_tumour_and_ring_are_pyradiomics_own():
    compare(*tumour_and_ring(), ALL)


@pytest.mark.parametrize(
    "change",
    [
        {"spacing_mm": None}, {"spacing_mm": (0.0, 0.5, 0.5)}, {"bin_count": 32}, {"normalise": True, "bin_width": 0.1},
        {"force_2d": True}, {"interpolator": "sitkLinear"}, {"resegment_range": (-20.0, 60.0)}, {"pad_distance": 12},
        {"per_image": {"log": {"bin_width": 5.0}, "wavelet": {"bin_count": 8}}}, {"distances": (1, 2), "gldm_alpha": 1},
        {"wavelet": "db2"}, {"weighting": "euclidean", "symmetrical_glcm": False}, {"voxel_shift": 1000},
    ],
    ids=str,
)  # fmt: skip
def test_under_other_settings_too(change):
    images = ("original", "log-sigma-2-0-mm-3D", "square", "gradient", "lbp-3D-k")
    images += ("wavelet-HH", "wavelet-LL") if "force_2d" in change else ("wavelet-HLH", "wavelet-LLL")
    compare(*tumour_and_ring(1), Radiomics(images=images, **change))


def three_voxels(shape):
    mask = np.zeros(shape, dtype=bool)
    z, y, x = (size // 2 for size in shape)
    mask[z, y, x] = mask[z, y, x - 1] = mask[z - 1, y, x] = True
    return mask


def one_slice(shape):
    mask = np.zeros(shape, dtype=bool)
    mask[shape[0] // 2, 4:-4, 5:-3] = True
    return mask


@pytest.mark.parametrize("region", [three_voxels, one_slice])
def test_the_smallest_regions_too(region):
    shape = (9, 16, 18)
    image = gaussian_filter(np.random.default_rng(3).normal(0, 1, shape), 1) * 200
    compare(image.astype(np.float32), {"region": region(shape)}, grid(shape, (1.0, 1.0, 1.0)), ALL)


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=st.tuples(*[st.integers(6, 14)] * 3), spacing=st.tuples(*[st.sampled_from([0.6, 1.0, 1.7, 3.0])] * 3),
    seed=st.integers(0, 2**32 - 1), smooth=st.sampled_from([0.5, 1.5]), whole=st.booleans(),
)  # fmt: skip
def test_random_small_volumes_too(shape, spacing, seed, smooth, whole):
    compare_random(shape, spacing, seed, smooth, whole)


@pytest.mark.xfail(strict=True, reason="18 of 1874 features differ by up to 4e-4 from PyRadiomics; not explained")
def test_a_small_volume_that_differs():
    compare_random((11, 14, 6), (1.0, 1.0, 3.0), 10435, 1.5, True)


def compare_random(shape, spacing, seed, smooth, whole):
    random = np.random.default_rng(seed)
    image = (gaussian_filter(random.normal(0, 1, shape), smooth) * 300).astype(np.float32)
    mask = gaussian_filter(random.normal(0, 1, shape), 1.5) > 0.02
    image = np.round(image) if whole else image
    geometry = grid(shape, spacing)
    try:
        found = engine.measure(image, {"region": mask}, geometry, ALL).features["region"]
    except FeatureError:
        with pytest.raises(FeatureError):
            oracle.extract(image, mask, geometry, ALL)
        return
    np.testing.assert_allclose(found, oracle.extract(image, mask, geometry, ALL), rtol=1e-6, atol=ROUNDING)


@pytest.mark.skipif(not STS.is_dir(), reason="no ../shared/data/sts beside this checkout")
@pytest.mark.parametrize("kind", ["CT", "MR_T1", "PET"])
def test_real_cases_too(kind):
    image = read_image(STS / f"STS_025/{kind}_image.nii.gz")
    mask = read_labels(STS / f"STS_025/{kind}_mask.nii.gz").values > 0
    ring = peritumoural_ring(mask, image.geometry.spacing_mm, 5.0)
    compare(image.values, {"tumour": mask, "external2": ring}, image.geometry, ALL)


def test_threads_change_no_number():
    case = tumour_and_ring(2)
    one, two = (engine.measure(*case, ALL, threads).features for threads in (1, 2))
    for region, values in one.items():
        np.testing.assert_array_equal(values, two[region])


def test_regions_measured_together_are_as_measured_alone():
    image, masks, geometry = tumour_and_ring(3)
    together = engine.measure(image, masks, geometry, ALL).features
    for region, mask in masks.items():
        np.testing.assert_allclose(
            engine.measure(image, {region: mask}, geometry, ALL).features[region],
            together[region],
            rtol=1e-6,
            atol=ROUNDING,
        )


def test_a_shared_crop_changes_filters_that_see_its_edge_and_nothing_else():
    image, masks, geometry = tumour_and_ring(4)
    exact, shared = (
        engine.measure(image, masks, geometry, Radiomics(crop=rule)).features for rule in ("exact", "shared")
    )
    names = np.array(columns(ALL))
    plain = np.char.startswith(names, "original")
    np.testing.assert_allclose(shared["tumour"][plain], exact["tumour"][plain], rtol=1e-6)
    assert not np.allclose(shared["tumour"][~plain], exact["tumour"][~plain], rtol=1e-6)


def test_a_bright_voxel_outside_the_region_is_a_warning():
    image, masks, geometry = tumour_and_ring(5)
    z, y, x = np.argwhere(masks["tumour"])[0]
    image[z, y, x - 4] = 3000
    (warning,) = engine.measure(image, masks, geometry, ALL).warnings["tumour"]
    assert "square" in warning
    assert "outside the region" in warning


def test_integers_are_neither_truncated_nor_overflow():
    image, masks, geometry = tumour_and_ring(6)
    whole = np.clip(np.round(image) + 100, 0, 255)
    float32, uint8 = (
        engine.measure(whole.astype(kind), masks, geometry, ALL).features["tumour"] for kind in (np.float32, np.uint8)
    )
    np.testing.assert_array_equal(uint8, float32)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda image, mask: image.__setitem__(mask, np.nan), "NaN"),
        (lambda image, mask: mask.__setitem__(mask, False), "no voxel"),
        (lambda image, mask: image.__setitem__(slice(None), 40.0), r"tumour: .*features|grey"),
    ],
    ids=["NaN", "empty", "flat"],
)
def test_what_cannot_be_measured_is_a_message(spoil, message):
    image, masks, geometry = tumour_and_ring(7)
    spoil(image, masks["tumour"])
    with pytest.raises(FeatureError, match=message):
        engine.measure(image, masks, geometry, ALL)


def test_all_regions_faults_come_at_once():
    image, masks, geometry = tumour_and_ring(8)
    single = {name: np.zeros_like(mask) for name, mask in masks.items()}
    for mask in single.values():
        mask[4, 20, 20] = True
    with pytest.raises(FeatureError) as error:
        engine.measure(image, single, geometry, ALL)
    assert len(error.value.faults) == 2
