import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, mannwhitneyu, ttest_ind

from fusion.report.blocks import Folded, Prose
from fusion.report.cohort_table import cohort, comparisons
from fusion.report.results import Results, read
from fusion.report.topics import table_one
from fusion.report.words import p_value


@pytest.fixture(scope="module")
def results(make_run) -> Results:
    return read(*make_run(models=("Clinical", "Combined")))


@pytest.fixture(scope="module")
def table(results) -> pd.DataFrame:
    return cohort(results, comparisons(results)).set_index(["Variable", "Level"])


def changed(results: Results, **columns: object) -> Results:
    return dataclasses.replace(results, cohort=results.cohort.assign(**columns))


def text(results: Results) -> str:
    return " ".join(block.text for block in table_one.topic(results).section.blocks if isinstance(block, Prose))


def test_sets_are_compared_by_the_counts_in_the_table(results, table):
    counts = pd.crosstab(results.cohort["set"], results.cohort["margin"])
    assert table.loc[("margin", "clear"), "P (train vs test)"] == p_value(chi2_contingency(counts, correction=False)[1])
    assert table.loc[("margin", "clear"), "Test (train vs test)"] == "Pearson chi-square"
    assert table.loc[("margin", "unclear"), "P (train vs test)"] == ""


def test_classes_are_compared_in_the_training_set_alone(results, table):
    train = results.cohort[results.cohort["set"] == "train"]
    one, two = (train["diameter_cm"][train["event"] == event] for event in (1, 0))
    assert table.loc[("diameter_cm", "mean ± SD"), "P (malignant vs benign, train)"] == p_value(
        ttest_ind(one, two).pvalue
    )


def test_the_p_of_a_skewed_number_stands_beside_its_median(results):
    skewed = changed(results, age=np.exp(results.cohort["age"] / 10))
    rows = cohort(skewed, comparisons(skewed)).set_index(["Variable", "Level"])
    one, two = (skewed.cohort["age"][skewed.cohort["set"] == name] for name in ("train", "test"))
    assert rows.loc[("age", "median (IQR)"), "P (train vs test)"] == p_value(mannwhitneyu(one, two).pvalue)
    assert rows.loc[("age", "mean ± SD"), "Test (train vs test)"] == ""
    low, middle, high = np.quantile(two, [0.25, 0.5, 0.75])
    assert rows.loc[("age", "median (IQR)"), "test"] == f"{middle:.2f} ({low:.2f}–{high:.2f})"


def test_an_external_set_is_compared_with_the_training_set(results):
    cases = np.arange(len(results.cohort))
    three = changed(results, set=np.array(["train", "test", "external"])[cases % 3])
    assert [own.name for own in comparisons(three)] == [
        "train vs test",
        "train vs external",
        "malignant vs benign, train",
    ]


def test_without_a_test_set_the_classes_alone_are_compared(results):
    assert [own.name for own in comparisons(changed(results, set="train"))] == ["malignant vs benign, train"]


def test_the_page_names_the_variables_that_differ(results):
    assert "Malignant and benign, training set: 2 of 4 variables differ at P < 0.05: margin, nodes" in text(results)


def test_the_page_says_that_a_random_split_has_nothing_to_test(results):
    assert "these P values test nothing" in text(results)
    assert "these P values test nothing" not in text(changed(results, set="train"))


def test_patients_with_several_cases_are_told(results):
    assert "of a patient who has another" not in text(results)
    again = changed(results, patient=results.cohort["patient"].where(results.cohort.index > 1, "both"))
    assert "1 of 357 cases are of a patient who has another" in text(again)


def test_a_paper_s_table_has_one_line_a_number_and_each_name_once(results):
    folded = next(block for block in table_one.topic(results).section.blocks if isinstance(block, Folded))
    (first,) = folded.blocks
    assert [row[0] for row in first.rows] == ["age", "diameter_cm", "margin", "", "nodes", ""]
    assert first.head[2] == "train (n = 252)"


def test_a_cohort_without_clinical_variables_has_its_counts(results):
    bare = results.run.model_copy(update={"cohort": results.run.cohort.model_copy(update={"clinical": {}})})
    topic = table_one.topic(dataclasses.replace(results, run=bare))
    assert list(topic.tables["cohort"]["Variable"]) == ["Cases", "Patients"]
    assert len(topic.section.blocks) == 1
