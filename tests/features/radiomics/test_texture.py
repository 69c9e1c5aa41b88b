"""Texture features against PyRadiomics' own classes, on volumes small enough to have every odd case."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fusion.config.radiomics import Radiomics
from fusion.features.radiomics.levels import discretise
from fusion.features.radiomics.matrices.layout import angles, layout
from fusion.features.radiomics.plan import Binning, Texture, plan
from fusion.features.radiomics.preset import FEATURES
from fusion.features.radiomics.texture import ground, texture

PLAIN = plan(Radiomics())[0].texture
SPACING = (3.0, 1.0, 1.5)
VARIANTS = {
    "plain": PLAIN,
    "narrow bins": replace(PLAIN, binning=Binning(5.0, None)),
    "bin count": replace(PLAIN, binning=Binning(25.0, 8)),
    "two distances": replace(PLAIN, distances=(1, 2)),
    "not symmetrical": replace(PLAIN, symmetrical=False),
    "euclidean": replace(PLAIN, weighting="euclidean"),
    "infinity": replace(PLAIN, weighting="infinity"),
    "manhattan": replace(PLAIN, weighting="manhattan"),
    "no weighting": replace(PLAIN, weighting="no_weighting"),
    "alpha": replace(PLAIN, gldm_alpha=2, binning=Binning(5.0, None)),
    **{f"2-D across {axis}": replace(PLAIN, force_2d=True, force_2d_dimension=axis) for axis in range(3)},
}


def theirs(image, mask, how: Texture) -> dict[str, np.ndarray]:
    from radiomics.featureextractor import getFeatureClasses

    corner, end = np.argwhere(mask).min(axis=0), np.argwhere(mask).max(axis=0) + 1
    box = tuple(slice(a, b) for a, b in zip(corner, end, strict=True))
    pair = [sitk.GetImageFromArray(image[box]), sitk.GetImageFromArray(mask[box].astype(np.uint8))]
    for part in pair:
        part.SetSpacing(SPACING[::-1])
    asked = {"binWidth": how.binning.bin_width, "binCount": how.binning.bin_count, "distances": list(how.distances),
             "symmetricalGLCM": how.symmetrical, "weightingNorm": how.weighting, "gldm_a": how.gldm_alpha,
             "force2D": how.force_2d, "force2Ddimension": how.force_2d_dimension}  # fmt: skip
    found = {}
    for kind in ("glcm", "glrlm", "glszm", "gldm", "ngtdm"):
        with np.errstate(all="ignore"):
            values = getFeatureClasses()[kind](*pair, **asked).execute()
        found[kind] = np.array([float(np.real(values[name])) for name in FEATURES[kind]])
    return found


def ours(image, mask, how: Texture) -> dict[str, np.ndarray]:
    return texture(discretise(image[mask], how.binning), ground(mask, SPACING, how), how)


def compare(image, mask, how: Texture) -> None:
    expected = theirs(image, mask, how)
    for kind, found in ours(image, mask, how).items():
        there = np.isfinite(expected[kind])
        if np.isnan(found).all():  # no two voxels touch: PyRadiomics has a number for MCC and InverseVariance only
            assert there.sum() <= 2
            continue
        np.testing.assert_allclose(found[there], expected[kind][there], rtol=1e-8, atol=1e-12, err_msg=kind)


@pytest.mark.parametrize("how", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("shape", [(9, 14, 13), (1, 12, 12), (2, 9, 9), (9, 9, 1)], ids=str)
def test_features_are_pyradiomics_own(shape, how):
    random = np.random.default_rng(len(shape) + shape[0])
    image, mask = random.normal(0, 60, shape).astype(np.float32), random.random(shape) < 0.6
    compare(image, mask, how)


@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    shape=st.tuples(*[st.integers(1, 5)] * 3), seed=st.integers(0, 2**32 - 1), filled=st.sampled_from([0.3, 0.6, 1.0]),
    spread=st.sampled_from([0.0, 20.0, 200.0]),
)  # fmt: skip
def test_small_regions_too(shape, seed, filled, spread):
    random = np.random.default_rng(seed)
    image, mask = random.normal(0, spread, shape).astype(np.float32), random.random(shape) < filled
    if mask.sum() > 1:
        compare(image, mask, PLAIN)


@pytest.mark.xfail(
    strict=True, reason="Imc1 and Imc2 of one direction of 24 voxels differ; found by chance, not explained"
)
def test_a_small_region_that_differs():
    random = np.random.default_rng(3)
    image, mask = random.normal(0, 200.0, (3, 3, 5)).astype(np.float32), random.random((3, 3, 5)) < 0.6
    compare(image, mask, PLAIN)


def test_a_region_of_large_smooth_parts_too():
    z, y, x = np.mgrid[:16, :24, :24]
    image = (80 * np.sin(z / 5) + 60 * np.cos(y / 7) + x).astype(np.float32)
    compare(image, (z - 8) ** 2 + (y - 12) ** 2 / 2 + (x - 12) ** 2 / 2 < 60, PLAIN)


def test_a_layout_gives_its_voxels_back():
    mask = np.random.default_rng(0).random((4, 5, 6)) < 0.5
    own = layout(mask)
    values = np.arange(1, mask.sum() + 1)
    box = own.fill(values).reshape(own.padded)[1:-1, 1:-1, 1:-1]
    np.testing.assert_array_equal(box[box > 0], values)


def test_opposite_directions_are_counted_once():
    offsets = angles((9, 9, 9), (1, 2))
    both = {tuple(own) for own in np.concatenate([offsets, -offsets]).tolist()}
    assert len(both) == 2 * len(offsets) == 124
