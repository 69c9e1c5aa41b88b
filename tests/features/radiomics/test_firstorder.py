import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fusion.errors import FeatureError
from fusion.features.radiomics.classes.firstorder import NAMES, firstorder, standard_deviation
from fusion.features.radiomics.classes.quantile import percentiles

SPACING = (3.0, 0.5, 2.0)
PERCENTS = (10, 25, 50, 75, 90)


def pyradiomics(values, shift=0.0, names=NAMES):
    """PyRadiomics' values of a row of voxels, and the counts of their grey levels."""
    import SimpleITK as sitk
    from radiomics.firstorder import RadiomicsFirstOrder

    image = sitk.GetImageFromArray(values.reshape(1, 1, -1))
    mask = sitk.GetImageFromArray(np.ones((1, 1, len(values)), np.uint8))
    for part in (image, mask):
        part.SetSpacing(SPACING[::-1])
    features = RadiomicsFirstOrder(image, mask, label=1, binWidth=25, voxelArrayShift=shift)
    for name in names:
        features.enableFeatureByName(name)
    with np.errstate(all="ignore"):
        found = features.execute()
    _, counts = np.unique(features.discretizedImageArray, return_counts=True)
    return np.array([np.asarray(found[name]).item() for name in names]), counts


def drawn(kind, size, seed=0):
    generator = np.random.default_rng(seed)
    values = generator.normal(50, 30, size)
    return {
        "normal": values, "integers": np.round(values), "skewed": np.exp(values / 20), "far from zero": 1e6 + values,
        "mostly one value": np.where(generator.random(size) < 0.9, 0.1, values),
        "one far value": np.append(values[1:], 1e9), "almost flat": 0.1 + 1e-15 * generator.integers(0, 5, size),
        "flat": np.full(size, values[0]),
    }[kind]  # fmt: skip


KINDS = ["normal", "integers", "skewed", "far from zero", "mostly one value", "almost flat", "flat"]


def test_names_are_pyradiomics_own():
    from radiomics.firstorder import RadiomicsFirstOrder

    assert list(NAMES) == sorted(name for name, old in RadiomicsFirstOrder.getFeatureNames().items() if not old)


@given(arrays(np.float64, st.integers(1, 300), elements=st.floats(-1e300, 1e300)))
@settings(deadline=None)
def test_percentiles_of_anything_are_numpys(values):
    ours = percentiles(values, float(values.min()), float(values.max()), PERCENTS)
    with np.errstate(all="ignore"):
        theirs = np.percentile(values, PERCENTS)
    finite = np.isfinite(theirs)
    np.testing.assert_array_equal(np.array(ours)[finite], theirs[finite])


@pytest.mark.parametrize("kind", [*KINDS, "one far value"])
@pytest.mark.parametrize("size", [2, 11, 64, 65, 1_000, 100_003])
def test_percentiles_are_numpys_to_the_bit(kind, size):
    values = drawn(kind, size)
    ours = percentiles(values, float(values.min()), float(values.max()), PERCENTS)
    np.testing.assert_array_equal(ours, np.percentile(values, PERCENTS))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [3, 30, 1_000, 50_000])
@pytest.mark.parametrize("kind", KINDS)
def test_every_feature_is_pyradiomics_own(kind, size, dtype):
    values = drawn(kind, size).astype(dtype)
    theirs, counts = pyradiomics(values, shift=100.0)
    np.testing.assert_allclose(firstorder(values, counts, 3.0, 100.0), theirs, rtol=1e-9, atol=1e-15)


@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(-1000, 1000, width=16)))
@settings(deadline=None)
def test_every_feature_of_few_voxels_is_pyradiomics_own(values):
    theirs, counts = pyradiomics(values)
    np.testing.assert_allclose(firstorder(values, counts, 3.0, 0.0), theirs, rtol=1e-9, atol=1e-12)


def test_nan_is_left_out():
    values = drawn("normal", 100)
    holed = np.insert(values, [3, 50, 100], np.nan)
    np.testing.assert_array_equal(firstorder(holed, np.array([60, 40]), 1.0, 0.0),
                                  firstorder(values, np.array([60, 40]), 1.0, 0.0))  # fmt: skip


def test_standard_deviation_is_pyradiomics_own():
    values = drawn("normal", 1_000)
    assert standard_deviation(values) == pytest.approx(
        pyradiomics(values, names=["StandardDeviation"])[0][0], rel=1e-12
    )


def test_nothing_but_nan_is_a_message():
    with pytest.raises(FeatureError, match="found no voxel with a number"):
        firstorder(np.full(3, np.nan), np.array([3]), 1.0, 0.0)
