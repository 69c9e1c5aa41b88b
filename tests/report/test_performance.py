"""The sections on calibration, decisions, rates, prevalence, readers and reclassification."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fusion.config.evaluate import FixedSensitivity, Youden
from fusion.errors import ConfigError
from fusion.evaluate import decision, threshold
from fusion.evaluate.metrics import metrics
from fusion.report.blocks import Prose, Rows
from fusion.report.figures import cases
from fusion.report.results import Results, read
from fusion.report.style import look
from fusion.report.topics import calibration, prevalence, rates, readers, reclassification
from fusion.report.topics import decision as decisions

MODELS = ("Tumor_RAD", "Clinical", "Combined")
READERS = "cohort.readers={senior: a, junior: b}"


@pytest.fixture(scope="module")
def make(make_run):
    """``make(overrides...)``: a finished run of three models in which two radiologists read."""

    def made(*overrides: str, **more) -> Results:
        folder, run = make_run(READERS, *overrides, models=MODELS, cases=240, **more)
        generator = np.random.default_rng(4)
        table = pd.read_csv(folder / "predictions.csv")
        noise = np.where(table["model"] == "Clinical", generator.normal(0, 0.05, len(table)), 0)
        table["probability"] = np.clip(table["probability"] + noise, 0.01, 0.99)
        table.to_csv(folder / "predictions.csv", index=False)
        metrics(table, run.evaluate, run.seed).to_csv(folder / "metrics.csv", index=False)
        cohort = pd.read_csv(folder / "cohort.csv", dtype={"case": str})
        for name, wrong in (("senior", 0.1), ("junior", 0.35)):
            call = np.where(generator.random(len(cohort)) < wrong, 1 - cohort["event"], cohort["event"])
            cohort[f"reader:{name}"] = pd.array(call, dtype="Int64")
        cohort.loc[cohort.index % 5 == 0, "reader:junior"] = pd.NA
        cohort.to_csv(folder / "cohort.csv", index=False)
        return read(folder, run)

    return made


@pytest.fixture(scope="module")
def results(make) -> Results:
    return make()


def said(topic) -> str:
    return " ".join(block.text for block in topic.section.blocks if isinstance(block, Prose) and not block.faint)


def of(table: pd.DataFrame, **where) -> pd.Series:
    for name, value in where.items():
        table = table[table[name] == value]
    (row,) = (row for _, row in table.iterrows())
    return row


def drawn(topic, name: str) -> Figure:
    with look(name):
        figure = topic.plots[name]()
        figure.draw_without_rendering()
    return figure


def title(figure: Figure) -> str:
    return figure.get_suptitle()


def test_every_model_is_shown_at_every_rule_with_thresholds_of_the_training_set(results):
    table = rates.topic(results).tables["thresholds"]
    assert len(table) == 5 * len(MODELS)
    assert set(table["set"]) == {"test"}
    for model in MODELS:
        training = cases(results, model, "train_oof")
        for name, rule in {"Youden": Youden(), "sensitivity 0.95": FixedSensitivity(sensitivity=0.95)}.items():
            assert of(table, model=model, rule=name)["threshold"] == threshold.choose(rule, *training)
    assert (table[["tp", "fn", "fp", "tn"]].sum(axis=1) == results.rows("test")["n"].iloc[0]).all()


def test_the_runs_own_rule_has_the_rates_of_metrics_csv(results):
    row = of(rates.topic(results).tables["thresholds"], model="Combined", rule="Youden")
    for name in ("accuracy", "sensitivity", "specificity", "ppv", "npv", "threshold"):
        assert row[name] == pytest.approx(results.rows("test")[name]["Combined"])


def test_the_runs_own_rule_is_added_where_it_is_none_of_the_usual(make):
    made = make("evaluate.threshold={kind: specificity, specificity: 0.8}")
    assert "specificity 0.8" in set(rates.by_rule(made, "test")["rule"])


def test_the_stated_cost_is_the_one_shown(make):
    made = make("evaluate.threshold={kind: cost, false_negative: 4, prevalence: 0.1}")
    assert "cost FN:FP 4:1 at 0.1" in set(rates.by_rule(made, "test")["rule"])


def test_the_rate_asked_for_and_the_rate_obtained_are_both_told(results):
    row = of(rates.by_rule(results, "test"), model="Combined", rule="sensitivity 0.9")
    assert f"gave {row['sensitivity']:.3f} here ({row['tp']:.0f} of" in said(rates.topic(results))


def test_without_training_predictions_only_a_fixed_threshold_is_left(results):
    alone = results.predictions[results.predictions["set"] == "test"]
    assert set(rates.by_rule(replace(results, predictions=alone), "test")["rule"]) == {"fixed 0.5"}


def test_the_stated_prevalence_is_a_row_and_the_sentence(make):
    topic = prevalence.topic(make("evaluate.prevalence=0.07"))
    row = of(topic.tables["prevalence"], model="Combined", prevalence=0.07)
    assert f"were 7% of all cases malignant, {100 * row['ppv']:.3g}%" in said(topic)
    assert "n = 72, 18 malignant" in title(drawn(topic, "prevalence_test"))


def test_calibration_agrees_with_metrics_csv(results):
    table = calibration.topic(results).tables["calibration"]
    own = table[table["set"] == "test"].set_index("model")
    assert own["slope"].to_numpy() == pytest.approx(results.rows("test")["calibration_slope"].to_numpy())
    assert own["brier"].to_numpy() == pytest.approx(results.rows("test")["brier"].to_numpy())
    assert ((own["slope_low"] < own["slope"]) & (own["slope"] < own["slope_high"])).all()
    assert len(table) == 2 * len(MODELS)


def test_calibration_says_how_far_and_how_far_chance_goes(results):
    row = of(calibration.topic(results).tables["calibration"], model="Combined", set="test")
    text = said(calibration.topic(results))
    apart = row["ici"] > row["ici_chance_high"]
    assert f"on average {100 * row['ici']:.1f} points" in text
    assert f"{100 * row['ici_chance']:.1f} off by chance: {'more' if apart else 'no more'} than chance" in text


def test_calibration_of_a_handful_of_cases_has_no_curve(make_run):
    made = read(*make_run(models=MODELS, cases=60))
    topic = calibration.topic(made)
    assert "too few cases" in said(topic)
    assert "With 3 malignant cases in the test set no interval or P here is to be leaned on." in said(topic)
    assert "n = 12, 3 malignant" in title(drawn(topic, "calibration_test"))


def test_decision_table_is_the_formula_with_an_interval(results):
    table = decisions.topic(results).tables["decision"]
    own = table[(table["set"] == "test") & (table["model"] == "Combined")]
    probability, events = cases(results, "Combined", "test")
    assert own["threshold"].tolist() == pytest.approx(np.arange(0.05, 0.96, 0.05).tolist())
    assert own["net_benefit"].to_numpy() == pytest.approx(decision.net_benefit(probability, events, decisions.STEPS))
    assert (own["low"] <= own["net_benefit"]).all()
    assert (own["net_benefit"] <= own["high"]).all()


def test_the_gain_is_the_difference_of_the_two_net_benefits(results):
    tables = decisions.topic(results).tables
    test = tables["decision"][tables["decision"]["set"] == "test"].set_index(["model", "threshold"])["net_benefit"]
    own = tables["decision_gain"][tables["decision_gain"]["set"] == "test"]
    assert own["gain"].to_numpy() == pytest.approx((test["Combined"] - test["Clinical"]).to_numpy())
    assert ((own["low"] <= own["gain"]) & (own["gain"] <= own["high"])).all()


def test_decision_draws_the_gain_over_the_older_model(results):
    topic = decisions.topic(results)
    figure = drawn(topic, "decision_test")
    assert "Combined − Clinical" in [axis.get_title(loc="left") for axis in figure.axes]
    assert "n = 72, 18 malignant" in title(figure)
    assert "Clinical" in said(topic)


def test_without_the_older_model_there_is_one_panel(make):
    made = make("heads.clinical=[]")
    assert len(drawn(decisions.topic(made), "decision_test").axes) == 1
    assert "decision_gain" not in decisions.topic(made).tables
    assert reclassification.topic(made) is None


def test_reclassification_tells_both_classes_apart(results):
    topic = reclassification.topic(results)
    row = of(topic.tables["reclassification"], measure="IDI")
    assert row["sum"] == pytest.approx(row["events"] + row["others"])
    free = of(topic.tables["reclassification"], measure="NRI, category-free")
    assert f"gives {free['events_right']} malignant cases a higher" in said(topic)
    assert topic.tables["reclassification_categories"]["n"].sum() == 72
    assert any("useless marker" in block.text for block in topic.section.blocks if isinstance(block, Prose))
    assert "n = 72, 18 malignant" in title(drawn(topic, "reclassification_test"))


def test_the_category_is_cut_at_the_training_share_or_where_stated(results, make):
    assert "NRI, cut at 0.25" in set(reclassification.topic(results).tables["reclassification"]["measure"])
    made = make("evaluate.reclassification.cutoffs=[0.1, 0.3]")
    topic = reclassification.topic(made)
    assert "NRI, cut at 0.10, 0.30" in set(topic.tables["reclassification"]["measure"])
    assert "0.10 to 0.30" in set(topic.tables["reclassification_categories"]["new"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("evaluate.reclassification.cutoffs=[0.3, 0.1]", "cutoffs that rise"),
        ("evaluate.reclassification.new=Clinical", "two models, not Clinical twice"),
        ("evaluate.reclassification.new=Combind", "names .*Combind"),
        ("cohort.readers={Combined: a}", "a model's name"),
    ],
)
def test_an_impossible_comparison_is_refused(make_run, override, message):
    with pytest.raises(ConfigError, match=message):
        make_run(override)


def test_readers_and_models_are_judged_over_the_cases_that_were_read(results):
    table = readers.topic(results).tables["readers"]
    test = results.cohort[results.cohort["set"] == "test"]
    read_ = test[test["reader:junior"] != ""]
    own = of(table, reader="junior", who="junior")
    assert 0 < len(read_) < len(test)
    assert (table[table["reader"] == "junior"]["n"] == len(read_)).all()
    assert own["tp"] == ((read_["reader:junior"].astype(float) == 1) & (read_["event"] == 1)).sum()
    assert own["accuracy"] == (read_["reader:junior"].astype(float) == read_["event"]).mean()
    whole = of(table, reader="senior", who="Combined")
    assert whole["accuracy"] == pytest.approx(results.rows("test")["accuracy"]["Combined"])


def test_discordant_cases_explain_the_difference(results):
    topic = readers.topic(results)
    tests, table = topic.tables["readers_mcnemar"], topic.tables["readers"]
    assert len(tests) == 2 * len(MODELS)
    for _, row in tests.iterrows():
        model, reader = (of(table, reader=row["reader"], who=who) for who in (row["model"], row["reader"]))
        right = [one["tp"] + one["tn"] for one in (model, reader)]
        assert row["accuracy_model_only"] - row["accuracy_reader_only"] == right[0] - right[1]
        assert row["accuracy_mid_p_holm"] >= row["accuracy_mid_p"]


def test_readers_are_told_and_drawn_beside_the_models(results):
    topic = readers.topic(results)
    assert "senior read 72" in said(topic)
    assert "mid-P" in said(topic)
    titles = [axis.get_title(loc="left").split("\n") for axis in drawn(topic, "confusion_readers_test").axes]
    assert [line[0] for line in titles if line[0]] == ["senior", "junior", "Clinical", "Tumor_RAD", "Combined"]
    assert all(line[1].startswith("accuracy 0.") for line in titles if line[0])


def test_readers_never_enter_metrics_csv(results):
    assert set(results.metrics["model"]) == set(MODELS)


def test_a_reader_of_one_class_is_told_and_not_compared(results):
    cohort = results.cohort.copy()
    cohort.loc[cohort["event"] == 1, "reader:junior"] = ""
    topic = readers.topic(replace(results, cohort=cohort))
    assert set(topic.tables["readers"]["reader"]) == {"senior"}
    assert "all benign: nothing to compare" in said(topic)


def test_a_folder_older_than_its_readers_says_so(results):
    cohort = results.cohort.drop(columns=["reader:senior", "reader:junior"])
    topic = readers.topic(replace(results, cohort=cohort))
    assert "There is no call of senior in the test set." in said(topic)
    assert not topic.tables


def test_without_readers_there_is_no_section(make_run):
    assert readers.topic(read(*make_run(models=MODELS, cases=60))) is None


def test_ticks_of_a_cohort_of_any_size_are_one_short_line():
    x, y = calibration._ticks(np.linspace(0, 1, 100_000), place=1.0)
    assert len(x) == len(y) == 3 * 1001
    assert np.isnan(y[2::3]).all()


def test_measures_of_a_curve_are_shown_and_explained_only_where_there_is_one(make):
    results = make()
    section = calibration.topic(results).section
    said = " ".join(block.text for block in section.blocks if isinstance(block, Prose))
    rows = next(block for block in section.blocks if isinstance(block, Rows))
    few = results.predictions.groupby(["set", "model"]).head(8)
    assert ("ICI is the mean distance" in said) == ("ICI" in rows.head)
    short = calibration.topic(replace(results, predictions=few)).section
    assert "ICI" not in next(block for block in short.blocks if isinstance(block, Rows)).head
