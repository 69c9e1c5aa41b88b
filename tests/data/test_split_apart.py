import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.config.split import External, Temporal
from fusion.config.tasks import Task
from fusion.data.moment import moments
from fusion.data.split import rounds, split
from fusion.errors import CohortError

THREE = {"grade": Task(classes={"low": ("l",), "mid": ("m",), "high": ("h",)})}


def cohort(days: list[str], events: list[int], patients: list[int] | None = None) -> pd.DataFrame:
    own = range(len(days)) if patients is None else patients
    return pd.DataFrame({"case": [f"c{n}" for n in range(len(days))], "patient": [f"p{n}" for n in own],
                         "event": events, "split_on": days})  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(2000, 2008), min_size=40, max_size=60), st.sampled_from([0.2, 0.3, 0.5]), st.integers(1, 3))
def test_nothing_is_learned_from_the_tested_time_and_patients_never_part(years, share, lesions):
    own = cohort([str(year) for year in years], [n // lesions % 2 for n in range(len(years))],
                 [n // lesions for n in range(len(years))])  # fmt: skip
    newest = own["split_on"].astype(int).groupby(own["patient"]).max()
    try:
        table = split(own, Temporal(column="year", test_fraction=share, folds=2), 0)
    except CohortError:  # the last year has one class, or too many the same year
        return
    assert (table.groupby("patient")[["set", "fold"]].nunique() == 1).all(axis=None)
    train = own["split_on"].astype(int)[table["set"] == "train"]
    tested = newest[table["patient"][table["set"] == "test"].unique()]
    assert train.max() < tested.min()
    assert len(tested) >= round(share * len(newest))


def test_with_one_case_a_patient_no_training_date_is_as_late_as_a_test_date():
    days = pd.date_range("2019-01-01", periods=60).strftime("%Y-%m-%d").tolist()
    own = cohort(days, [0, 1] * 30).sample(frac=1, random_state=0, ignore_index=True)
    table = split(own, Temporal(column="day", test_fraction=0.25, folds=2), 0)
    when = own["split_on"]
    assert when[table["set"] == "train"].max() < when[table["set"] == "test"].min()
    assert (table["set"] == "test").sum() == 15


def test_the_cut_is_the_first_tested_date():
    days = ["2019-01-01", "2019-06-30", "2019-07-01", "2020-01-01"] * 6
    own = cohort(days, [0] * 12 + [1] * 12)
    table = split(own, Temporal(column="day", since="2019-07-01", folds=2), 0)
    assert set(own["split_on"][table["set"] == "test"]) == {"2019-07-01", "2020-01-01"}


def test_an_earlier_case_of_a_tested_patient_is_tested_too():
    own = cohort(["2018", "2018", "2018", "2018", "2020", "2020", "2018"], [0, 1, 0, 1, 0, 1, 1], [0, 1, 2, 3, 4, 5, 5])
    table = split(own, Temporal(column="year", since=2019, folds=2), 0)
    assert set(table["case"][table["set"] == "test"]) == {"c4", "c5", "c6"}


def test_sets_without_a_class_are_told_at_once():
    with pytest.raises(CohortError) as error:
        split(cohort(["1", "1", "2", "2"], [0, 0, 1, 1]), Temporal(column="x", since=2, folds=2), 0)
    assert [fault.found for fault in error.value.faults] == [
        "no patient with an event in the training set (2 patients)", "no patient without an event in the test set "
        "(2 patients)",
    ]  # fmt: skip
    own = cohort(["1"] * 6 + ["2"] * 2, [0] * 8).drop(columns="event")
    own["outcome"] = ["l", "m", "h"] * 2 + ["l", "m"]
    with pytest.raises(CohortError, match="no patient of class high"):
        split(own, Temporal(column="x", since=2, folds=2), 0, THREE)


def test_dates_and_numbers_are_told_apart():
    found, since = moments(pd.Series(["20190301", "20200301"]), "2019-12-31")
    assert found.iloc[0] < since < found.iloc[1]
    found, since = moments(pd.Series(["20190301", "20200301"]), 20191231)
    assert (found.tolist(), since) == ([20190301.0, 20200301.0], 20191231.0)
    assert moments(pd.Series(["2019-02-31", "7", "2019-02-01T12:00"]))[0].isna().tolist() == [True, True, False]
    assert np.isnan(moments(pd.Series(["2019-02-01"]), 2019)[1])


def test_external_cases_are_those_of_the_values_and_the_rest_is_a_holdout():
    own = cohort(["here"] * 40 + ["there"] * 10, [0, 1] * 25)
    asked = External(column="hospital", values=("there",), test_fraction=0.25, folds=3)
    table = split(own, asked, 0)
    assert (table["set"] == "external").tolist() == (own["split_on"] == "there").tolist()
    assert table["set"].value_counts().to_dict() == {"train": 30, "external": 10, "test": 10}
    assert list(rounds(own, asked, 0)) == [""]
    fixed = own.assign(set=["train"] * 45 + ["test"] * 5)
    assert set(split(fixed, asked, 0)["set"]) == {"train", "external"}


def test_an_external_set_of_one_class_or_of_everyone_is_refused():
    own = cohort(["here"] * 40 + ["there"] * 10, [0, 1] * 20 + [0] * 10)
    with pytest.raises(CohortError, match=r"no patient with an event in the external set \(10 patients\)"):
        split(own, External(column="hospital", values=("there",)), 0)
    with pytest.raises(CohortError, match="every case in the external set"):
        split(own, External(column="hospital", values=("there", "here")), 0)
