import dataclasses

import numpy as np
import pandas as pd
import pytest

from fusion.report.blocks import Folded, Listing, Plot, Prose, Rows
from fusion.report.forest import forest, ratio
from fusion.report.results import Results, read
from fusion.report.topics import odds


@pytest.fixture(scope="module")
def results(make_run) -> Results:
    return read(*make_run(models=("Clinical", "Combined")))


@pytest.fixture(scope="module")
def topic(results):
    return odds.topic(results)


def changed(
    results: Results, *, clinical: dict | None = None, choice: dict | None = None, **columns: object
) -> Results:
    """Other cases, clinical variables or choices."""
    run = results.run
    known = run.cohort.clinical if clinical is None else clinical
    raw = run.evaluate.odds.model_dump() | (choice or {})
    settings = run.evaluate.model_copy(update={"odds": type(run.evaluate.odds).model_validate(raw)})
    run = run.model_copy(update={"cohort": run.cohort.model_copy(update={"clinical": known}), "evaluate": settings})
    return dataclasses.replace(results, run=run, cohort=results.cohort.assign(**columns))


def said(topic) -> str:
    return topic.section.blocks[0].text


def tabled(topic) -> Rows:
    return next(block.blocks[0] for block in topic.section.blocks if isinstance(block, Folded))


def warned(topic) -> str:
    return " ".join(" ".join(block.items) for block in topic.section.blocks if isinstance(block, Listing))


def test_the_odds_ratio_of_the_margin_is_that_of_the_training_set_by_hand(results, topic):
    train = results.cohort[results.cohort["set"] == "train"]
    cells = pd.crosstab(train["margin"], train["event"])
    by_hand = cells.loc["unclear", 1] * cells.loc["clear", 0] / (cells.loc["unclear", 0] * cells.loc["clear", 1])
    row = topic.tables["odds_univariable"].set_index("variable").loc["margin"]
    assert row["or"] == pytest.approx(by_hand, rel=1e-7)
    assert row["n"] + row["n_reference"] == len(train)


def test_no_case_of_the_test_set_has_a_part(results, topic):
    wrong = results.cohort["margin"].where(results.cohort["set"] == "train", "unclear")
    again = odds.topic(changed(results, margin=wrong))
    pd.testing.assert_frame_equal(again.tables["odds_multivariable"], topic.tables["odds_multivariable"])


def test_the_page_says_which_variables_are_independent(topic):
    assert said(topic).startswith(
        "In the training set (252 cases, 63 malignant) 2 of 4 variables are associated with malignant"
    )
    assert said(topic).endswith("independent predictors (P < 0.05 beside the others): margin, nodes.")


def test_screening_by_p_is_warned_of_and_naming_beforehand_is_not(results, topic):
    named = {"variables": {"kind": "named", "names": ["margin", "nodes"]}}
    assert "chosen by their univariable P in the same cases" in warned(topic)
    assert warned(odds.topic(changed(results, choice=named))) == ""


def test_separation_is_told_in_words_and_marked_in_the_table(results):
    event = results.cohort["event"]
    apart = odds.topic(changed(results, nodes=np.where((event == 1) & (np.arange(len(event)) % 3 == 0), "yes", "no")))
    assert "Separation at nodes (yes): malignant and benign cases part so cleanly there" in warned(apart)
    assert "Firth's penalised likelihood is used there" in warned(apart)
    rows = tabled(apart)
    assert next(row for row in rows.rows if row[0] == "nodes")[3].endswith("†")
    assert "†" in rows.note


def test_few_events_are_told(results):
    few = changed(results, choice={"variables": {"kind": "all"}})
    keep = few.cohort["set"].eq("test") | (few.cohort["event"] == 0) | (few.cohort.index < 80)
    assert "events per coefficient in the multivariable model" in warned(
        odds.topic(dataclasses.replace(few, cohort=few.cohort[keep]))
    )


def test_variables_that_say_the_same_are_told(results):
    double = changed(results, choice={"variables": {"kind": "all"}},
                     age=10 * results.cohort["diameter_cm"] + np.arange(len(results.cohort)) % 3)  # fmt: skip
    assert "Variables that say much the same (variance inflation above 5): age" in warned(odds.topic(double))


def test_a_variable_of_three_levels_has_a_line_of_its_own(results):
    clinical = {"location": type(results.run.cohort.clinical["margin"])(values=("superficial", "deep", "both"))}
    place = np.array(["superficial", "deep", "both"])[np.arange(len(results.cohort)) % 3]
    made = odds.topic(changed(results, clinical=clinical, choice={"variables": {"kind": "all"}}, location=place))
    rows = tabled(made).rows
    assert [row[:2] for row in rows] == [
        ["location", "any level vs superficial"], ["", "deep vs superficial"], ["", "both vs superficial"],
    ]  # fmt: skip


def test_a_model_without_estimate_is_said_once(results):
    twice = changed(results, choice={"variables": {"kind": "all"}}, age=10 * results.cohort["diameter_cm"])
    made = odds.topic(twice)
    assert said(made).endswith("it has no estimate.")
    assert warned(made).count("diameter_cm follows from the other terms") == 1


def test_nothing_to_say_without_clinical_variables(results):
    assert odds.topic(changed(results, clinical={})) is None


def test_nothing_entered_is_said(results):
    alone = odds.topic(changed(results, choice={"variables": {"kind": "univariable_p", "below": 1e-30}}))
    assert said(alone).endswith("none entered a multivariable model.")
    assert alone.tables["odds_multivariable"].empty
    assert len(alone.plots["odds_forest"]().axes) == 2


def test_the_figure_prints_the_numbers_of_the_table(topic):
    figure = topic.plots["odds_forest"]()
    words = [text.get_text() for axis in figure.axes for text in axis.texts]
    rows = topic.tables["odds_univariable"].set_index("variable")
    assert any(word.startswith(f"{rows.loc['margin', 'or']:.2f} (") for word in words)
    assert words.count("not entered") == 2
    assert any(isinstance(block, Plot) and block.name == "odds_forest" for block in topic.section.blocks)
    assert any(isinstance(block, Prose) and block.faint for block in topic.section.blocks)


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow():
    rows = pd.DataFrame({"variable": ["nodes"], "level": ["yes"], "reference": ["no"], "n": [17], "events": [17]})
    table = rows.assign(**{"or": 144.2, "low": 19.0, "high": 18504.0, "p": 0.0001})
    figure = forest("t", "n", rows, {"Univariable": table})
    assert ">" in [line.get_marker() for line in figure.axes[0].lines]


def test_ratios_never_print_as_zero():
    assert [ratio(value) for value in (1e-9, 0.0009, 99.994, np.inf)] == ["<0.001", "0.001", "99.99", "∞"]
