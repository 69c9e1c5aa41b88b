"""Slices aslant, or with gaps, as an even and upright volume: what lies where is what other arithmetic finds there."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from fusion.config.cohort import Cohort
from fusion.config.dicom import Dicom
from fusion.data.case import Files, load
from fusion.data.dicom.upright import EDGE_PX
from fusion.data.image import Image, read_image
from fusion.errors import CohortError
from tests.data import dicom_made as made

FILLED = Dicom(missing_slices="interpolate")
OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)
STEP = made.SPACING[0]


def moved(along_mm, aside_mm=(0.0, 0.0), orientation=made.AXIAL, tilt_deg=None):
    """Puts slice n at ``along_mm[n]``, shifted along row and column by ``aside_mm`` for each mm of that."""
    row, column = np.asarray(orientation[:3]), np.asarray(orientation[3:])

    def change(position, own):
        far = along_mm[position]
        at = np.asarray(made.ORIGIN) + far * (np.cross(row, column) + aside_mm[0] * row + aside_mm[1] * column)
        own.ImagePositionPatient = [float(f"{one:.10g}") for one in at]
        if tilt_deg is not None:
            own.GantryDetectorTilt = tilt_deg

    return change


def series(folder, along_mm, aside_mm=(0.0, 0.0), orientation=made.AXIAL, tilt_deg=None, modality="CT") -> Path:
    values = made.voxels(len(along_mm))
    change = moved(along_mm, aside_mm, orientation, tilt_deg)
    return made.series(folder, values, modality, change, orientation=orientation)


def expected(own: Image, along_mm, aside_mm, orientation=made.AXIAL) -> np.ndarray:
    """The scanned slices at the volume's voxels by scipy; NaN outside: each picture looked up at the voxel's foot
    point on it, and two pictures weighted by how far the voxel is from their planes.
    """
    pictures = made.voxels(len(along_mm)).astype(float)
    row, column = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    z, y, x = np.indices(own.values.shape)
    direction = np.reshape(own.geometry.direction, (3, 3))
    index = np.stack([x, y, z], -1) * own.geometry.spacing_mm[::-1]
    offset = index @ direction.T + own.geometry.origin_mm - made.ORIGIN
    height, across, down = offset @ np.cross(row, column), offset @ row, offset @ column

    def looked_up(n):
        at = (
            (down - along_mm[n] * aside_mm[1]) / made.SPACING[1],
            (across - along_mm[n] * aside_mm[0]) / made.SPACING[2],
        )
        at = [np.where(np.abs(one - np.round(one)) < 1e-6, np.round(one), one) for one in at]
        at = [_on_edge(one, last) for one, last in zip(at, np.subtract(pictures[n].shape, 1), strict=True)]
        return map_coordinates(pictures[n], at, order=1, mode="constant", cval=np.nan)

    every = np.stack([looked_up(n) for n in range(len(along_mm))])
    place = np.interp(height, along_mm, np.arange(len(along_mm)))
    place = np.where(np.abs(place - np.round(place)) < 1e-5, np.round(place), place)
    below = np.minimum(np.floor(place).astype(int), len(along_mm) - 1)
    above, weight = np.minimum(below + 1, len(along_mm) - 1), place % 1
    low, high = (np.take_along_axis(every, one[None], 0)[0] for one in (below, above))
    return np.where(weight > 0, (1 - weight) * low + weight * high, low)


def _on_edge(at: np.ndarray, last: int) -> np.ndarray:
    """Places less than ``EDGE_PX`` beyond the outermost pixels are on them."""
    held = np.clip(at, 0, last)
    return np.where(np.abs(at - held) <= EDGE_PX, held, at)


def same(own: Image, other: np.ndarray, outside: float) -> bool:
    return np.allclose(own.values, np.where(np.isnan(other), outside, other), atol=2e-2)


SHEAR = st.one_of(st.just(0.0), st.floats(0.02, 0.6), st.floats(-0.6, -0.02))
"""Millimetres aside for each mm along; less than a tenth of a pixel over the series counts as none."""


@settings(max_examples=30, deadline=None)
@given(
    aside=st.tuples(SHEAR, SHEAR),
    orientation=st.sampled_from([made.AXIAL, OBLIQUE, (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)]),
    missing=st.sets(st.integers(1, 6), max_size=2),
)
def test_voxels_lie_where_the_slices_have_them(aside, orientation, missing):
    along = [STEP * n for n in range(8) if n not in missing]
    with tempfile.TemporaryDirectory() as folder:
        own = read_image(series(Path(folder), along, aside, orientation), FILLED)
    assert own.geometry.spacing_mm == pytest.approx(made.SPACING, abs=1e-6)
    assert len(own.values) == 8
    assert same(own, expected(own, along, aside, orientation), -1024)


def test_a_tilt_keeps_the_planes_and_loses_no_pixel(tmp_path):
    along = [STEP * n for n in range(5)]
    own = read_image(series(tmp_path, along, (0.0, -0.25)))
    assert own.values.shape == (5, 12 + 6, 16)  # 12 mm x 0.25 = 3 mm, of rows 0.5 mm apart
    assert own.geometry.origin_mm == pytest.approx((made.ORIGIN[0], made.ORIGIN[1] - 3, made.ORIGIN[2]))
    assert (own.values[0, 6:] == made.voxels()[0]).all()
    assert (own.values[4, :12] == made.voxels()[4]).all()
    assert (own.values[4, 12:] == -1024).all()
    assert own.notes == (
        "a gantry tilt of 14 degrees: slices shifted within their planes onto an upright grid (linear)",
        "-1024 where no slice reaches",
    )
    assert own.reference.instances == ("",) * 5


def test_outside_mr_is_its_lowest_value(tmp_path):
    own = read_image(series(tmp_path, [STEP * n for n in range(5)], (0.3, 0.0), modality="MR"))
    assert (own.values[0, :, -1] == made.voxels().min()).all()
    assert f"{made.voxels().min():g} where no slice reaches" in own.notes


def test_contours_on_tilted_slices_lie_on_slices_of_the_volume(tmp_path):
    along = [STEP * n for n in range(5)]
    own = read_image(series(tmp_path / "image", along, (0.0, 1 / 6)))  # 0.5 mm, a row, from slice to slice
    contours = [made.box(n, (3.5 + n, 7.5 + n), (4.5, 9.5)) for n in range(1, 4)]
    path = made.structures(tmp_path / "rt.dcm", {"GTV": contours})
    inside = load(Files("a", tmp_path / "image", path), Cohort(table=tmp_path / "table.csv"), False).tumour
    for n in range(5):
        drawn = np.zeros_like(inside[n])
        drawn[4 + n : 8 + n, 5:10] = n in (1, 2, 3)
        assert (inside[n] == drawn).all()
    assert own.values.shape == inside.shape


@pytest.mark.parametrize(
    ("along", "aside", "tilt_deg", "reason"),
    [
        ([0, 3, 6, 9, 12], (0, 0), 12, "a gantry tilt of 12 degrees in the header, and slices stacked 0 aslant"),
        ([0, 3, 6, 9, 12], (0, 0.25), 5, "a gantry tilt of 5 degrees in the header, and slices stacked 14 aslant"),
        ([0, 3, 6, 9, 12], (0, 1.2), None, "a gantry tilt of 50.2 degrees"),
        ([0, 3, 6, 15.5, 18.5], (0, 0), None, "gaps of 3 usual steps at most"),
        ([0, 3, 3.01, 6, 9], (0, 0), None, "several images at one position"),
        ([0, 3, 12, 21], (0, 0), None, "a single slice"),
    ],
)
def test_what_would_be_guessed_is_refused(tmp_path, along, aside, tilt_deg, reason):
    folder = series(tmp_path, along, aside, tilt_deg=tilt_deg)
    if reason == "a single slice":
        for path in sorted(folder.iterdir())[1:]:
            path.unlink()
    with pytest.raises(CohortError) as caught:
        read_image(folder, FILLED)
    assert reason in str(caught.value)


def test_no_more_slices_are_made_than_were_scanned(tmp_path):
    along = np.cumsum([0, *[1] * 7, *[2.9] * 6]).tolist()
    with pytest.raises(CohortError, match="slices to be made of 14 scanned ones; expected no more made than scanned"):
        read_image(series(tmp_path, along), FILLED)


def test_a_header_s_tilt_is_borne_out_by_stacking_or_by_the_slices_incline(tmp_path):
    angle = np.radians(12)
    inclined = (1.0, 0.0, 0.0, 0.0, float(np.cos(angle)), float(-np.sin(angle)))
    along = [STEP * n for n in range(4)]
    upright = read_image(series(tmp_path / "a", along, orientation=inclined, tilt_deg=-12))
    assert upright.notes == ()
    assert (upright.values == made.voxels(4)).all()
    aslant = read_image(series(tmp_path / "b", along, (0.0, float(np.tan(angle))), tilt_deg=12))
    assert "a gantry tilt of 12 degrees" in aslant.notes[0]


@pytest.mark.parametrize("config", [Dicom(), Dicom(tilt="refuse", missing_slices="interpolate")])
def test_a_refusal_names_the_field_that_would_mend_it(tmp_path, config):
    field = "tilt=resample" if config.tilt == "refuse" else "missing_slices=interpolate"
    folder = series(tmp_path, [0, 3, 9, 12], (0.0, 0.2))
    with pytest.raises(CohortError) as caught:
        read_image(folder, config)
    assert f"set cohort.dicom.{field}" in str(caught.value)


def test_uneven_slices_are_told_and_those_that_fit_stay_as_they_are(tmp_path):
    along = [0.0, 3.0, 6.0, 10.0, 12.0, 15.0]
    own = read_image(series(tmp_path, along), FILLED)
    values = made.voxels(6).astype(float)
    assert own.notes == ("1 of 6 slices made between their neighbours (linear), of 6 scanned: steps between slices "
                         "from 2 to 4 mm, now 3 mm",)  # fmt: skip
    assert (own.values[[0, 1, 2, 4, 5]] == values[[0, 1, 2, 4, 5]]).all()
    assert own.values[3] == pytest.approx(values[2] + (values[3] - values[2]) * 3 / 4)
    assert [bool(one) for one in own.reference.instances] == [True, True, True, False, True, True]
