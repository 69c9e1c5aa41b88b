import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.config.split import Holdout
from fusion.data.split import split
from fusion.errors import CohortError


def rows(benign: int, malignant: int, lesions: int = 1, seed: int = 0) -> pd.DataFrame:
    patients = np.repeat([f"p{n}" for n in range(benign + malignant)], lesions)
    event = np.repeat([0] * benign + [1] * malignant, lesions)
    table = pd.DataFrame({"case": [f"c{n}" for n in range(len(patients))], "patient": patients, "event": event})
    return table.sample(frac=1, random_state=seed, ignore_index=True)


def test_shens_357_cases_split_into_249_and_108():
    table = split(rows(268, 89), Holdout(), 0).merge(rows(268, 89)[["case", "event"]], on="case")
    counts = table.groupby("set")["event"].agg(["size", "sum"])
    assert counts.loc["train"].tolist() == [249, 62]
    assert counts.loc["test"].tolist() == [108, 27]


@pytest.mark.parametrize(
    ("more", "seed", "sha256"),
    [({}, 0, "574e3e89af27d74d"), ({"test_fraction": 0, "folds": 3}, 7, "2f9ea45681a51b2c")],
)
def test_a_holdout_is_drawn_as_it_always_was(more, seed, sha256):
    """Digests of this program's first splits: folders of finished runs rely on them."""
    patients = [f"p{n}" for n in range(357)]
    own = pd.DataFrame({"case": [f"c{n}" for n in range(357)], "patient": patients, "event": [0] * 268 + [1] * 89})
    assert hashlib.sha256(split(own, Holdout(**more), seed).to_csv(index=False).encode()).hexdigest()[:16] == sha256


@settings(deadline=None, max_examples=25)
@given(st.integers(10, 40), st.integers(10, 40), st.integers(1, 3), st.integers(0, 99))
def test_patients_never_part(benign, malignant, lesions, seed):
    table = split(rows(benign, malignant, lesions), Holdout(), seed)
    assert (table.groupby("patient")[["set", "fold"]].nunique() == 1).all(axis=None)


@settings(deadline=None, max_examples=25)
@given(st.integers(10, 40), st.integers(10, 40), st.integers(0, 99))
def test_folds_cover_the_training_set_and_hold_both_classes(benign, malignant, seed):
    own = rows(benign, malignant)
    table = split(own, Holdout(), seed).merge(own[["case", "event"]], on="case")
    assert ((table["fold"] >= 0) == (table["set"] == "train")).all()
    assert (table[table["fold"] >= 0].groupby("fold")["event"].nunique() == 2).all()


def test_the_split_does_not_depend_on_row_order():
    one, other = (split(rows(20, 20, seed=s), Holdout(), 0).set_index("case").sort_index() for s in (0, 1))
    pd.testing.assert_frame_equal(one, other)


def test_a_set_column_wins():
    own = rows(20, 20).assign(set=lambda table: np.where(table["patient"].isin(["p0", "p39"]), "external", "train"))
    table = split(own, Holdout(), 0)
    assert set(table["patient"][table["set"] == "external"]) == {"p0", "p39"}
    assert "test" not in set(table["set"])


def test_a_written_split_reads_back(tmp_path):
    own = rows(20, 20)
    first = split(own, Holdout(), 0)
    first.to_csv(tmp_path / "s.csv", index=False)
    pd.testing.assert_frame_equal(split(own, Holdout(file=tmp_path / "s.csv"), seed=9), first)


def test_a_split_of_another_cohort_is_refused_with_all_faults(tmp_path):
    first = split(rows(20, 20), Holdout(), 0)
    first.loc[0, "set"], first.loc[1, "fold"] = "validation", -1
    first.iloc[:-2].to_csv(tmp_path / "s.csv", index=False)
    with pytest.raises(CohortError) as error:
        split(rows(20, 20), Holdout(file=tmp_path / "s.csv"), 0)
    assert sum("no split" in str(fault) for fault in error.value.faults) == 2
    assert any("set validation" in str(fault) for fault in error.value.faults)


@pytest.mark.parametrize(
    ("fold", "said"), [("one", "fold nan"), ("0.5", r"fold 0\.5"), ("", "fold nan"), ("0,1,2,3,4", "unreadable table")]
)
def test_a_split_that_was_mangled_is_a_message(tmp_path, fold, said):
    first = split(rows(20, 20), Holdout(), 0).astype({"fold": str})
    lines = first.to_csv(index=False).splitlines()
    place = next(number for number, line in enumerate(lines) if ",train," in line and number > 3)
    lines[place] = lines[place].rpartition(",")[0] + f",{fold}"
    (tmp_path / "s.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(CohortError, match=said):
        split(rows(20, 20), Holdout(file=tmp_path / "s.csv"), 0)


def test_a_split_in_another_encoding_is_a_message(tmp_path):
    split(rows(20, 20), Holdout(), 0).to_csv(tmp_path / "s.csv", index=False, encoding="utf-16")
    with pytest.raises(CohortError, match=r"s\.csv: found an unreadable table"):
        split(rows(20, 20), Holdout(file=tmp_path / "s.csv"), 0)


def test_too_few_cases_for_the_folds_is_a_message():
    with pytest.raises(CohortError, match=r"found 3 training patients in the smaller class; .*\(5 folds\)"):
        split(rows(20, 4), Holdout(), 0)
