"""Filters against PyRadiomics' own functions, bit by bit, on volumes that are rough, smooth, flat in part, or tiny."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from radiomics import imageoperations
from scipy.ndimage import gaussian_filter

from fusion.features.radiomics.filters.gradient import gradient
from fusion.features.radiomics.filters.laplacian import bounding_box, fits, laplacians
from fusion.features.radiomics.filters.pattern import pattern2d, pattern3d
from fusion.features.radiomics.filters.pointwise import exponential, logarithm, square, squareroot
from fusion.features.radiomics.filters.wavelet import wavelet
from fusion.features.radiomics.oracle import scipy_names

TUMOUR = Path(__file__).parents[4] / "shared/data/sts/nifti/STS_001"
SPACINGS = [(1.0, 1.0, 1.0), (3.27, 0.977, 0.8)]
POINTWISE = {
    square: imageoperations.getSquareImage,
    squareroot: imageoperations.getSquareRootImage,
    logarithm: imageoperations.getLogarithmImage,
    exponential: imageoperations.getExponentialImage,
}
KINDS = ["rough", "smooth", "plateau", "zeros in part", "whole numbers", "constant", "zero"]


def volume(kind: str, shape: tuple[int, ...], dtype: str = "float32", seed: int = 0) -> np.ndarray:
    rough = np.random.default_rng(seed).normal(size=shape) * 300
    smooth = gaussian_filter(rough, 1.5)
    half = np.arange(rough.size).reshape(shape) < rough.size // 2
    made = {
        "rough": rough,
        "smooth": smooth,
        "plateau": np.where(half, -1000, smooth),
        "zeros in part": np.where(half, 0, smooth),
        "whole numbers": np.round(rough / 100),
        "constant": np.full(shape, 5.0),
        "zero": np.zeros(shape),
    }
    return made[kind].astype(dtype)


def region(shape: tuple[int, ...], seed: int = 0, touches: bool = True) -> np.ndarray:
    where = np.random.default_rng(seed).random(shape) < 0.3
    if not touches:
        where[[0, -1]], where[:, [0, -1]], where[:, :, [0, -1]] = False, False, False
    where[tuple(size // 2 for size in shape)] = True
    return where


def theirs(
    function: Callable[..., Any], image: np.ndarray, where: np.ndarray, spacing_mm: Any = (1.0, 1.0, 1.0), **kwargs: Any
) -> dict[str, np.ndarray]:
    given = sitk.GetImageFromArray(image)
    given.SetSpacing(spacing_mm[::-1])
    mask = sitk.GetImageFromArray(where.astype(np.uint8))
    with warnings.catch_warnings(), np.errstate(all="ignore"), scipy_names():
        warnings.simplefilter("ignore")
        made = {name: sitk.GetArrayFromImage(found) for found, name, _ in function(given, mask, **kwargs)}
    return {name: array[where] for name, array in made.items()}


def assert_equal(ours: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(ours) == list(expected)
    for name, values in expected.items():
        assert ours[name].dtype == values.dtype, name
        np.testing.assert_array_equal(ours[name], values, err_msg=name)


def test_box_holds_every_voxel_and_no_smaller_one_does() -> None:
    where = np.zeros((5, 6, 7), bool)
    where[1, 2, 3] = where[3, 2, 6] = True
    assert bounding_box(where) == (slice(1, 4), slice(2, 3), slice(3, 7))


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize("shape", [(4, 4, 4), (5, 40, 17), (20, 21, 36)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_laplacian_is_itks(spacing_mm: Any, shape: tuple[int, ...], dtype: str) -> None:
    image, where, sigmas_mm = volume("rough", shape, dtype), region(shape), (1.0, 2.5)
    sitk_filter = sitk.LaplacianRecursiveGaussianImageFilter()
    sitk_filter.SetNormalizeAcrossScale(True)
    given = sitk.GetImageFromArray(image)
    given.SetSpacing(spacing_mm[::-1])
    for sigma_mm, ours in zip(sigmas_mm, laplacians(image, where, spacing_mm, sigmas_mm), strict=True):
        sitk_filter.SetSigma(sigma_mm)
        expected = sitk.GetArrayFromImage(sitk_filter.Execute(given))[where]
        assert ours.dtype == expected.dtype
        np.testing.assert_array_equal(ours, expected)


@given(st.tuples(*[st.integers(3, 9)] * 3), st.sampled_from(SPACINGS), st.floats(0.3, 6))
@settings(max_examples=40, deadline=None)
def test_laplacian_fits_where_pyradiomics_makes_it(shape: Any, spacing_mm: Any, sigma_mm: float) -> None:
    where = np.ones(shape, bool)
    made = theirs(imageoperations.getLoGImage, np.zeros(shape, np.float32), where, spacing_mm, sigma=[sigma_mm])
    assert fits(shape, spacing_mm, sigma_mm) == bool(made)


def test_laplacian_of_a_paraboloid_is_six() -> None:
    z, y, x = np.meshgrid(*[np.arange(41.0) - 20] * 3, indexing="ij")
    image, centre = (z * z + y * y + x * x).astype(np.float32), np.zeros((41, 41, 41), bool)
    centre[20, 20, 20] = True
    assert laplacians(image, centre, (1.0, 1.0, 1.0), [2.0])[0][0] / 2.0**2 == pytest.approx(6, rel=0.02)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 9, 9), (6, 6, 6), (5, 30, 17), (21, 8, 12)])
@pytest.mark.parametrize("name", ["coif1", "haar", "bior1.3"])
def test_wavelet_is_pyradiomics(name: str, shape: tuple[int, ...], dtype: str) -> None:
    image, where = volume("rough", shape, dtype), region(shape)
    expected = theirs(imageoperations.getWaveletImage, image, where, wavelet=name)
    assert_equal(wavelet(image, where, name=name), expected)


@pytest.mark.parametrize("ours", [{"level": 2}, {"level": 2, "start_level": 1}, {"start_level": 1}])
def test_further_levels_are_pyradiomics(ours: dict[str, int]) -> None:
    image, where = volume("rough", (9, 10, 12)), region((9, 10, 12))
    assert_equal(wavelet(image, where, **ours), theirs(imageoperations.getWaveletImage, image, where, **ours))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_wavelet_within_slices_is_pyradiomics(axis: int) -> None:
    image, where = volume("rough", (9, 10, 13)), region((9, 10, 13))
    expected = theirs(imageoperations.getWaveletImage, image, where, force2D=True, force2Ddimension=axis)
    assert_equal(wavelet(image, where, force2d_dimension=axis), expected)


@pytest.mark.parametrize("ours", POINTWISE, ids=lambda function: function.__name__)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pointwise_is_pyradiomics(ours: Callable[..., Any], kind: str, dtype: str) -> None:
    image, where = volume(kind, (5, 9, 7), dtype), region((5, 9, 7))
    assert_equal({ours.__name__: ours(image, where)}, theirs(POINTWISE[ours], image, where))


@pytest.mark.parametrize("ours", POINTWISE, ids=lambda function: function.__name__)
def test_pointwise_is_scaled_by_the_whole_crop(ours: Callable[..., Any]) -> None:
    image, where = volume("smooth", (5, 9, 7)), region((5, 9, 7))
    image[0, 0, 0], where[0, 0, 0] = 3000, False
    assert_equal({ours.__name__: ours(image, where)}, theirs(POINTWISE[ours], image, where))


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize("use_spacing", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_is_itks(spacing_mm: Any, use_spacing: bool, dtype: str) -> None:
    image, where = volume("rough", (1, 9, 7), dtype), region((1, 9, 7))
    for shape in ((1, 9, 7), (6, 9, 7)):
        image, where = volume("rough", shape, dtype), region(shape)
        ours = gradient(image, where, spacing_mm, use_spacing=use_spacing)
        oracle = imageoperations.getGradientImage
        assert_equal({"gradient": ours}, theirs(oracle, image, where, spacing_mm, gradientUseSpacing=use_spacing))


@pytest.mark.parametrize("shape", [(1, 9, 9), (2, 3, 8), (12, 13, 14)])
@pytest.mark.parametrize("kind", KINDS)
def test_pattern_on_a_sphere_is_pyradiomics(kind: str, shape: tuple[int, ...]) -> None:
    image, where = volume(kind, shape), region(shape)
    assert_equal(pattern3d(image, where), theirs(imageoperations.getLBP3DImage, image, where))


@given(st.tuples(*[st.integers(3, 8)] * 3), st.sampled_from(KINDS), st.booleans(), st.integers(0, 99))
@settings(max_examples=12, deadline=None)
def test_pattern_of_any_volume_is_pyradiomics(shape: Any, kind: str, touches: bool, seed: int) -> None:
    image, where = volume(kind, shape, seed=seed), region(shape, seed, touches)
    assert_equal(pattern3d(image, where), theirs(imageoperations.getLBP3DImage, image, where))


@pytest.mark.parametrize("kind", KINDS)
def test_pattern_in_double_precision_is_pyradiomics(kind: str) -> None:
    image, where = volume(kind, (9, 10, 11), "float64"), region((9, 10, 11))
    ours, expected = pattern3d(image, where), theirs(imageoperations.getLBP3DImage, image, where)
    kurtosis = ours.pop("lbp-3D-k")
    np.testing.assert_allclose(kurtosis, expected.pop("lbp-3D-k"), rtol=1e-9, atol=1e-12)
    assert_equal(ours, expected)


@pytest.mark.parametrize(("levels", "radius", "subdivision"), [(2, 2.0, 0), (3, 1.0, 1), (3, 1.7, 2)])
def test_other_spheres_are_pyradiomics(levels: int, radius: float, subdivision: int) -> None:
    image, where = volume("rough", (10, 9, 11)), region((10, 9, 11))
    names = {"lbp3DLevels": levels, "lbp3DIcosphereRadius": radius, "lbp3DIcosphereSubdivision": subdivision}
    expected = theirs(imageoperations.getLBP3DImage, image, where, **names)
    ours = pattern3d(image, where, levels=levels, radius=radius, subdivision=subdivision)
    assert list(ours) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_pattern_on_a_circle_is_pyradiomics(axis: int) -> None:
    image, where = volume("smooth", (4, 9, 7)), region((4, 9, 7))
    expected = theirs(imageoperations.getLBP2DImage, image, where, force2D=True, force2Ddimension=axis)
    assert_equal(pattern2d(image, where, force2d_dimension=axis), expected)


@pytest.mark.skipif(not TUMOUR.is_dir(), reason="the environment's shared data are not here")
def test_a_real_tumour_is_pyradiomics() -> None:
    image = sitk.GetArrayFromImage(sitk.ReadImage(str(TUMOUR / "CT_image.nii.gz"), sitk.sitkFloat32))
    tumour = sitk.GetArrayFromImage(sitk.ReadImage(str(TUMOUR / "CT_mask.nii.gz"))) == 1
    part = tuple(slice(box.start - 5, box.start + 25) for box in bounding_box(tumour))
    image, tumour = np.ascontiguousarray(image[part]), np.ascontiguousarray(tumour[part])
    assert_equal(wavelet(image, tumour), theirs(imageoperations.getWaveletImage, image, tumour))
    assert_equal(pattern3d(image, tumour), theirs(imageoperations.getLBP3DImage, image, tumour))
    expected = theirs(imageoperations.getLoGImage, image, tumour, sigma=[1.0, 2.0, 3.0])
    ours = laplacians(image, tumour, (1.0, 1.0, 1.0), [1.0, 2.0, 3.0])
    assert_equal(dict(zip(expected, ours, strict=True)), expected)
