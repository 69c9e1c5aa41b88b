import dataclasses

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from fusion.config.roi import Patch
from fusion.errors import CohortError, RegionError
from fusion.roi.patch import MARGIN_SLICES, STEP_MM, Patches, cut, stored_shape

PATCH = Patch(shape=(4, 24, 24), spacing_mm=(3.0, 0.5, 0.5))
SPACING = (3.0, 0.5, 0.5)


def ball(shape=(9, 61, 61), radius_mm=4.0, spacing=SPACING):
    grid = np.stack(
        np.meshgrid(*[(np.arange(n) - n // 2) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij")
    )
    return np.linalg.norm(grid, axis=0) <= radius_mm


def on_grid(spacing=SPACING):
    """Odd boxes sample an aligned odd image exactly."""
    return Patch(shape=(5, 25, 25), spacing_mm=spacing)


def test_the_papers_box_is_stored_with_its_margin():
    assert stored_shape(Patch()) == (20, 112, 112)
    assert stored_shape(PATCH)[0] == 4 + 2 * MARGIN_SLICES


def test_a_ring_on_the_images_own_grid_is_the_regions_ring_voxel_for_voxel():
    tumour = ball()
    box = cut(np.zeros(tumour.shape), tumour, None, SPACING, on_grid())
    steps = box.distance.astype(int)
    middle = tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(tumour.shape, box.grey.shape, strict=True))
    distance = np.stack(
        [distance_transform_edt(~s, sampling=0.5) if s.any() else np.full(s.shape, 99.0) for s in tumour]
    )
    assert ((steps < 0) == tumour[middle]).all()
    for thickness_mm in (1.0, 2.0, 3.0):
        ring = (steps >= 0) & (steps * STEP_MM <= thickness_mm)
        assert (ring == ((distance <= thickness_mm) & ~tumour)[middle]).all()


def test_in_plane_distance_knows_no_other_slice():
    tumour = np.zeros((9, 61, 61), bool)
    tumour[4, 28:33, 28:33] = True
    box = cut(np.zeros(tumour.shape), tumour, None, SPACING, on_grid(), "in_plane")
    others = np.delete(box.distance, box.distance.shape[0] // 2, axis=0)
    assert (others * STEP_MM == 31.0).all()


def test_volume_distance_reaches_across_slices():
    tumour = np.zeros((9, 61, 61), bool)
    tumour[4, 28:33, 28:33] = True
    box = cut(np.zeros(tumour.shape), tumour, None, SPACING, on_grid(), "volume")
    z, y, x = (n // 2 for n in box.distance.shape)
    assert box.distance[z + 1, y, x] * STEP_MM == 3.0


def test_distance_is_clipped_at_31_mm():
    tumour = ball(radius_mm=1.0, shape=(5, 41, 41), spacing=(3.0, 2.0, 2.0))
    box = cut(
        np.zeros(tumour.shape), tumour, None, (3.0, 2.0, 2.0), Patch(shape=(4, 80, 80), spacing_mm=(3.0, 1.0, 1.0))
    )
    assert box.distance.max() * STEP_MM == 31.0


def test_grey_values_are_linear_between_voxels():
    spacing = (2.0, 1.0, 1.0)
    z, y, x = np.meshgrid(*[np.arange(n) for n in (15, 61, 61)], indexing="ij")
    image = 10.0 * z + 4.0 * y - 6.0 * x
    tumour = ball((15, 61, 61), 6.0, spacing)
    box = cut(image, tumour, None, spacing, PATCH)
    steps = np.diff(box.grey.astype(float), axis=0).mean(), np.diff(box.grey.astype(float), axis=2).mean()
    assert steps == pytest.approx((10.0 * 3 / 2, -6.0 / 2), abs=0.1)


def test_the_box_is_centred_on_the_tumours_centroid():
    tumour = np.zeros((9, 80, 80), bool)
    tumour[4, 20:24, 50:54] = True
    box = cut(np.where(tumour, 100, 0), tumour, None, SPACING, PATCH)
    inside = np.argwhere(box.distance < 0)
    assert inside[:, 1:].mean(axis=0) == pytest.approx([(n - 1) / 2 for n in box.grey.shape[1:]])


def test_outside_the_image_is_the_low_end_of_the_window():
    tumour = ball((3, 13, 13), 2.0)
    box = cut(np.full(tumour.shape, 50), tumour, None, SPACING, PATCH)
    assert box.grey[0, 0, 0] == -160
    assert box.distance[0, 0, 0] * STEP_MM == 31.0


def test_a_drawn_ring_is_kept_as_drawn():
    tumour = ball()
    drawn = ball(radius_mm=7.0) & ~tumour
    box = cut(np.zeros(tumour.shape), tumour, drawn, SPACING, on_grid())
    middle = tuple(slice((n - m) // 2, (n - m) // 2 + m) for n, m in zip(drawn.shape, box.grey.shape, strict=True))
    assert box.drawn is not None
    assert (box.drawn.astype(bool) == drawn[middle]).all()


@pytest.mark.parametrize(("radius_mm", "exceeds"), [(4.0, False), (8.0, True)])
def test_a_tumour_larger_than_the_box_is_flagged(radius_mm, exceeds):
    assert cut(np.zeros((9, 61, 61)), ball(radius_mm=radius_mm), None, SPACING, PATCH).exceeds is exceeds


def test_a_window_that_whole_numbers_cannot_show_is_refused():
    with pytest.raises(ValueError, match="32 grey values"):
        Patch(window=(0.0, 1.0))


def test_no_tumour_is_an_error_that_names_the_case():
    with pytest.raises(RegionError, match="a1"):
        cut(np.zeros((3, 9, 9)), np.zeros((3, 9, 9), bool), None, SPACING, PATCH, case="a1")


@pytest.mark.parametrize("value", [np.nan, 1e6])
def test_grey_values_that_do_not_fit_are_an_error(value):
    with pytest.raises(CohortError, match="16-bit"):
        cut(np.full((9, 61, 61), value), ball(), None, SPACING, PATCH)


def test_patches_come_back_from_disk_as_they_were(tmp_path):
    tumour, image = ball(), np.random.default_rng(0).normal(0, 100, (9, 61, 61))
    boxes = [cut(image, tumour, drawn, SPACING, PATCH) for drawn in (None, tumour, None)]
    patches = Patches.stack(["a", "b", "ç"], boxes)
    patches.save(tmp_path / "patches.npz")
    back = Patches.load(tmp_path / "patches.npz")
    for field in dataclasses.fields(Patches):
        assert np.array_equal(getattr(back, field.name), getattr(patches, field.name)), field.name
    assert back.cases == ("a", "b", "ç")
    assert back.has_drawn.tolist() == [False, True, False]


def test_gathered_in_any_order_boxes_are_as_stacked_and_a_case_without_one_is_left_out():
    tumour, image = ball(), np.random.default_rng(0).normal(0, 100, (9, 61, 61))
    boxes = {name: cut(image + n, tumour, drawn, SPACING, PATCH)
             for n, (name, drawn) in enumerate({"a": tumour, "b": None, "d": tumour}.items())}  # fmt: skip
    stacked = Patches.stack(list(boxes), list(boxes.values()))
    for cases in ("abd", "abcd"):
        found = Patches.gathered(list(cases), reversed(boxes.items()), stored_shape(PATCH))
        for field in dataclasses.fields(Patches):
            own, other = getattr(found, field.name), getattr(stacked, field.name)
            assert np.array_equal(own, other), field.name
            assert getattr(own, "dtype", None) == getattr(other, "dtype", None)


def test_the_same_patches_are_the_same_bytes(tmp_path):
    patches = Patches.stack(["a"], [cut(np.zeros((9, 61, 61)), ball(), None, SPACING, PATCH)])
    patches.save(tmp_path / "a.npz")
    patches.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
