"""However an image's voxels are stored, ring, box and heat map are the same tissue."""

import hashlib
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from fusion.config.cohort import Cohort
from fusion.config.roi import Patch, Ring, Roi
from fusion.data.case import Case, Files, load
from fusion.data.image import Geometry, to_sitk
from fusion.roi.across import slice_axis
from fusion.roi.back import to_image
from fusion.roi.box import box
from fusion.roi.patch import CasePatch, stored_shape
from fusion.roi.region import external2
from fusion.roi.upright import (
    as_stored,
    stored_order,
    stored_slice_axis,
    upright,
    upright_case,
    upright_geometry,
)  # fmt: skip

SHAPE = (7, 15, 17)
EYE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
ORDERS = ["".join(own[axis] for axis in order) for own in product("LR", "PA", "SI") for order in permutations(range(3))]
"""The 48 ways to store one image, by the sides to which its indices run."""
PATCH = Patch(shape=(4, 14, 14), spacing_mm=(2.0, 0.7, 0.7))
SPACINGS = st.tuples(*[st.floats(0.3, 6)] * 3)
EIGHTHS = st.tuples(st.just("xyz"), st.tuples(*[st.sampled_from(range(-180, 181, 45))] * 3))
TURNS = st.one_of(st.tuples(st.just("xyz"), st.tuples(*[st.floats(-180, 180)] * 3)), EIGHTHS)
"""Angles about three axes; eighths of a turn lie as near to one axis as to another."""
ORIGINS = st.tuples(*[st.floats(-500, 500)] * 3)


def direction(turned: tuple[str, tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(Rotation.from_euler(*turned, degrees=True).as_matrix().ravel().tolist())


def blob(seed: int, spacing_mm=(3.0, 1.0, 1.0), turned: tuple[float, ...] = EYE, origin_mm=(0.0, 0.0, 0.0)) -> Case:
    """A ragged tumour off the middle, and a ring drawn by hand that is no mirror image of itself."""
    rng = np.random.default_rng(seed)
    tumour, drawn = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    tumour[1:5, 4:11, 5:13] = rng.random((4, 7, 8)) < 0.6
    tumour[2, 7, 8] = True
    drawn[1:4, 3:12, 9:16] = True
    image = rng.integers(-150, 350, SHAPE).astype(np.float32)
    return Case("a", image, tumour, drawn & ~tumour, Geometry(SHAPE, spacing_mm, origin_mm, turned))


def geometry_of(image: sitk.Image) -> Geometry:
    return Geometry(image.GetSize()[::-1], image.GetSpacing()[::-1], image.GetOrigin(), image.GetDirection())


def reordered(values: np.ndarray, geometry: Geometry, order: str) -> sitk.Image:
    """The same voxels at the same places in another order, by ITK."""
    kept = values.astype(np.uint8) if values.dtype == bool else values
    return sitk.DICOMOrient(to_sitk(kept, geometry), order)


def stored(case: Case, order: str) -> Case:
    image, tumour, drawn = (reordered(own, case.geometry, order) for own in (case.image, case.tumour, case.external2))
    arrays = [sitk.GetArrayFromImage(own) for own in (image, tumour, drawn)]
    return Case(case.name, arrays[0], arrays[1].astype(bool), arrays[2].astype(bool), geometry_of(image))


def same_places(mask: np.ndarray, geometry: Geometry, other: np.ndarray, its: Geometry) -> bool:
    """Whether the voxels of two masks have their centres at the same points of the patient."""
    index = np.argwhere(mask)[:, ::-1]
    points = (
        np.array(geometry.origin_mm) + (index * geometry.spacing_mm[::-1]) @ np.reshape(geometry.direction, (3, 3)).T
    )
    at = (points - its.origin_mm) @ np.reshape(its.direction, (3, 3)) / its.spacing_mm[::-1]
    whole = np.rint(at).astype(int)
    assert np.abs(at - whole).max(initial=0) < 1e-6
    return bool(mask.sum() == other.sum() and other[tuple(whole.T[::-1])].all())


def same(one: CasePatch, other: CasePatch) -> bool:
    pairs = [(one.grey, other.grey), (one.distance, other.distance), (one.drawn, other.drawn)]
    return all(np.array_equal(a, b) for a, b in pairs) and one.exceeds == other.exceeds


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 999), SPACINGS, TURNS, ORIGINS, st.sampled_from(ORDERS), st.floats(0.5, 5), st.booleans())
def test_the_ring_is_the_same_tissue_in_any_order_of_storage(seed, spacing, turned, origin, order, thick, in_plane):
    case = blob(seed, spacing, direction(turned), origin)
    other = stored(case, order)
    ring = Ring(thickness_mm=thick, grid="in_plane" if in_plane else "volume", hu_range=(-100, 300))
    one, its = external2(case, ring), external2(other, ring)
    assert same_places(one, case.geometry, its, other.geometry)
    assert not (its & other.tumour).any()
    assert not (its & ~external2(other, ring.model_copy(update={"thickness_mm": thick + 1}))).any()


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 999), SPACINGS, TURNS, ORIGINS, st.sampled_from(ORDERS), st.booleans(), st.booleans())
def test_the_box_is_the_same_bit_for_bit(seed, spacing, turned, origin, order, in_plane, drawn):
    """Axes are reordered and flipped before anything is computed, so not even rounding differs."""
    case = blob(seed, spacing, direction(turned), origin)
    other = stored(case, order)
    roi = Roi(external2=Ring(grid="in_plane" if in_plane else "volume"), patch=PATCH)
    one, its = (box(own, own.external2 if drawn else None, roi) for own in (case, other))
    assert same(one, its)
    assert (one.drawn is not None) == drawn


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 999), SPACINGS, TURNS, ORIGINS, st.sampled_from(ORDERS))
def test_a_heat_map_lands_on_the_same_tissue(seed, spacing, turned, origin, order):
    case = blob(seed, spacing, direction(turned), origin)
    other = stored(case, order)
    values = np.random.default_rng(seed).random(stored_shape(PATCH)).astype(np.float32)
    one, its = (to_image(values, own.tumour, own.geometry, PATCH) for own in (case, other))
    assert np.array_equal(sitk.GetArrayFromImage(reordered(one, case.geometry, order)), its)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 999), SPACINGS, TURNS, ORIGINS, st.sampled_from(ORDERS))
def test_upright_voxels_stay_at_their_places_and_axes_run_as_the_patients(seed, spacing, turned, origin, order):
    own = stored(blob(seed, spacing, direction(turned), origin), order)
    turned_case = upright_case(own)
    assert same_places(own.tumour, own.geometry, turned_case.tumour, turned_case.geometry)
    cosines = np.reshape(turned_case.geometry.direction, (3, 3))
    nearest = max(np.abs(cosines[list(axes), range(3)]).sum() for axes in permutations(range(3)))
    assert np.trace(cosines) == pytest.approx(nearest, abs=2e-4)
    assert np.array_equal(as_stored(upright(own.image, own.geometry), own.geometry), own.image)
    assert upright_geometry(turned_case.geometry) == turned_case.geometry


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_is_told_as_itk_tells_it(order):
    geometry = geometry_of(reordered(np.zeros(SHAPE, np.uint8), blob(0).geometry, order))
    assert stored_order(geometry) == order


@pytest.mark.parametrize("order", ["LPS", "RAS", "PIR", "SLA"])
@pytest.mark.parametrize(
    ("spacing", "across"),
    [((3.0, 1.0, 1.0), 0), ((1.0, 1.0, 1.0), 0), ((1.0, 1.2, 1.0), 0), ((1.0, 1.3, 1.0), 1), ((1.0, 1.0, 4.0), 2),
     ((1.0, 4.0, 4.0), 0)],
)  # fmt: skip
def test_slices_lie_across_the_one_coarse_axis_or_feet_to_head(order, spacing, across):
    assert slice_axis(spacing) == across
    geometry = geometry_of(reordered(np.zeros(SHAPE, np.uint8), blob(0, spacing).geometry, order))
    assert geometry.size[stored_slice_axis(geometry)] == SHAPE[across]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_in_plane_ring_never_leaves_the_slices_of_the_tumour(axis):
    spacing = tuple(4.0 if own == axis else 1.0 for own in range(3))
    case = blob(3, spacing)
    flat = external2(case, Ring(thickness_mm=5, hu_range=None))
    thick = external2(case, Ring(thickness_mm=5, hu_range=None, grid="volume"))
    others = tuple(own for own in range(3) if own != axis)
    assert not flat[tuple(slice(None) if own != axis else ~case.tumour.any(axis=others) for own in range(3))].any()
    assert (flat & ~thick).sum() == 0 < (thick & ~flat).sum()


def test_a_sagittal_acquisition_keeps_its_slices_apart_in_the_box():
    """One tumour slice across x: its neighbours along x know no tumour, those along y and z do."""
    tumour = np.zeros((21, 21, 7), bool)
    tumour[8:13, 8:13, 3] = True
    case = Case(
        "a", np.zeros(tumour.shape, np.float32), tumour, None, Geometry(tumour.shape, (1.0, 1.0, 4.0), (0.0,) * 3, EYE)
    )
    found = box(case, None, Roi(patch=Patch(shape=(9, 9, 5), spacing_mm=(1.0, 1.0, 4.0))))
    z, y, x = (n // 2 for n in found.distance.shape)
    assert found.distance[z, y, x] < 0
    assert found.distance[z, y, x + 1] * 0.25 == found.distance[z, y, x - 1] * 0.25 == 31.0
    assert found.distance[z + 3, y, x] * 0.25 == found.distance[z, y + 3, x] * 0.25 == 1.0


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("order", ["LPS", "RAS", "PIR", "AIL"])
def test_files_in_any_order_and_format_give_the_same_regions_and_box(tmp_path, suffix, order):
    """Files round spacing and cosines to seven digits: no voxel changes its region, grey values by one at most."""
    whole = blob(4, (2.5, 0.7, 0.8), direction(("xyz", (11.0, -8.0, 23.0))), (12.5, -80.0, 310.0))
    paths = {name: tmp_path / f"{name}{suffix}" for name in ("image", "tumour", "external2")}
    for name, values in zip(paths, (whole.image, whole.tumour, whole.external2), strict=True):
        sitk.WriteImage(reordered(values, whole.geometry, order), str(paths[name]))
    read = load(Files("a", **paths), Cohort(table=Path("t.csv")), False)
    assert stored_order(read.geometry) == order
    ring = Ring(hu_range=(-100, 300))
    mine, its = external2(whole, ring), external2(read, ring)
    assert np.array_equal(sitk.GetArrayFromImage(reordered(mine, whole.geometry, order)), its)
    one, other = (box(own, own.external2, Roi(external2=ring, patch=PATCH)) for own in (whole, read))
    assert np.abs(one.grey.astype(int) - other.grey).max() <= 1
    assert np.array_equal(one.distance, other.distance)
    assert np.array_equal(one.drawn, other.drawn)


CANONICAL = {
    ("in_plane", 3.0): "ed2d2f3f86cd9ecc", ("volume", 3.0): "65170e6af1a2aff5",
    ("in_plane", 0.8): "95b6f830f90fe490", ("volume", 0.8): "a19b81db01abdb6e",
}  # fmt: skip
"""By grid and slice distance, of ring and box as they were before images were turned upright (commit dbde0b3)."""


@pytest.mark.parametrize(("grid", "slice_mm"), CANONICAL)
def test_a_canonical_image_gives_the_numbers_that_it_gave_before(grid, slice_mm):
    rng, shape = np.random.default_rng(5), (9, 40, 44)
    z, y, x = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    tumour = (((z - 4) * 3.0) ** 2 + (y - 18) ** 2 + ((x - 25) * 0.9) ** 2 <= 64) & (rng.random(shape) < 0.9)
    image = rng.integers(-300, 500, shape).astype(np.float32)
    drawn = np.zeros(shape, bool)
    drawn[3:6, 8:30, 12:38] = True
    geometry = Geometry(shape, (slice_mm, 0.8, 0.8), (1.0, 2.0, 3.0), EYE)
    case = Case("a", image, tumour, drawn & ~tumour, geometry)
    roi = Roi(external2=Ring(grid=grid), patch=Patch(shape=(6, 24, 24), spacing_mm=(2.0, 0.7, 0.7)))
    found = box(case, case.external2, roi)
    made = (external2(case, roi.external2), found.grey, found.distance, found.drawn)
    assert hashlib.sha256(b"".join(own.tobytes() for own in made)).hexdigest()[:16] == CANONICAL[grid, slice_mm]
