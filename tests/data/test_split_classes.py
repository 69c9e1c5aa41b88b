import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.config.split import Holdout
from fusion.config.tasks import Task
from fusion.data.split import split
from fusion.errors import CohortError

KABA = {"PA": 43, "Warthin": 45, "other benign": 10, "MEC": 9, "other malignant": 10}
"""Tumours by histology, Kaba et al. 2025."""
TASKS = {
    "bm": Task(
        classes={"benign": ("PA", "Warthin", "other benign"), "malignant": ("MEC", "other malignant")},
        positive="malignant",
    ),
    "pw": Task(classes={"PA": ("PA",), "Warthin": ("Warthin",)}, positive="PA"),
}
ALL = {"all": Task(classes={name.replace(" ", "-"): (name,) for name in KABA})}


def rows(counts: dict[str, int], seed: int = 0) -> pd.DataFrame:
    outcome = np.repeat(list(counts), list(counts.values()))
    names = [f"p{n}" for n in range(len(outcome))]
    table = pd.DataFrame({"case": [f"c{n}" for n in names], "patient": names, "outcome": outcome})
    return table.sample(frac=1, random_state=seed, ignore_index=True)


def drawn(own: pd.DataFrame, tasks=None, seed: int = 0, **more) -> pd.DataFrame:
    return split(own, Holdout(**more), seed, tasks).assign(outcome=own["outcome"])


def test_kabas_117_tumours_fall_into_five_even_folds():
    table = drawn(rows(KABA), TASKS | ALL, test_fraction=0)
    counts = table.groupby(["outcome", "fold"]).size().unstack()
    assert counts.loc["MEC"].sum() == 9
    assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()
    assert counts.sum().tolist() == [24, 24, 23, 23, 23]


def test_a_test_set_has_its_share_of_every_outcome():
    table = drawn(rows(KABA), ALL, test_fraction=0.3)
    counts = table[table["set"] == "test"].groupby("outcome").size().to_dict()
    assert counts == {"PA": 13, "Warthin": 14, "other benign": 3, "MEC": 3, "other malignant": 3}


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(5, 30), min_size=2, max_size=5), st.sampled_from([0.0, 0.2, 0.3]), st.integers(0, 99))
def test_sets_and_folds_hold_every_outcome(sizes, share, seed):
    own = rows({f"o{n}": size for n, size in enumerate(sizes)}, seed)
    table = drawn(own, None, seed, test_fraction=share, folds=2)
    assert ((table["fold"] >= 0) == (table["set"] == "train")).all()
    assert (table[table["fold"] >= 0].groupby("fold")["outcome"].nunique() == len(sizes)).all()
    assert (table.groupby("set")["outcome"].nunique() == len(sizes)).all()


def test_a_patients_tumours_never_part_and_each_class_counts_them():
    own = rows({"PA": 12, "Warthin": 2})
    both = own[own["outcome"] == "PA"].head(3).assign(outcome="Warthin", case=lambda table: table["case"] + "-2")
    table = drawn(pd.concat([own, both], ignore_index=True), {"pw": TASKS["pw"]}, test_fraction=0, folds=2)
    assert (table.groupby("patient")["fold"].nunique() == 1).all()


def test_the_split_depends_neither_on_row_order_nor_on_the_tasks():
    one = drawn(rows(KABA, 0), TASKS).set_index("case").sort_index()
    other = drawn(rows(KABA, 1), ALL).set_index("case").sort_index()
    pd.testing.assert_frame_equal(one, other)


def test_another_seed_is_another_split():
    assert (drawn(rows(KABA), seed=0)["fold"] != drawn(rows(KABA), seed=1)["fold"]).any()


def test_a_class_of_one_patient_is_one_message():
    with pytest.raises(CohortError) as error:
        drawn(rows(KABA | {"MEC": 1}), TASKS | ALL)
    (only,) = error.value.faults
    assert "1 patient of class MEC (task all) in the training set; expected at least one in each of 5 folds" in str(
        only
    )
    assert "lower split.folds, merge the class with another in cohort.tasks, or add patients" in str(only)


def test_a_rare_outcome_inside_a_larger_class_is_no_fault():
    assert len(drawn(rows(KABA | {"MEC": 1}), TASKS)) == 109


def test_without_tasks_every_outcome_is_a_class():
    with pytest.raises(CohortError, match="found 3 patients of class MEC in the training set"):
        drawn(rows(KABA | {"MEC": 3}), test_fraction=0)


def test_a_class_too_small_for_a_test_set_is_a_message():
    with pytest.raises(CohortError, match=r"9 patients of class MEC, none of them in the test set.*test_fraction=0"):
        drawn(rows(KABA), test_fraction=0.05)


def test_a_set_column_wins():
    own = rows(KABA).assign(set=lambda table: np.where(table["patient"].isin(["p0", "p50"]), "external", "train"))
    table = drawn(own, TASKS)
    assert set(table["patient"][table["set"] == "external"]) == {"p0", "p50"}
    assert "test" not in set(table["set"])


def test_a_written_split_reads_back(tmp_path):
    own = rows(KABA)
    first = split(own, Holdout(), 0)
    first.to_csv(tmp_path / "s.csv", index=False)
    pd.testing.assert_frame_equal(split(own, Holdout(file=tmp_path / "s.csv"), seed=9), first)


@pytest.mark.parametrize(
    ("more", "seed", "sha256"), [({}, 0, "8eac5d1db4917097"), ({"test_fraction": 0}, 3, "1defa229d803e15f")]
)
def test_a_holdout_is_drawn_as_it_always_was(more, seed, sha256):
    """Digests of this program's first splits: folders of finished runs rely on them."""
    outcome = np.repeat(list(KABA), list(KABA.values()))
    names = [f"{n}" for n in range(len(outcome))]
    own = pd.DataFrame({"case": [f"c{n}" for n in names], "patient": [f"p{n}" for n in names], "outcome": outcome})
    assert hashlib.sha256(split(own, Holdout(**more), seed).to_csv(index=False).encode()).hexdigest()[:16] == sha256
