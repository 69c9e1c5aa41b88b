import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.config.roi import Ring, Roi
from fusion.data.case import Case
from fusion.data.image import Geometry
from fusion.errors import RegionError
from fusion.roi.region import external2, peritumoural_ring, regions

SPACINGS = st.tuples(st.floats(0.5, 6), st.floats(0.3, 2), st.floats(0.3, 2))


def blob(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    tumour = np.zeros((6, 20, 20), dtype=bool)
    tumour[1:4, 5:12, 6:13] = rng.random((3, 7, 7)) < 0.7
    tumour[2, 8, 8] = True
    return tumour


def case(tumour: np.ndarray, image: np.ndarray | None = None, drawn: np.ndarray | None = None) -> Case:
    geometry = Geometry(tumour.shape, (5.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    return Case("a", np.zeros(tumour.shape, np.float32) if image is None else image, tumour, drawn, geometry)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), SPACINGS, st.floats(0, 5), st.booleans())
def test_the_ring_never_meets_the_tumour(seed, spacing, thickness, in_plane):
    tumour = blob(seed)
    assert not (peritumoural_ring(tumour, spacing, thickness, in_plane) & tumour).any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), SPACINGS, st.floats(0, 4), st.floats(0, 2), st.booleans())
def test_a_thicker_ring_contains_a_thinner_one(seed, spacing, thickness, more, in_plane):
    thin = peritumoural_ring(blob(seed), spacing, thickness, in_plane)
    thick = peritumoural_ring(blob(seed), spacing, thickness + more, in_plane)
    assert not (thin & ~thick).any()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 999), SPACINGS)
def test_an_in_plane_ring_lies_in_the_volume_ring(seed, spacing):
    flat = peritumoural_ring(blob(seed), spacing, 2.0, in_plane=True)
    assert not (flat & ~peritumoural_ring(blob(seed), spacing, 2.0, in_plane=False)).any()


def test_a_3_mm_ring_round_one_voxel_reaches_by_physical_distance():
    tumour = np.zeros((5, 9, 9), dtype=bool)
    tumour[2, 4, 4] = True
    z, y, x = np.nonzero(peritumoural_ring(tumour, (3.0, 1.0, 1.0), 3.0, in_plane=False))
    assert (np.ptp(z), np.ptp(y), np.ptp(x)) == (2, 6, 6)


def test_in_plane_distance_never_leaves_the_tumours_slices():
    tumour = blob(0)
    ring = peritumoural_ring(tumour, (0.5, 1.0, 1.0), 4.0, in_plane=True)
    assert not ring[~tumour.any(axis=(1, 2))].any()


def test_the_hu_filter_drops_air_and_bone():
    tumour = blob(1)
    image = np.zeros(tumour.shape, np.float32)
    image[:, :, :8], image[:, :, 12:] = -500, 700
    ring = external2(case(tumour, image), Ring())
    assert ring.any()
    assert (image[ring] == 0).all()


def test_no_hu_range_keeps_every_ring_voxel():
    tumour = blob(1)
    image = np.full(tumour.shape, 900, np.float32)
    plain = peritumoural_ring(tumour, (5.0, 1.0, 1.0), 2.0)
    assert (external2(case(tumour, image), Ring(hu_range=None)) == plain).all()


def test_filled_is_shell_and_tumour():
    own = case(blob(2))
    assert (external2(own, Ring(shape="filled")) == (external2(own, Ring()) | own.tumour)).all()


def test_a_hand_refined_ring_is_used_as_drawn():
    drawn = np.zeros((6, 20, 20), dtype=bool)
    drawn[2, :10, :10] = True
    assert (regions(case(blob(3), drawn=drawn), Roi())["external2"] == drawn).all()


def test_an_empty_ring_is_a_named_fault_of_its_case():
    air = np.full((6, 20, 20), -900, np.float32)
    with pytest.raises(RegionError, match=r"case a: found 0 voxels in external2; expected at least 50"):
        regions(case(blob(4), air), Roi())
