import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import center_of_mass, gaussian_filter

from fusion.config.cohort import Cohort
from fusion.config.roi import Slice as Square
from fusion.config.split import Holdout
from fusion.config.tasks import Sequence, Task
from fusion.data.cohort import read
from fusion.data.slice import Slice
from fusion.data.split import split
from fusion.data.study import Scan, Study
from fusion.errors import CohortError
from fusion.roi.cut_slice import cut, look, stack
from fusion.roi.slice import Slices

PLAIN = Sequence(column="t2")
SMOOTH = gaussian_filter(np.random.default_rng(0).normal(size=(60, 80)), 2)
GREY = np.rint(255 * (SMOOTH - SMOOTH.min()) / np.ptp(SMOOTH)).astype(np.float32)


def tumour(rows: slice, columns: slice, size=(60, 80)) -> np.ndarray:
    mask = np.zeros(size, bool)
    mask[rows, columns] = True
    return mask


def found(mask=None, values=GREY, pixel_mm=None, bits=8) -> Slice:
    return Slice(values, mask, pixel_mm, bits)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 50), st.integers(0, 70), st.integers(3, 10), st.integers(3, 10), st.floats(1, 4))
def test_the_tumours_centre_is_the_pictures_wherever_it_lies(top, left, rows, columns, crop):
    mask = tumour(slice(top, top + rows), slice(left, left + columns))
    piece = cut(found(mask), PLAIN, Square(shape=(64, 64), crop=crop))
    assert center_of_mass(piece.mask) == pytest.approx((31.5, 31.5), abs=0.51)
    side = crop * max(np.ptp(np.argwhere(mask), axis=0) + 1)
    np.testing.assert_allclose(piece.pixel_mm, side / 64)
    assert piece.mask.sum() * (side / 64) ** 2 == pytest.approx(mask.sum(), rel=0.25)


def test_a_square_tumour_stays_square_in_millimetres():
    mask = tumour(slice(20, 30), slice(30, 50))
    piece = cut(found(mask, pixel_mm=(1.0, 0.5)), PLAIN, Square(shape=(40, 40), crop=2))
    assert piece.mask.any(axis=1).sum() == piece.mask.any(axis=0).sum() == 20
    np.testing.assert_allclose(piece.pixel_mm, [0.5, 0.5])


def test_mask_and_grey_values_lie_on_each_other():
    mask = tumour(slice(20, 31), slice(40, 47))
    piece = cut(found(mask, np.where(mask, 200, 50).astype(np.float32)), PLAIN, Square(shape=(96, 96), crop=3))
    assert ((piece.grey > 125) == piece.mask).mean() > 0.995


def test_without_resizing_the_pixels_are_the_slices_own():
    mask = tumour(slice(20, 30), slice(30, 40))
    piece = cut(found(mask), PLAIN, Square(shape=(20, 20), crop=2))
    np.testing.assert_array_equal(piece.grey, GREY[15:35, 25:45])
    np.testing.assert_array_equal(piece.mask, mask[15:35, 25:45])


def test_outside_the_slice_its_edge_goes_on():
    piece = cut(found(tumour(slice(0, 10), slice(0, 10))), PLAIN, Square(shape=(20, 20), crop=2))
    np.testing.assert_array_equal(piece.grey, np.pad(GREY[:15, :15], ((5, 0), (5, 0)), mode="edge"))


def test_a_square_larger_than_the_slice_on_all_sides_is_padded():
    piece = cut(found(tumour(slice(20, 40), slice(30, 50))), PLAIN, Square(shape=(160, 160), crop=8))
    np.testing.assert_array_equal(piece.grey[50:110, 40:120], GREY)


@pytest.mark.parametrize("crop", [None, 2.0])
def test_without_a_mask_or_a_crop_the_whole_slice_is_made_square(crop):
    mask = None if crop else tumour(slice(20, 30), slice(30, 40))
    piece = cut(found(mask), PLAIN, Square(shape=(80, 80), crop=crop))
    np.testing.assert_array_equal(piece.grey, np.pad(GREY, ((10, 10), (0, 0)), mode="edge"))
    assert piece.mask.any() == (crop is None)


@settings(deadline=None, max_examples=20)
@given(st.integers(5, 40), st.integers(5, 60), st.integers(3, 10), st.sampled_from([(37, 37), (150, 150)]))
def test_flips_and_quarter_turns_commute(top, left, rows, shape):
    mask = tumour(slice(top, top + rows), slice(left, left + 7))
    plain = cut(found(mask, pixel_mm=(0.8, 0.5)), PLAIN, Square(shape=shape, crop=2.3))
    for turn, pixel_mm in ((np.fliplr, (0.8, 0.5)), (np.flipud, (0.8, 0.5)), (np.rot90, (0.5, 0.8))):
        turned = cut(found(turn(mask).copy(), turn(GREY).copy(), pixel_mm), PLAIN, Square(shape=shape, crop=2.3))
        np.testing.assert_allclose(turned.grey.astype(int), turn(plain.grey).astype(int), atol=1)
        assert (turned.mask != turn(plain.mask)).mean() < 0.02


def test_8_and_16_bits_of_one_picture_give_the_same_result():
    mask, square = tumour(slice(20, 30), slice(30, 42)), Square(shape=(50, 50))
    shallow = cut(found(mask), PLAIN, square)
    deep = cut(found(mask, GREY * 257, bits=16), PLAIN.model_copy(update={"window": (0, 65535)}), square)
    np.testing.assert_allclose(deep.grey.astype(int), shallow.grey.astype(int), atol=1)


def test_deep_slices_without_a_window_take_the_percentiles_of_the_whole_slice():
    mask = tumour(slice(20, 30), slice(30, 40))
    deep = found(mask, GREY * 10 + 300, bits=16)
    low, high = np.percentile(deep.values, (0.5, 99.5))
    own = cut(deep, PLAIN, Square(shape=(20, 20)))
    told = cut(deep, Sequence(column="t2", window=(low, high)), Square(shape=(20, 20)))
    np.testing.assert_array_equal(own.grey, told.grey)


def test_shrinking_averages_instead_of_dropping_pixels():
    checks = (np.indices((60, 80)).sum(axis=0) % 2 * 255).astype(np.float32)
    checks[0] = 0
    piece = cut(found(values=checks), PLAIN, Square(shape=(10, 10)))
    assert np.abs(piece.grey[3:7].astype(float) - 127.5).max() < 10


def test_a_tumour_of_one_pixel_does_not_vanish():
    piece = cut(found(tumour(slice(33, 34), slice(11, 12))), PLAIN, Square(shape=(8, 8), crop=None))
    assert piece.mask.sum() == 1
    assert piece.mask[4, 1]


def test_a_window_that_leaves_one_grey_value_is_a_message():
    with pytest.raises(CohortError, match=r"one grey value \(0\)"):
        cut(found(), Sequence(column="t2", window=(1000, 2000)), Square())
    with pytest.raises(CohortError, match="no contrast"):
        cut(found(values=(np.indices((60, 80)).sum(axis=0) == 0).astype(np.float32), bits=16), PLAIN, Square())


@pytest.fixture
def studies(tmp_path) -> list[Study]:
    Image.fromarray(GREY.astype(np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(tumour(slice(20, 30), slice(30, 40)).astype(np.uint8)).save(tmp_path / "m.png")
    masked = Scan("T2", tmp_path / "a.png", tmp_path / "m.png")
    return [Study("1", (masked, Scan("ADC", tmp_path / "a.png"))), Study("2", (replace(masked, sequence="ADC"),))]


COHORT = Cohort(
    table=Path("t.csv"), sequences={"T2": Sequence(column="t2"), "ADC": Sequence(column="adc")},
    tasks={"t": Task(classes={"a": (0,), "b": (1,)}, positive="b")},
)  # fmt: skip


def test_pieces_stack_with_zeros_where_a_case_lacks_a_sequence(studies, tmp_path):
    one_case = pickle.loads(pickle.dumps(partial(look, cohort=COHORT, slice=Square(shape=(32, 32)))))
    pieces = [one_case(study) for study in studies]
    assert [list(own) for own in pieces] == [["T2", "ADC"], ["ADC"]]
    slices = stack(studies, pieces, ("T2", "ADC"))
    assert slices.there.tolist() == [[True, True], [False, True]]
    assert not slices.grey[1, 0].any()
    np.testing.assert_array_equal(slices.grey[1, 1], pieces[1]["ADC"].grey)
    assert slices.mask.any(axis=(2, 3)).tolist() == [[True, False], [False, True]]
    slices.save(tmp_path / "s.npz")
    back = Slices.load(tmp_path / "s.npz").of(["2"])
    np.testing.assert_array_equal(back.grey, slices.grey[1:])


def test_every_fault_of_a_case_is_told_at_once(studies, tmp_path):
    broken = replace(studies[0], scans=(*studies[0].scans, Scan("ADC", tmp_path / "none.png")))
    Image.fromarray(np.zeros((60, 80), np.uint8)).save(tmp_path / "m.png")
    with pytest.raises(CohortError) as error:
        look(broken, COHORT, Square())
    assert len(error.value.faults) == 2
    assert all(fault.case == "1" and fault.file for fault in error.value.faults)


def test_from_table_to_stacked_slices(tmp_path, studies):
    rows = pd.DataFrame({"case": [f"c{n}" for n in range(12)], "t2": "a.png", "adc": ["a.png", ""] * 6, "m": "m.png"})
    rows.assign(malignant=[0, 0, 1] * 4).to_csv(tmp_path / "t.csv", index=False)
    own = {"T2": Sequence(column="t2", mask="m"), "ADC": Sequence(column="adc", mask="m")}
    cohort = COHORT.model_copy(update={"table": tmp_path / "t.csv", "sequences": own})
    table = read(cohort, seed=0)
    splits = split(table.rows, Holdout(test_fraction=0, folds=2), 0, cohort.tasks)
    slices = stack(table.files, [look(study, cohort, Square(shape=(16, 16))) for study in table.files], tuple(own))
    assert table.faults == ()
    assert slices.cases == tuple(splits["case"])
    np.testing.assert_array_equal(slices.there, table.rows[["has_T2", "has_ADC"]])
    assert slices.mask.any(axis=(2, 3)).tolist() == slices.there.tolist()
