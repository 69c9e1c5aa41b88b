"""Sections between contoured planes: known solids come back, the rule of the ends holds, and nothing is made up."""

import numpy as np
import pytest

from fusion.data.dicom.sections import Filled, filled, filled_between
from fusion.data.image import Geometry

GEOMETRY = Geometry((20, 60, 60), (3.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
CENTRE = 29.6


def circle(place: float, radius: float, centre: float = CENTRE) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    return np.stack(
        [centre + radius * np.cos(angle), CENTRE + radius * np.sin(angle), np.full(len(angle), float(place))], axis=1
    )


def square(place: float, low: float, high: float) -> np.ndarray:
    corners = [(low, low), (high, low), (high, high), (low, high)]
    return np.array([(x, y, place) for x, y in corners])


def held(own: Filled) -> list[int]:
    return [int(at) for at in np.flatnonzero(own.mask.any(axis=(1, 2)))]


def test_a_cylinder_drawn_on_every_third_slice_is_the_cylinder():
    own = filled_between([circle(at, 12) for at in range(2, 15, 3)], GEOMETRY)
    whole = filled([circle(at, 12) for at in range(2, 15)], GEOMETRY)
    assert (own.mask == whole.mask).all()
    assert own.reasons == ()
    assert own.notes == ("8 of 13 slices filled between contours, by signed distance",)


def test_contours_on_every_slice_need_no_sections():
    contours = [circle(at, 6 + at % 3) for at in range(3, 9)]
    own = filled_between(contours, GEOMETRY)
    assert (own.mask == filled(contours, GEOMETRY).mask).all()
    assert own.notes == ()


@pytest.mark.parametrize("step", [2, 4, 5])
def test_a_cone_comes_back_within_half_a_pixel_of_its_border(step):
    radius = {at: 4 + at for at in range(0, 21)}
    own = filled_between([circle(at, radius[at]) for at in range(0, 20, step)], GEOMETRY)
    for at in range(0, 19 // step * step + 1):
        inner, outer = (filled([circle(at, radius[at] + off)], GEOMETRY).mask[at] for off in (-0.75, 0.75))
        assert (own.mask[at] <= outer).all()
        assert (inner <= own.mask[at]).all()


def test_the_slice_halfway_between_two_squares_is_the_square_halfway():
    own = filled_between([square(4, 19.5, 40.5), square(6, 15.5, 44.5)], GEOMETRY)
    assert own.mask[5].sum() == pytest.approx(25**2, abs=4)  # corners of the border are rounded
    assert own.mask[5, 18:43, 30].all()
    assert own.mask[5, :, 30].sum() == 25


def test_a_hole_goes_through_sections_in_between():
    own = filled_between([one for at in (3, 6) for one in (circle(at, 14), circle(at, 5))], GEOMETRY)
    for at in range(3, 7):
        assert (own.mask[at] == own.mask[3]).all()
    assert not own.mask[4, 30, 30]
    assert own.mask[4, 30, 20]


def test_ends_are_the_slices_nearest_to_the_first_and_last_plane():
    assert held(filled_between([circle(3.4, 9), circle(5.4, 9)], GEOMETRY)) == [3, 4, 5]
    assert held(filled_between([circle(3.6, 9), circle(5.6, 9)], GEOMETRY)) == [4, 5, 6]
    assert held(filled_between([circle(3.5, 9), circle(5.5, 9)], GEOMETRY)) == [4, 5, 6]
    assert held(filled_between([circle(3.3, 9)], GEOMETRY)) == [3]
    assert held(filled_between([circle(-0.4, 9), circle(19.4, 9)], GEOMETRY)) == list(range(20))


def test_a_slice_of_its_own_contours_keeps_them_and_unused_planes_are_told():
    contours = [circle(3, 9), circle(3.5, 12), circle(4, 9), circle(6, 9)]
    own = filled_between(contours, GEOMETRY)
    assert (own.mask[3] == own.mask[4]).all()
    assert own.notes == (
        "1 of 4 slices filled between contours, by signed distance",
        "1 contoured planes between slices that have contours of their own: not used",
    )


def test_sections_that_do_not_meet_are_refused():
    (reason,) = filled_between([circle(3, 5, 15), circle(6, 5, 45)], GEOMETRY).reasons
    assert reason[0] == "sections that do not meet, with 2 slices between them"


def test_parts_on_one_slice_grow_together_into_one():
    two = [circle(3, 6, 22), circle(3, 6, 37)]
    own = filled_between([*two, circle(5, 15)], GEOMETRY)
    assert own.reasons == ()
    assert own.mask[3].sum() < own.mask[4].sum() < own.mask[5].sum()
    assert not own.mask[4, :, 44].any()


def test_tips_that_hold_no_voxel_are_told_and_end_nothing():
    tip = square(1, 30.2, 30.6)
    own = filled_between([tip, circle(3, 5), circle(4, 5)], GEOMETRY)
    assert held(own) == [3, 4]
    assert own.notes == ("1 of 3 contours hold no voxel's centre",)
    assert filled([tip], GEOMETRY).reasons[0][0] == "a structure that holds no voxel's centre"
    assert filled_between([tip], GEOMETRY).reasons[0][0] == "a structure that holds no voxel's centre"


def test_a_keyhole_is_a_hole():
    outer, inner = square(4, 9.7, 40.3), square(4, 19.7, 30.3)[::-1]
    keyhole = np.concatenate([outer, outer[:1], inner[-1:], inner, outer[:1]])
    assert (filled([keyhole], GEOMETRY).mask == filled([outer, inner], GEOMETRY).mask).all()


def test_a_structure_in_a_hole_is_an_island():
    own = filled([circle(4, 20), circle(4, 12), circle(4, 4)], GEOMETRY).mask[4]
    assert own[30, 30]
    assert not own[30, 38]
    assert own[30, 46]
