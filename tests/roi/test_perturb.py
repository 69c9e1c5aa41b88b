"""Perturbed masks: as far from the drawn one as was asked, and the same whatever else is drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.config.harmonise import Perturb
from fusion.data.case import Case
from fusion.data.image import Geometry
from fusion.errors import RegionError
from fusion.roi.perturb import hand, perturbed, perturbed_tumour, signed_distance_mm, smooth_field
from fusion.roi.upright import upright

THICK = (5.0, 0.5, 0.5)
SPACINGS = st.tuples(st.floats(0.5, 6), st.floats(0.3, 2), st.floats(0.3, 2))


def moves(jitter=0.0, shift=0.0, volume=0.0, smooth=3.0) -> Perturb:
    """Movements of one kind; nothing at all is refused by the config, and so made past it."""
    return Perturb.model_construct(jitter_mm=jitter, shift_mm=shift, volume=volume, smooth_mm=smooth)


def ball(radius_mm: float, spacing=THICK) -> np.ndarray:
    z, y, x = ((np.arange(n) - (n - 1) / 2) * s for n, s in ((int(2 * radius_mm / s) + 16, s) for s in spacing))
    return np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2) <= radius_mm


def drawn(tumour, choice, times: int, spacing=THICK) -> list[np.ndarray]:
    return [perturbed(tumour, spacing, choice, hand(0, "a", reading)) for reading in range(times)]


def dice(one, other) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), SPACINGS)
def test_nothing_moved_is_the_mask_itself(seed, spacing):
    tumour = np.random.default_rng(seed).random((5, 9, 9)) < 0.3
    tumour[2, 4, 4] = True
    assert (perturbed(tumour, spacing, moves(), hand(seed, "a", 1)) == tumour).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), SPACINGS, st.floats(0, 5), st.floats(0, 10), st.floats(0, 0.49), st.floats(0.1, 50))
def test_a_mask_is_never_empty_and_keeps_as_many_voxels_as_a_region_needs(seed, spacing, jitter, shift, volume, smooth):
    tumour = np.zeros((3, 12, 12), dtype=bool)
    tumour[1, 0:4, 0:4] = True
    found = perturbed(tumour, spacing, moves(jitter, shift, volume, smooth), hand(seed, "a", 1), least=10)
    assert found.shape == tumour.shape
    assert 10 <= found.sum() < found.size


def test_the_volume_changes_by_as_much_as_was_asked_whatever_the_surface_does():
    tumour = ball(8)
    for jitter in (0.0, 1.0):
        changes = np.array([own.sum() / tumour.sum() - 1 for own in drawn(tumour, moves(jitter, volume=0.1), 150)])
        assert abs(changes.mean()) < 0.02
        assert 0.085 < changes.std() < 0.115


@pytest.mark.parametrize("spacing", [THICK, (1.0, 0.8, 0.8)])
def test_the_surface_moves_by_as_much_as_was_asked(spacing):
    """The distance of the old surface from the new one; its mean is what the volume keeps from moving."""
    tumour = ball(12, spacing)
    near = np.abs(signed_distance_mm(tumour, spacing)) < 0.5 * spacing[1] + 1e-9
    moved = [signed_distance_mm(own, spacing)[near] - signed_distance_mm(tumour, spacing)[near]
             for own in drawn(tumour, moves(jitter=1.0), 12, spacing)]  # fmt: skip
    assert 0.8 < np.std(moved) < 1.1
    assert abs(np.mean(moved)) < 0.15


def test_a_shift_moves_the_centre_within_the_slice():
    tumour = ball(8)
    centres = np.array([np.argwhere(own).mean(axis=0) for own in drawn(tumour, moves(shift=1.0), 150)]) * THICK
    assert (np.abs(centres.mean(axis=0) - np.argwhere(tumour).mean(axis=0) * THICK) < 0.25).all()
    assert np.ptp(centres[:, 0]) < 0.1
    assert ((centres.std(axis=0)[1:] > 0.85) & (centres.std(axis=0)[1:] < 1.15)).all()


@pytest.mark.parametrize(("thick_mm", "moves_often"), [(5.0, False), (1.0, True)])
def test_slices_are_added_or_lost_where_they_are_thin(thick_mm, moves_often):
    spacing = (thick_mm, 0.8, 0.8)
    tumour = ball(8, spacing)
    slices = [tuple(np.flatnonzero(own.any(axis=(1, 2)))) for own in drawn(tumour, Perturb(), 30, spacing)]
    changed = np.mean([own != tuple(np.flatnonzero(tumour.any(axis=(1, 2)))) for own in slices])
    assert changed > 0.3 if moves_often else changed == 0


@pytest.mark.parametrize(("radius_mm", "low", "high"), [(5, 0.86, 0.94), (10, 0.92, 0.96), (15, 0.94, 0.97)])
def test_by_default_a_mask_overlaps_as_two_readers_do(radius_mm, low, high):
    overlaps = [dice(own, ball(radius_mm)) for own in drawn(ball(radius_mm), Perturb(), 20)]
    assert low < np.mean(overlaps) < high
    assert min(overlaps) > 0.7


def test_the_field_has_variance_one_everywhere_and_the_width_that_was_asked():
    fields = np.array([smooth_field((6, 20, 20), (3.0, 1.0, 1.0), 2.0, hand(0, "a", n)) for n in range(400)])
    assert np.abs(fields.std(axis=0) - 1).max() < 0.2
    neighbours = np.mean(fields[:, :, :, 1:] * fields[:, :, :, :-1])
    assert neighbours == pytest.approx(np.exp(-1 / (4 * 2.0**2)), abs=0.02)


def test_a_reading_is_the_same_whatever_else_is_drawn():
    tumour, choice = ball(6), Perturb()
    alone = perturbed(tumour, THICK, choice, hand(3, "b", 2))
    for other in (hand(3, "a", 2), hand(3, "b", 1), hand(4, "b", 2)):
        assert (perturbed(tumour, THICK, choice, other) != alone).any()
    assert (perturbed(tumour, THICK, choice, hand(3, "b", 2)) == alone).all()


@pytest.mark.parametrize(
    ("order", "direction"),
    [((0, 1, 2), (-1, 0, 0, 0, -1, 0, 0, 0, 1)), ((1, 2, 0), (0, 1, 0, 0, 0, 1, 1, 0, 0))],
)
def test_the_same_tissue_is_drawn_however_the_image_is_stored(order, direction):
    tumour = ball(7)
    tumour[:, :, : tumour.shape[2] // 2] = False
    plain = Geometry(tumour.shape, THICK, (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    spacing = tuple(THICK[axis] for axis in order)
    stored = Geometry(
        tuple(tumour.shape[axis] for axis in order), spacing, (0.0, 0.0, 0.0), tuple(map(float, direction))
    )
    turned = np.transpose(tumour, order)
    if order == (0, 1, 2):
        turned = turned[:, ::-1, ::-1]
    assert (upright(turned, stored) == tumour).all()
    found = [perturbed_tumour(Case("a", np.zeros(g.size), own, None, g), Perturb(), hand(0, "a", 1))
             for g, own in ((plain, tumour), (stored, np.ascontiguousarray(turned)))]  # fmt: skip
    assert (upright(found[1], stored) == found[0]).all()


@pytest.mark.parametrize("full", [True, False])
def test_a_mask_without_a_surface_is_refused_by_its_case(full):
    geometry = Geometry((3, 4, 4), THICK, (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    case = Case("a7", np.zeros((3, 4, 4)), np.full((3, 4, 4), full), None, geometry)
    with pytest.raises(RegionError, match=r"case a7: found (48|0) of 48 voxels in tumour; expected a surface"):
        perturbed_tumour(case, Perturb(), hand(0, "a7", 1))
