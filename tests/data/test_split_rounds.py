import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.config.split import Holdout, LeaveOneScannerOut, Nested, Repeated
from fusion.config.tasks import Task
from fusion.data.split import rounds, split
from fusion.errors import CohortError

SCANNERS = ("A", "B", "C")
SPLITS = [Nested(outer=3, folds=2), Repeated(repeats=3, folds=3), LeaveOneScannerOut(folds=2)]
THREE = {"grade": Task(classes={"low": ("l",), "mid": ("m",), "high": ("h",)})}
sizes = st.integers(12, 30)
cohorts = st.tuples(sizes, sizes, st.integers(1, 3), st.integers(0, 99))


def binary(benign: int, malignant: int, lesions: int = 1, seed: int = 0) -> pd.DataFrame:
    """Every scanner has a third of each class."""
    return _cohort([0] * benign + [1] * malignant, "event", lesions, seed)


def several(low: int, mid: int, high: int, lesions: int = 1, seed: int = 0) -> pd.DataFrame:
    return _cohort(["l"] * low + ["m"] * mid + ["h"] * high, "outcome", lesions, seed)


def _cohort(outcome: list, name: str, lesions: int, seed: int) -> pd.DataFrame:
    number = np.arange(len(outcome)).repeat(lesions)
    table = pd.DataFrame({"patient": [f"p{n}" for n in number], name: np.repeat(outcome, lesions)})
    table["split_on"] = np.array(SCANNERS)[number % 3]
    table.insert(0, "case", [f"c{n}" for n in range(len(table))])
    return table.sample(frac=1, random_state=seed, ignore_index=True)


@pytest.mark.parametrize("asked", SPLITS, ids=lambda own: own.kind)
@settings(deadline=None, max_examples=10)
@given(cohorts)
def test_patients_never_part_in_any_round(asked, sizes):
    own = binary(*sizes)
    for table in rounds(own, asked, sizes[-1]).values():
        assert (table.groupby("patient")[["set", "fold"]].nunique() == 1).all(axis=None)
        assert ((table["fold"] >= 0) == (table["set"] == "train")).all()
        assert table["case"].tolist() == own["case"].tolist()


@pytest.mark.parametrize("asked", [SPLITS[0], SPLITS[2]], ids=lambda own: own.kind)
@settings(deadline=None, max_examples=10)
@given(cohorts)
def test_each_case_is_tested_once_and_never_by_a_round_that_learned_from_it(asked, sizes):
    own = binary(*sizes)
    tables = rounds(own, asked, 0)
    tested = pd.concat([table[table["set"] == "test"] for table in tables.values()])
    assert sorted(tested["case"]) == sorted(own["case"])
    outer = split(own, asked, 0)
    for number, table in enumerate(tables.values()):
        assert set(table["case"][table["set"] == "test"]) == set(outer["case"][outer["fold"] == number])


@pytest.mark.parametrize("made", [binary(30, 18), several(12, 18, 15)], ids=["two classes", "three"])
@pytest.mark.parametrize("asked", SPLITS[:2], ids=lambda own: own.kind)
def test_classes_are_dealt_out_evenly_over_rounds_and_folds(asked, made):
    outcome = "event" if "event" in made else "outcome"
    for table in rounds(made, asked, 0, None if outcome == "event" else THREE).values():
        parts = table.assign(outcome=made[outcome])
        for part in ("test", "train"):
            by = parts[parts["set"] == part].groupby(["outcome", "fold"]).size().unstack(fill_value=0)
            assert ((by.max(axis=1) - by.min(axis=1)) <= 1).all()
    if isinstance(asked, Nested):
        outer = split(made, asked, 0).assign(outcome=made[outcome]).groupby(["outcome", "fold"]).size().unstack()
        assert ((outer.max(axis=1) - outer.min(axis=1)) <= 1).all()


def test_rounds_are_the_scanners():
    own = several(9, 9, 9)
    tables = rounds(own, LeaveOneScannerOut(folds=2), 0, THREE)
    assert list(tables) == list(SCANNERS)
    for name, table in tables.items():
        assert set(own["split_on"][table["set"] == "test"]) == {name}
        assert name not in set(own["split_on"][table["set"] == "train"])


def test_scanners_with_too_few_of_a_class_are_told_together():
    own = binary(12, 12)
    own.loc[own["split_on"] == "A", "event"] = 0
    own.loc[own["split_on"] == "B", "event"] = 1
    with pytest.raises(CohortError) as error:
        rounds(own, LeaveOneScannerOut(folds=2), 0)
    assert [str(fault).partition(";")[0] for fault in error.value.faults] == [
        "found 0 patients with an event on scanner A", "found 0 patients without an event on scanner B",
    ]  # fmt: skip


def test_small_scanners_are_one_round_if_asked():
    own = binary(12, 12)
    own.loc[own["split_on"] == "A", "event"] = 0
    own.loc[own["split_on"] == "B", "event"] = 1
    tables = rounds(own, LeaveOneScannerOut(folds=2, pool_small=True), 0)
    assert list(tables) == ["C", "others"]
    assert set(own["split_on"][tables["others"]["set"] == "test"]) == {"A", "B"}
    with pytest.raises(CohortError, match=r"on all small scanners together \(A, B, C\)"):
        rounds(own, LeaveOneScannerOut(folds=2, pool_small=True, fewest=30), 0)


def test_one_scanner_is_no_split():
    with pytest.raises(CohortError, match="found 1 round of scanners A; expected two or more"):
        rounds(binary(9, 9).assign(split_on="A"), LeaveOneScannerOut(folds=2), 0)


def test_scanners_whose_names_no_folder_bears_keep_apart():
    own = binary(12, 12)
    own["split_on"] = own["split_on"].map({"A": "GE/16", "B": "ge 16", "C": "../C"})
    assert list(rounds(own, LeaveOneScannerOut(folds=2), 0)) == ["C", "GE_16", "ge_16_2"]


def test_repeats_differ_and_the_first_is_a_holdout_without_a_test_set():
    own = binary(20, 20)
    tables = rounds(own, Repeated(repeats=3, folds=4), 5)
    assert list(tables) == ["repeat_1", "repeat_2", "repeat_3"]
    pd.testing.assert_frame_equal(tables["repeat_1"], split(own, Holdout(test_fraction=0, folds=4), 5))
    pd.testing.assert_frame_equal(tables["repeat_1"], split(own, Repeated(repeats=3, folds=4), 5))
    folds = [tuple(table["fold"]) for table in tables.values()]
    assert len(set(folds)) == 3


@pytest.mark.parametrize("asked", SPLITS, ids=lambda own: own.kind)
def test_the_seed_decides_and_the_order_of_rows_does_not(asked):
    one, other = (rounds(binary(20, 20, seed=seed), asked, 3) for seed in (0, 1))
    again = rounds(binary(20, 20), asked, 4)
    for name, table in one.items():
        pd.testing.assert_frame_equal(*(own[name].set_index("case").sort_index() for own in (one, other)))
        assert not table.equals(again[name])


def test_faults_of_every_round_are_told_at_once():
    with pytest.raises(CohortError) as error:
        rounds(binary(20, 4), Nested(outer=2, folds=3), 0)
    told = [str(fault) for fault in error.value.faults]
    assert len(told) == 2
    assert "found 2 training patients in the smaller class, round outer_1; expected at least one a fold (3 f" in told[0]
    with pytest.raises(CohortError, match=r"2 patients of class high .*lower split\.outer"):
        rounds(several(9, 9, 2), Nested(outer=3, folds=2), 0, THREE)
    with pytest.raises(CohortError, match=r"lower split\.outer"):
        rounds(binary(9, 2), Nested(outer=3, folds=2), 0)
