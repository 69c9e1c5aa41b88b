import math

import numpy as np
import pytest
import SimpleITK as sitk

from fusion.config.roi import Patch
from fusion.data.image import Geometry
from fusion.errors import RegionError
from fusion.roi.back import to_image, write_map
from fusion.roi.patch import cut, margin, stored_shape

SHAPE, SPACING = (15, 50, 60), (3.0, 0.8, 0.8)
PLAIN = Geometry(SHAPE, SPACING, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
PATCH = Patch(shape=(6, 40, 40), spacing_mm=(3.0, 0.5, 0.5))


def ball(middle=(7, 24, 30), radius_mm=5.0):
    grid = np.meshgrid(*[(np.arange(n) - m) * s for n, m, s in zip(SHAPE, middle, SPACING, strict=True)], indexing="ij")
    return np.linalg.norm(grid, axis=0) <= radius_mm


def smooth():
    z, y, x = np.meshgrid(*[np.arange(n) * s for n, s in zip(SHAPE, SPACING, strict=True)], indexing="ij")
    return 100 * np.sin(z / 12) + 80 * np.cos(y / 9) + 3 * x


def without_margin(box):
    return box[tuple(slice(m, m + n) for m, n in zip(margin(PATCH), PATCH.shape, strict=True))]


def inside(tumour, shape):
    """Voxels of the image whose centres lie in the box."""
    sides = zip(np.argwhere(tumour).mean(axis=0), shape, PATCH.spacing_mm, SPACING, SHAPE, strict=True)
    z, y, x = [np.abs(np.arange(n) - middle) * own <= (m / 2 - 0.5) * box for middle, m, box, own, n in sides]
    return z[:, None, None] & y[:, None] & x


@pytest.mark.parametrize("middle", [(7, 24, 30), (7, 20, 41)])
def test_cut_and_back_is_the_same_smooth_field(middle):
    tumour = ball(middle)
    box = without_margin(cut(smooth(), tumour, None, SPACING, PATCH).grey).astype(np.float32)
    back = to_image(box, tumour, PLAIN, PATCH)
    kept = inside(tumour, PATCH.shape)
    assert kept.sum() > 3000
    assert np.abs(back - smooth())[kept].max() < 2.0  # whole grey values, and twice linear


def test_the_margin_may_be_there():
    tumour = ball()
    box = cut(smooth(), tumour, None, SPACING, PATCH).grey.astype(np.float32)
    assert box.shape == stored_shape(PATCH)
    small = to_image(without_margin(box), tumour, PLAIN, PATCH)
    kept = inside(tumour, PATCH.shape)
    assert np.allclose(to_image(box, tumour, PLAIN, PATCH)[kept], small[kept], atol=1e-3)


def test_outside_the_box_is_nothing():
    tumour = ball()
    back = to_image(np.ones(PATCH.shape, np.float32), tumour, PLAIN, PATCH)
    where = np.argwhere(back > 0)
    assert set(np.unique(back)) == {0.0, 1.0}
    assert ((where.max(axis=0) - where.min(axis=0)) * SPACING <= np.array(PATCH.shape) * PATCH.spacing_mm).all()


def test_a_box_that_sticks_out_of_the_image_is_cropped():
    tumour = ball((1, 3, 57), 3.0)
    back = to_image(np.ones(PATCH.shape, np.float32), tumour, PLAIN, PATCH)
    assert back.shape == SHAPE
    assert back[0, 0, -1] == 1.0


@pytest.mark.parametrize("peak", [(6, 20, 27), (8, 30, 35), (7, 17, 23)])
def test_the_brightest_voxel_lands_where_it_was(peak):
    tumour, image = ball(), np.zeros(SHAPE)
    z, y, x = np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij")
    image = 1000 * np.exp(-((z - peak[0]) ** 2 + (y - peak[1]) ** 2 / 4 + (x - peak[2]) ** 2 / 4))
    box = without_margin(cut(image, tumour, None, SPACING, PATCH).grey).astype(np.float32)
    back = to_image(box, tumour, PLAIN, PATCH)
    assert np.unravel_index(back.argmax(), back.shape) == peak


def test_a_written_map_lies_on_the_oblique_image(tmp_path):
    turn = math.radians(25)
    direction = (math.cos(turn), -math.sin(turn), 0.0, math.sin(turn), math.cos(turn), 0.0, 0.0, 0.0, 1.0)
    geometry = Geometry(SHAPE, SPACING, (-31.0, 12.5, 700.0), direction)
    values = to_image(np.ones(PATCH.shape, np.float32), ball(), geometry, PATCH)
    write_map(tmp_path / "a.nii.gz", values, geometry)
    read = sitk.ReadImage(str(tmp_path / "a.nii.gz"))
    assert read.GetDirection() == pytest.approx(direction, abs=1e-6)
    assert read.GetOrigin() == pytest.approx(geometry.origin_mm)
    assert read.GetSpacing() == pytest.approx(SPACING[::-1])
    assert read.GetPixelID() == sitk.sitkFloat32
    assert np.array_equal(sitk.GetArrayFromImage(read), values)


def test_no_tumour_is_an_error_that_names_the_case():
    with pytest.raises(RegionError, match="a1"):
        to_image(np.ones(PATCH.shape, np.float32), np.zeros(SHAPE, bool), PLAIN, PATCH, "a1")
