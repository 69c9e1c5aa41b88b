import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fusion.errors import RegionError
from fusion.features.radiomics.classes.diameter import diameters_mm
from fusion.features.radiomics.classes.mesh import area_mm2, census, volume_mm3
from fusion.features.radiomics.classes.shape import NAMES, deprecated, shape
from fusion.features.radiomics.classes.shape2d import NAMES as NAMES_2D
from fusion.features.radiomics.classes.shape2d import deprecated as deprecated_2d
from fusion.features.radiomics.classes.shape2d import one_slice, shape2d

SPACING = (3.27, 0.9, 1.3)
spacings = st.tuples(*[st.floats(0.3, 5) for _ in range(3)])


def masks(dimensions, side):
    return arrays(bool, array_shapes(min_dims=dimensions, max_dims=dimensions, max_side=side)).filter(np.any)


def pyradiomics(mask, spacing_mm, names, **settings):
    """PyRadiomics' class on the region's bounding box, as its extractor calls it."""
    import SimpleITK as sitk
    from radiomics.shape import RadiomicsShape
    from radiomics.shape2D import RadiomicsShape2D

    box = [slice(hit.min(), hit.max() + 1) for hit in np.nonzero(mask)]
    image = sitk.GetImageFromArray(mask[tuple(box)].astype(np.uint8))
    image.SetSpacing(spacing_mm[::-1])
    features = (RadiomicsShape2D if settings else RadiomicsShape)(image, image, label=1, **settings)
    for name in names:
        features.enableFeatureByName(name)
    with np.errstate(all="ignore"):
        found = features.execute()
    return np.array([np.real(found[name]) for name in names])  # rounding makes equal eigenvalues complex


def pyradiomics_2d(mask, spacing_mm, names=NAMES_2D):
    return pyradiomics(mask[None], (1.0, *spacing_mm), names, force2D=True, force2Ddimension=0)


def blob(seed, holes=0.0, side=14):
    generator = np.random.default_rng(seed)
    z, y, x = np.indices((side, side, side)) - generator.uniform(side / 3, 2 * side / 3, 3)[:, None, None, None]
    a, b, c = generator.uniform(1, side / 2, 3)
    region = (z / a) ** 2 + (y / b) ** 2 + (x / c) ** 2 < 1
    return region & (generator.random(region.shape) >= holes)


def ring():
    squared = ((np.indices((17, 17, 17)) - 8) ** 2).sum(axis=0)
    return (squared <= 60) & (squared > 25)


def test_names_are_pyradiomics_own():
    from radiomics.shape import RadiomicsShape
    from radiomics.shape2D import RadiomicsShape2D

    for names, features in ((NAMES, RadiomicsShape), (NAMES_2D, RadiomicsShape2D)):
        current = sorted(name for name, old in features.getFeatureNames().items() if not old)
        assert list(names) == current


@given(masks(3, 5), spacings)
@settings(deadline=None)
def test_moving_or_padding_a_region_changes_nothing(mask, spacing_mm):
    np.testing.assert_array_equal(shape(np.pad(mask, ((1, 0), (0, 3), (2, 1))), spacing_mm), shape(mask, spacing_mm))


@given(masks(3, 5), spacings)
@settings(deadline=None)
def test_transposing_a_region_changes_only_what_the_planes_are_called(mask, spacing_mm):
    cells, turned = census(mask), census(mask.transpose(2, 1, 0))
    in_slice, in_column, in_row, in_space = diameters_mm(cells.along_x, cells.along_y, spacing_mm)
    swapped = diameters_mm(turned.along_x, turned.along_y, spacing_mm[::-1])
    np.testing.assert_allclose(swapped, (in_row, in_column, in_slice, in_space), rtol=1e-12)


@given(masks(3, 6), spacings)
@settings(deadline=None)
def test_diameters_are_the_largest_of_all_pairs(mask, spacing_mm):
    padded = np.pad(mask, 1)
    edges = []
    for axis in range(3):
        middle = np.argwhere(np.diff(padded, axis=axis)).astype(float)
        middle[:, axis] += 0.5
        edges.append(middle)
    points = np.concatenate(edges) * spacing_mm
    apart = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    same = [points[:, None, axis] == points[None, :, axis] for axis in range(3)]
    cells = census(mask)
    found = diameters_mm(cells.along_x, cells.along_y, spacing_mm)
    np.testing.assert_allclose(found, [*((apart * plane).max() for plane in same), apart.max()], rtol=1e-12)


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), SPACING])
def test_all_256_configurations_have_pyradiomics_area_and_volume(spacing_mm):
    from radiomics import cShape

    for cell in range(1, 255):
        corners = np.array([cell >> corner & 1 for corner in range(8)], bool).reshape(2, 2, 2)
        area, volume, _ = cShape.calculate_coefficients(corners, np.array(spacing_mm))
        once = census(np.ones((1, 1, 1), bool))._replace(
            counts=np.eye(256, dtype=int)[cell], places=np.zeros((256, 3), int)
        )
        np.testing.assert_allclose(area_mm2(once, spacing_mm), area, rtol=1e-12)
        np.testing.assert_allclose(volume_mm3(once, spacing_mm), volume, rtol=1e-12, atol=1e-15)


@given(masks(3, 2), spacings)
@settings(deadline=None)
def test_every_feature_of_a_cube_is_pyradiomics_own(mask, spacing_mm):
    np.testing.assert_allclose(shape(mask, spacing_mm), pyradiomics(mask, spacing_mm, NAMES), rtol=1e-9)


REGIONS = {
    "ball": blob(1), "ragged": blob(2, holes=0.2), "sponge": blob(3, holes=0.6), "ring": ring(),
    "one slice": ring()[8:9], "one column": ring()[:, 8:9], "one row": ring()[:, :, 8:9],
    "two voxels": np.ones((1, 1, 2), bool), "three voxels": np.eye(3, dtype=bool)[None],
    "diagonal": np.ptp(np.indices((4, 4, 4)), axis=0) == 0,
}  # fmt: skip


@pytest.mark.parametrize("name", REGIONS)
def test_every_feature_is_pyradiomics_own(name):
    np.testing.assert_allclose(shape(REGIONS[name], SPACING), pyradiomics(REGIONS[name], SPACING, NAMES), rtol=1e-9)


@given(masks(3, 6), spacings)
@settings(deadline=None)
def test_every_feature_of_a_small_volume_is_pyradiomics_own(mask, spacing_mm):
    np.testing.assert_allclose(shape(mask, spacing_mm), pyradiomics(mask, spacing_mm, NAMES), rtol=1e-9)


def test_a_long_region_is_measured_exactly():
    mask = np.zeros((3, 5, 300), bool)
    mask[1, 2, 10:290] = mask[2, :, 150] = True
    np.testing.assert_allclose(shape(mask, SPACING), pyradiomics(mask, SPACING, NAMES), rtol=1e-9)


def test_deprecated_features_are_pyradiomics_own():
    values = dict(zip(NAMES, shape(ring(), SPACING), strict=True))
    ours = deprecated(values["MeshVolume"], values["SurfaceArea"])
    np.testing.assert_allclose(list(ours.values()), pyradiomics(ring(), SPACING, list(ours)), rtol=1e-9)


@given(masks(2, 9), spacings)
@settings(deadline=None)
def test_every_2d_feature_is_pyradiomics_own(mask, spacing_mm):
    np.testing.assert_allclose(shape2d(mask, spacing_mm[1:]), pyradiomics_2d(mask, spacing_mm[1:]), rtol=1e-9)


def test_deprecated_2d_feature_is_pyradiomics_own():
    sphericity = float(shape2d(ring()[8], SPACING[1:])[NAMES_2D.index("Sphericity")])
    ours = deprecated_2d(sphericity)
    np.testing.assert_allclose(list(ours.values()), pyradiomics_2d(ring()[8], SPACING[1:], list(ours)), rtol=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_one_slice_is_found_across_any_axis(axis):
    mask = np.moveaxis(np.pad(ring()[8:9], ((2, 3), (0, 0), (0, 0))), 0, axis)
    plane, spacing_mm = one_slice(mask, SPACING, axis)
    np.testing.assert_array_equal(plane, ring()[8])
    assert spacing_mm == SPACING[:axis] + SPACING[axis + 1 :]


def test_two_slices_have_no_2d_shape():
    with pytest.raises(RegionError, match="region in 2 slices"):
        one_slice(ring()[7:9], SPACING)


@pytest.mark.parametrize(("measure", "empty"), [(shape, np.zeros((2, 2, 2), bool)), (shape2d, np.zeros((2, 2), bool))])
def test_an_empty_region_is_a_message(measure, empty):
    with pytest.raises(RegionError, match="found a mask without"):
        measure(empty, SPACING[: empty.ndim])
