"""IBSI 1's image processing and definitions on volumes small enough to know the answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry
from fusion.errors import ConfigError, FeatureError
from fusion.features.radiomics import ibsi
from fusion.features.radiomics.ibsi import Processing, crops, edges, processing, redefine
from fusion.features.radiomics.levels import ranked
from fusion.features.radiomics.plan import Binning

UNIT = (1.0, 1.0, 1.0)
sizes = st.tuples(*[st.integers(2, 9)] * 3)
spacings = st.tuples(*[st.sampled_from([0.7, 1.0, 1.5, 2.0, 3.27])] * 3)


def position_mm(size, spacing_mm, axis):
    """Distance of every voxel centre from the volume's centre."""
    along = (np.arange(size[axis]) - (size[axis] - 1) / 2) * spacing_mm[axis]
    return np.broadcast_to(along.reshape([-1 if n == axis else 1 for n in range(3)]), size)


def geometry(size, spacing_mm):
    return Geometry(size, spacing_mm, (-10.0, 20.0, 5.0), (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0))


def prepare(image, region, spacing_mm, steps, pad=0):
    return ibsi.prepare(image, region, geometry(image.shape, spacing_mm), steps, pad)


def everywhere(image):
    return np.ones(image.shape, dtype=bool)


def level(values, width=25.0, count=None, lowest=None):
    return np.searchsorted(edges(values, Binning(width, count), lowest), values, side="right")


@given(sizes, spacings, spacings, st.integers(0, 2), st.sampled_from([1, 3]))
@settings(max_examples=40, deadline=None)
def test_new_voxels_lie_around_the_same_centre(size, spacing_mm, fine_mm, axis, order):
    image = np.ascontiguousarray(position_mm(size, spacing_mm, axis))
    found = prepare(image, everywhere(image), spacing_mm, Processing(fine_mm, order))
    expected_mm = position_mm(found.image.shape, found.spacing_mm, axis)
    inside = np.abs(expected_mm) <= (0 if order == 3 else (size[axis] - 1) / 2 * spacing_mm[axis])
    assert found.image[inside] == pytest.approx(expected_mm[inside], abs=1e-9)


@given(sizes, spacings, spacings)
@settings(max_examples=40, deadline=None)
def test_the_fewest_voxels_that_cover_the_old_grid(size, spacing_mm, fine_mm):
    image = np.zeros(size)
    found = prepare(image, everywhere(image), spacing_mm, Processing(fine_mm))
    exact = np.round(np.array(size) * spacing_mm / fine_mm, 3)
    assert found.image.shape == tuple(np.ceil(exact).astype(int))
    assert found.shape_mask.all()


@given(arrays.arrays(np.float64, (4, 5, 6), elements=st.integers(-1000, 1000)), st.sampled_from([1, 3]))
@settings(max_examples=25, deadline=None)
def test_mirrored_in_mirrored_out(image, order):
    region = image > 0
    region[1:3, 1:4, 2:5] = True
    processing = Processing((0.8, 1.3, 0.7), order)
    found, mirrored = (prepare(one, mask, UNIT, processing) for one, mask in
                       ((image, region), (image[::-1, :, ::-1], region[::-1, :, ::-1])))  # fmt: skip
    assert mirrored.image == pytest.approx(found.image[::-1, :, ::-1], abs=1e-8)
    assert np.array_equal(mirrored.shape_mask, found.shape_mask[::-1, :, ::-1])


@pytest.mark.parametrize("order", [1, 3])
def test_the_crop_changes_nothing(order):
    generator = np.random.default_rng(3)
    image, region = generator.normal(0, 300, (60, 60, 60)), np.zeros((60, 60, 60), dtype=bool)
    region[26:33, 25:34, 27:31] = True
    found = prepare(image, region, (3.0, 1.0, 0.9), Processing((2.0, 2.0, 2.0), order), pad=2)
    axes = [(n - 1) / 2 + (np.arange(m) - (m - 1) / 2) * step
            for n, m, step in zip(image.shape, (90, 30, 27), (2 / 3, 2.0, 2 / 0.9), strict=True)]  # fmt: skip
    grid = np.meshgrid(*axes, indexing="ij")
    inside = ndimage.map_coordinates(region.astype(float), grid, order=1, mode="nearest") >= 0.5 - 1e-6
    box = tuple(slice(own.start - 2, own.stop + 2) for own in ndimage.find_objects(inside.astype(int))[0])
    whole = ndimage.map_coordinates(image, grid, order=order, mode="nearest")
    assert found.image == pytest.approx(whole[box], abs=1e-5)
    assert np.array_equal(found.shape_mask, inside[box])


def test_the_native_grid_keeps_its_voxels():
    image = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(np.float32)
    found = prepare(image, everywhere(image), (3.0, 1.0, 1.0), Processing())
    same = prepare(image, everywhere(image), (3.0, 1.0, 1.0), Processing((3.0, 0.0, 0.0), 3))
    assert np.array_equal(found.image, image)
    assert np.array_equal(same.image, image)
    assert same.spacing_mm == (3.0, 1.0, 1.0)


def test_a_spacing_kept_in_float32_adds_no_voxel():
    image = np.zeros((60, 3, 3))
    spacing_mm = (float(np.nextafter(np.float32(3), np.float32(4))), 1.0, 1.0)
    assert prepare(image, everywhere(image), spacing_mm, Processing(UNIT)).image.shape == (180, 3, 3)


def test_a_voxel_half_inside_is_inside():
    region = np.zeros((1, 1, 8), dtype=bool)
    region[..., 2:4] = True
    found = prepare(np.zeros((1, 1, 8)), region, UNIT, Processing((1.0, 1.0, 2.0)))
    assert found.shape_mask.sum() == 1
    found = prepare(np.zeros((1, 1, 9)), np.append(region, [[[False]]], 2), UNIT, Processing((1.0, 1.0, 2.0)))
    assert found.shape_mask.sum() == 1  # new centres at old voxels 0, 2, 4, ...: the one at 2
    found = prepare(np.zeros((1, 1, 8)), region, UNIT, Processing((1.0, 1.0, 0.5)))
    assert found.shape_mask.sum() == 4
    thin = np.zeros((1, 1, 8), dtype=bool)
    thin[..., 2] = True
    found = prepare(np.zeros((1, 1, 8)), thin, UNIT, Processing((1.0, 1.0, 2.0)))
    assert found.shape_mask.sum() == 1  # between old voxels 2 and 3: exactly one half


def test_grey_values_are_rounded_when_asked():
    image = np.array([0.0, 1.0, 3.0, 4.0]).reshape(1, 1, 4) * np.ones((1, 2, 1))
    exact = prepare(image, everywhere(image), UNIT, Processing((1.0, 1.0, 0.8)))
    rounded = prepare(image, everywhere(image), UNIT, Processing((1.0, 1.0, 0.8), rounded=True))
    assert np.array_equal(rounded.image, np.round(exact.image))
    assert not np.array_equal(exact.image, rounded.image)


def test_resegmentation_leaves_the_shape_alone():
    image = np.array([-1001.0, -1000.0, 0.0, 400.0, 401.0]).reshape(1, 1, 5)
    found = prepare(image, everywhere(image), UNIT, Processing(keep=(-1000.0, 400.0)))
    assert found.shape_mask.all()
    assert found.image[found.mask].tolist() == [-1000.0, 0.0, 400.0]


def test_outliers_are_those_of_the_voxels_in_the_range():
    image = np.concatenate([np.tile([-1.0, 1.0], 50), [10.0, 1e6]]).reshape(1, 1, 102)
    alone = prepare(image, everywhere(image), UNIT, Processing(outlier_sigma=3.0))
    both = prepare(image, everywhere(image), UNIT, Processing(keep=(-100.0, 100.0), outlier_sigma=3.0))
    assert alone.image[alone.mask].max() == 10  # a million makes ten look ordinary
    assert both.image[both.mask].max() == 1


@pytest.mark.parametrize(
    ("image", "region", "processing", "message"),
    [
        (0.0, False, Processing(), "no voxel in the mask"),
        (500.0, True, Processing(keep=(-1000.0, 400.0)), "no voxel in the re-segmented mask"),
    ],
)
def test_a_region_without_voxels_is_named(image, region, processing, message):
    with pytest.raises(FeatureError, match=message):
        prepare(np.full((3, 3, 3), image), np.full((3, 3, 3), region), UNIT, processing)


def test_a_region_that_the_new_grid_misses_is_named():
    region = np.zeros((9, 9, 9), dtype=bool)
    region[1, 1, 1] = True
    with pytest.raises(FeatureError, match="interpolated mask"):
        prepare(np.zeros((9, 9, 9)), region, UNIT, Processing((5.0, 5.0, 5.0)))


@given(arrays.arrays(np.float64, 20, elements=st.integers(-1000, 400)), st.sampled_from([1.0, 5.0, 25.0]))
def test_bins_of_fixed_width_start_at_the_range(values, width):
    expected = np.floor((values + 1000) / width) + 1
    assert np.array_equal(level(values, width, lowest=-1000.0), expected)


@given(arrays.arrays(np.float64, 20, elements=st.integers(-1000, 400)))
def test_bins_of_fixed_width_start_at_the_smallest_value_without_a_range(values):
    expected = np.floor((values - values.min()) / 25) + 1
    assert np.array_equal(level(values), expected)


@given(arrays.arrays(np.float64, 20, elements=st.integers(-1000, 400)), st.sampled_from([2, 8, 32]))
def test_a_fixed_number_of_bins_ends_with_the_largest_value(values, count):
    found = level(values, count=count)
    if values.min() == values.max():
        assert (found == 1).all()
    else:
        span = values.max() - values.min()
        assert np.array_equal(found, np.minimum(np.floor(count * (values - values.min()) / span) + 1, count))


def test_too_many_bins_are_refused():
    values = np.array([0.0, 1e12])
    with pytest.raises(FeatureError, match="60000 at most"):
        ranked(values, edges(values, Binning(25.0, None)))


def test_kurtosis_is_the_excess_and_lengths_use_one_voxel_less():
    columns = ["original_shape_MajorAxisLength", "original_shape_Elongation", "square_firstorder_Kurtosis",
               "original_firstorder_Kurtosis", "original_firstorder_Mean"]  # fmt: skip
    values = np.array([10.0, 0.5, 3.5, 0.0, 7.0])
    found = redefine(columns, values, voxels=26)
    assert found == pytest.approx([10 * np.sqrt(26 / 25), 0.5, 0.5, 0.0, 7.0])
    assert redefine(columns, values, voxels=1)[0] == 10.0


def test_settings_are_read():
    settings = Radiomics(mode="ibsi", spacing_mm=(0, 2, 2), interpolator="sitkLinear", resegment_range=(-500, 400),
                         round_intensities=True, outlier_sigma=3)  # fmt: skip
    expected = Processing((0.0, 2.0, 2.0), 1, rounded=True, keep=(-500.0, 400.0), outlier_sigma=3.0)
    assert processing(settings) == expected
    assert expected.lowest == -500
    assert processing(Radiomics(mode="ibsi", resegment_range=(3,))).keep == (3.0, np.inf)
    assert processing(Radiomics(mode="ibsi")) == Processing((1.0, 1.0, 1.0), 3)
    assert Processing(keep=(-np.inf, 4.0)).lowest is Processing().lowest is None


def test_settings_that_ibsi_does_not_have_are_named_at_once():
    settings = Radiomics(mode="ibsi", interpolator="sitkGaussian", resegment_mode="sigma", resegment_shape=True)
    with pytest.raises(ConfigError) as error:
        processing(settings)
    assert len(error.value.faults) == 3


def test_every_region_that_cannot_be_measured_is_named():
    image = np.zeros((4, 4, 4))
    masks = {"tumour": image > 0, "external2": image == 0, "external4": image > 0}
    with pytest.raises(FeatureError) as error:
        crops(image, masks, geometry(image.shape, UNIT), Radiomics(mode="ibsi"))
    assert [fault.found.split(":")[0] for fault in error.value.faults] == ["tumour", "external4"]


@pytest.mark.parametrize("pad", [0, 2, 50])
def test_a_crop_lies_where_its_voxels_do(pad):
    grid = geometry((9, 12, 10), (3.0, 1.0, 2.0))
    z, y, x = np.indices(grid.size)
    region = (z > 2) & (z < 7) & (y > 3) & (y < 8) & (x > 4)
    found = ibsi.prepare(x.astype(float), region, grid, Processing((2.0, 0.8, 0.0)), pad)
    blank = found.geometry.blank()
    for index in ((0, 0, 0), tuple(n - 1 for n in found.image.shape)):
        point = blank.TransformIndexToPhysicalPoint(index[::-1])
        old = grid.blank().TransformPhysicalPointToContinuousIndex(point)
        assert found.image[index] == pytest.approx(old[0])
        centre = [(n - 1) / 2 for n in np.ceil(np.multiply(grid.size, grid.spacing_mm) / found.spacing_mm)]
        on_grid = np.add(index, found.offset) - centre
        assert on_grid * found.spacing_mm == pytest.approx(
            (np.array(old[::-1]) - (np.array(grid.size) - 1) / 2) * grid.spacing_mm
        )
