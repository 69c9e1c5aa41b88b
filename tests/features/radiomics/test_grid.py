from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from fusion.config.radiomics import Preparation
from fusion.data.image import Geometry, read_image, read_labels, to_sitk
from fusion.errors import FeatureError
from fusion.features.radiomics.crop.grid import crops

STS = Path(__file__).parents[4] / "shared/data/sts/nifti"
EXACT = Preparation()
IDENTITY = tuple(np.eye(3).ravel().tolist())
SPACINGS_MM = (0.5, 0.7, 0.9765625, 1.0, 1.25, 2.0, 2.5, 3.27)


def grid(shape, spacing_mm=(1.0, 1.0, 1.0), origin_mm=(0.0, 0.0, 0.0), direction=IDENTITY):
    return Geometry(shape, spacing_mm, origin_mm, direction)


def noise(shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(40, 200, shape).astype(dtype)


def box(shape, *ranges):
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(*ends) for ends in ranges)] = True
    return mask


def sphere(shape, centre, radius):
    away = [(np.arange(n) - c) ** 2 for n, c in zip(shape, centre, strict=True)]
    return away[0][:, None, None] + away[1][:, None] + away[2] <= radius**2


def theirs(image, mask, geometry, own):
    """PyRadiomics' image, mask, shape mask and grid for the same settings."""
    import radiomics
    from radiomics import imageoperations
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    radiomics.logger.setLevel("CRITICAL")
    options = {
        "resampledPixelSpacing": list(own.spacing_mm[::-1]) if own.spacing_mm else None,
        "interpolator": own.interpolator, "padDistance": own.pad_distance, "preCrop": own.pre_crop, "label": 1,
        "normalize": own.normalise, "normalizeScale": own.normalise_scale, "removeOutliers": own.remove_outliers,
        "resegmentRange": list(own.resegment_range) if own.resegment_range else None,
        "resegmentMode": own.resegment_mode, "resegmentShape": own.resegment_shape,
        "minimumROIDimensions": own.minimum_dimensions, "minimumROISize": own.minimum_voxels,
    }  # fmt: skip
    pair = to_sitk(image, geometry), to_sitk(mask.astype(np.uint8), geometry)
    grey, region = RadiomicsFeatureExtractor.loadImage(*pair, **options)
    imageoperations.checkMask(grey, region, **options)
    kept = region
    if own.resegment_range:
        kept = imageoperations.resegmentMask(grey, region, **options)
        bounds, _ = imageoperations.checkMask(grey, kept, **options)
        drawn = kept if own.resegment_shape else region
        cut = np.zeros(grey.GetSize()[::-1], dtype=bool)
        inside = tuple(slice(bounds[2 * axis], bounds[2 * axis + 1] + 1) for axis in (2, 1, 0))
        cut[inside] = sitk.GetArrayFromImage(drawn)[inside] == 1
    else:
        cut = sitk.GetArrayFromImage(region) == 1
    return sitk.GetArrayFromImage(grey), sitk.GetArrayFromImage(kept) == 1, cut, grey


def assert_equal(crop, expected):
    grey, mask, shape_mask, itk = expected
    np.testing.assert_array_equal(crop.mask, mask)
    np.testing.assert_array_equal(crop.shape_mask, shape_mask)
    assert crop.image.dtype == grey.dtype
    if grey.dtype == np.float32:
        other = crop.image != grey  # float32's last bit: the rounding of ITK's coordinates, or of a tie half way
        assert other.sum() <= 8 + 1e-5 * grey.size
        np.testing.assert_allclose(crop.image[other], grey[other], rtol=1.2e-7, atol=1e-12 * np.abs(grey).max())
    else:
        np.testing.assert_allclose(crop.image, grey, rtol=1e-12, atol=1e-12 * max(np.abs(grey).max(), 1e-300))
    assert crop.geometry.difference(
        Geometry(itk.GetSize()[::-1], itk.GetSpacing()[::-1], itk.GetOrigin(), itk.GetDirection()), 1e-9, 1e-9
    ) == []  # fmt: skip


def check(image, mask, geometry, **changes):
    own = Preparation(**changes)
    assert_equal(crops(image, {"tumour": mask}, geometry, own)["tumour"], theirs(image, mask, geometry, own))


axis_size = st.integers(1, 22).filter(lambda n: n != 2)  # ITK reads outside its memory beyond the second of two slices


places = st.fixed_dictionaries({
    "seed": st.integers(0, 2**32 - 1),
    "shape": st.tuples(axis_size, axis_size, axis_size),
    "spacing_mm": st.tuples(*[st.sampled_from(SPACINGS_MM)] * 3),
    "turned": st.booleans(),
    "order": st.permutations(range(3)),
    "decimals": st.integers(0, 6),
    "filled": st.sampled_from([0.5, 1.0]),
})  # fmt: skip


def case(seed, shape, spacing_mm, turned, order, decimals, filled):
    """An image, a region and a grid that may be flipped, permuted, turned and off the origin."""
    generator = np.random.default_rng(seed)
    turn = Rotation.from_rotvec(generator.normal(size=3)).as_matrix() if turned else np.eye(3)
    direction = turn @ (np.eye(3)[list(order)] * generator.choice([-1.0, 1.0]))
    origin_mm = tuple(generator.uniform(-300, 300, 3).round(decimals).tolist())
    low = [generator.integers(0, (n + 1) // 2) for n in shape]
    high = [generator.integers((a + n) // 2 + 1, n + 1) for a, n in zip(low, shape, strict=True)]
    mask = box(shape, *zip(low, high, strict=True)) & (generator.random(shape) <= filled)
    image = generator.normal(0, 300, shape).astype(np.float32)
    return image, mask, Geometry(shape, spacing_mm, origin_mm, tuple(direction.ravel().tolist()))


preparations = st.fixed_dictionaries({
    "spacing_mm": st.one_of(st.none(), st.tuples(*[st.sampled_from((0.0, 1.0, *SPACINGS_MM))] * 3)),
    "interpolator": st.sampled_from(["sitkBSpline"] * 3 + ["sitkLinear", "sitkNearestNeighbor"]),
    "pad_distance": st.sampled_from([0, 1, 5]),
    "pre_crop": st.booleans(),
    "normalise": st.sampled_from([False, False, True]),
    "normalise_scale": st.sampled_from([1.0, 100 / 3]),
    "remove_outliers": st.sampled_from([None, 1.5]),
    "resegment_range": st.sampled_from([None, (0.1,), (-1.0, 0.7), (-500.0, 90.1)]),
    "resegment_mode": st.sampled_from(["absolute", "relative", "sigma"]),
    "resegment_shape": st.booleans(),
    "minimum_dimensions": st.sampled_from([1, 1, 1, 2, 3]),
    "minimum_voxels": st.sampled_from([None, 20]),
})  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(places, preparations)
def test_crops_and_refusals_are_pyradiomics_own(place, chosen):
    image, mask, geometry = case(**place)
    if mask.all():
        return  # PyRadiomics takes a mask without background for an empty one
    own = Preparation(**chosen)
    try:
        expected = theirs(image, mask, geometry, own)
    except ValueError:
        with pytest.raises(FeatureError):
            crops(image, {"tumour": mask}, geometry, own)
        return
    assert_equal(crops(image, {"tumour": mask}, geometry, own)["tumour"], expected)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0)])
def test_half_way_voxels_fall_where_itk_lets_them(order):
    for seed in range(8):
        image, mask, geometry = case(seed, (20, 26, 32), (0.5, 0.5, 0.5), False, order, 3, 0.5)
        check(image, mask, geometry, spacing_mm=(1.0, 1.0, 1.0), pad_distance=1)


def test_a_part_of_a_large_image_gives_what_the_whole_gives():
    image, geometry = noise((70, 90, 100)), grid((70, 90, 100), (2.5, 0.7, 0.78))
    mask = sphere(image.shape, (36, 47, 50), 6)
    check(image, mask, geometry)


def test_regions_get_the_same_crops_together_as_alone():
    shape = (30, 60, 60)
    image, geometry = noise(shape), grid(shape, (3.0, 0.8, 0.8), (-10.0, 7.5, 3.25))
    masks = {
        "tumour": sphere(shape, (12, 25, 25), 6),
        "external2": sphere(shape, (12, 25, 25), 9) & ~sphere(shape, (12, 25, 25), 6),
        "slice": box(shape, (4, 5), (20, 40), (20, 40)),
        "far": box(shape, (28, 30), (55, 60), (55, 60)),
    }
    together = crops(image, masks, geometry, EXACT)
    for name, mask in masks.items():
        alone = crops(image, {name: mask}, geometry, EXACT)[name]
        np.testing.assert_array_equal(together[name].image, alone.image)
        np.testing.assert_array_equal(together[name].mask, alone.mask)
        assert together[name].offset == alone.offset
        assert_equal(alone, theirs(image, mask, geometry, EXACT))
    assert together["slice"].spacing_mm == (3.0, 1.0, 1.0)


def test_a_shared_crop_is_that_of_the_union():
    shape = (20, 40, 40)
    image, geometry = noise(shape), grid(shape, (2.0, 0.9, 0.9))
    masks = {"tumour": sphere(shape, (9, 15, 15), 5), "other": sphere(shape, (12, 25, 25), 4)}
    shared = crops(image, masks, geometry, Preparation(crop="shared"))
    both = crops(image, {"both": masks["tumour"] | masks["other"]}, geometry, EXACT)["both"]
    for crop in shared.values():
        np.testing.assert_array_equal(crop.image, both.image)
        assert crop.offset == both.offset
    np.testing.assert_array_equal(shared["tumour"].mask | shared["other"].mask, both.mask)


def test_overlapping_crops_agree_where_they_overlap():
    shape = (24, 40, 40)
    masks = {"small": sphere(shape, (12, 20, 20), 3), "large": sphere(shape, (12, 20, 20), 7)}
    made = crops(noise(shape), masks, grid(shape, (2.0, 0.7, 0.7)), EXACT)
    small, large = made["small"], made["large"]
    inside = tuple(
        slice(a - b, a - b + n) for a, b, n in zip(small.offset, large.offset, small.image.shape, strict=True)
    )
    np.testing.assert_array_equal(large.image[inside], small.image)


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32])
def test_integers_are_float32_before_anything_else(kind):
    shape = (10, 20, 20)
    image = np.random.default_rng(0).integers(0, 250, shape).astype(kind)
    mask, geometry = sphere(shape, (5, 10, 10), 4), grid(shape, (2.0, 0.7, 0.7))
    for own in (EXACT, Preparation(spacing_mm=None), Preparation(normalise=True)):
        ours = crops(image, {"tumour": mask}, geometry, own)["tumour"]
        assert_equal(ours, theirs(image.astype(np.float32), mask, geometry, own))


def test_the_rest_of_the_image_is_not_read():
    image, shape = noise((80, 80, 90)), (80, 80, 90)
    mask, geometry = sphere(shape, (40, 40, 42), 4), grid(shape)
    expected = crops(image, {"tumour": mask}, geometry, Preparation(spacing_mm=(0.9, 0.9, 0.9)))["tumour"].image
    image[:3], image[:, :, -3:] = np.nan, np.inf
    found = crops(image, {"tumour": mask}, geometry, Preparation(spacing_mm=(0.9, 0.9, 0.9)))["tumour"].image
    np.testing.assert_array_equal(found, expected)


def test_a_mask_without_background_is_measured():
    image = noise((6, 8, 10))
    made = crops(image, {"all": np.ones(image.shape, dtype=bool)}, grid(image.shape, (1.5, 1.0, 1.0)), EXACT)["all"]
    assert made.mask.shape == (9, 8, 10)
    assert made.mask.all()


def test_two_slices_are_mirrored():
    image = np.stack([np.zeros((8, 8)), np.ones((8, 8))]).astype(np.float32)
    made = crops(image, {"all": np.ones(image.shape, dtype=bool)}, grid(image.shape, (2.0, 1.0, 1.0)), EXACT)["all"]
    np.testing.assert_allclose(made.image + made.image[::-1], 1, atol=1e-6)


def refused(image, masks, geometry, **changes):
    with pytest.raises(FeatureError) as error:
        crops(image, masks, geometry, Preparation(**changes))
    return [str(fault) for fault in error.value.faults]


def test_all_regions_faults_come_at_once():
    shape = (12, 12, 12)
    masks = {"one": box(shape, (3, 4), (3, 4), (3, 4)), "line": box(shape, (3, 4), (3, 4), (3, 9))}
    first, second = refused(noise(shape), masks, grid(shape))
    assert "one: one voxel" in first
    assert "line: a region of 1 dimension;" in second


def test_a_region_as_small_as_the_minimum_is_refused():
    shape = (12, 12, 12)
    masks = {"tumour": box(shape, (3, 5), (3, 5), (3, 5))}
    assert "8 voxels; expected more than 8" in refused(noise(shape), masks, grid(shape), minimum_voxels=8)[0]
    assert crops(noise(shape), masks, grid(shape), Preparation(minimum_voxels=7))


def test_a_region_lost_in_resampling_is_refused():
    shape = (12, 12, 12)
    checkered = np.indices(shape).sum(axis=0) % 2 == 1
    found = refused(noise(shape), {"tumour": checkered & box(shape, (3, 6), (3, 6), (3, 6))}, grid(shape),
                    spacing_mm=(9.0, 9.0, 9.0))  # fmt: skip
    assert "tumour: no voxel left" in found[0]


def test_a_region_lost_in_re_segmentation_is_refused():
    shape = (12, 12, 12)
    found = refused(noise(shape), {"tumour": box(shape, (2, 9), (2, 9), (2, 9))}, grid(shape), resegment_range=(1e6,))
    assert "tumour, re-segmented: no voxel left" in found[0]


def test_an_empty_mask_and_one_of_another_shape_are_refused():
    shape = (12, 12, 12)
    assert "empty: no voxel;" in refused(noise(shape), {"empty": np.zeros(shape, dtype=bool)}, grid(shape))[0]
    other = {"other": np.ones((12, 12, 11), dtype=bool)}
    assert "other: (12, 12, 11) voxels" in refused(noise(shape), other, grid(shape))[0]


def test_grey_values_that_are_not_finite_are_counted():
    image = noise((12, 12, 12))
    image[5, 5, 5:8] = np.nan
    masks = {"tumour": box(image.shape, (4, 7), (4, 7), (4, 7))}
    for own in ({}, {"spacing_mm": None}, {"normalise": True}):
        assert "tumour: 3 NaN or infinite voxels" in refused(image, masks, grid(image.shape, (2.0, 2.0, 2.0)), **own)[0]


@pytest.mark.skipif(not STS.is_dir(), reason=f"the sarcoma images are not at {STS}")
@pytest.mark.parametrize("kind", ["CT", "MR_T1", "PET"])
def test_a_sarcoma_is_cropped_as_pyradiomics_does(kind):
    image, labels = read_image(STS / f"STS_001/{kind}_image.nii.gz"), read_labels(STS / f"STS_001/{kind}_mask.nii.gz")
    check(image.values, labels.values > 0, image.geometry)
