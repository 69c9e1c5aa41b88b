import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fusion.config.evaluate import Evaluate, FixedThreshold, LeastCost
from fusion.errors import RunError
from fusion.evaluate import calibration, classes, discrimination, patient_draws, tasks, threshold
from fusion.evaluate.judged import judge
from fusion.evaluate.task_pairs import reference

from .made_tasks import KIND, TASKS, cohort, images, table

QUICK = Evaluate(bootstrap=200)
FIXED = Evaluate(bootstrap=200, threshold=FixedThreshold(probability=0.5))
TRAIN, TEST = cohort(), cohort(40, "test")
CASES = pd.concat([TRAIN, TEST], ignore_index=True)
BOTH = pd.concat([table(TRAIN), table(TEST, set_="test")], ignore_index=True)
ENDS = [f"{name}_{end}" for name in (*tasks.RATES, "auc") for end in ("low", "high")]


@pytest.fixture(scope="module")
def result() -> pd.DataFrame:
    return tasks.task_metrics(BOTH, CASES, TASKS, QUICK, seed=0)


@pytest.fixture(scope="module")
def of_classes() -> pd.DataFrame:
    return tasks.class_table(BOTH, CASES, TASKS, QUICK, seed=0)


def row(result: pd.DataFrame, model: str, set_: str = "train_oof") -> pd.Series:
    return result.set_index(["model", "set"]).loc[(model, set_)]


def own(model: str, set_: str = "train_oof") -> pd.DataFrame:
    return BOTH[(BOTH["model"] == model) & (BOTH["set"] == set_)]


def test_columns_are_those_of_the_contract(result):
    assert tuple(result.columns) == tasks.COLUMNS
    assert len(result) == 12
    assert result["task"].add("/").add(result["view"]).eq(result["model"]).all()


def test_two_classes_are_judged_as_events_are(result):
    rows, found = own("grade/T1"), row(result, "grade/T1")
    probability, events = rows["probability"].to_numpy(), rows["event"].to_numpy(int)
    cut = threshold.choose(QUICK.threshold, probability, events)
    counts, line = threshold.confusion(probability, events, cut), calibration.recalibrate(probability, events)
    assert found["threshold"] == cut
    assert found["events"] == events.sum()
    for name in ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1"):
        assert found[name] == pytest.approx(getattr(counts, name))
    assert found["auc"] == pytest.approx(discrimination.auc(probability, events))
    assert found["brier"] == pytest.approx(calibration.brier(probability, events))
    assert [found["calibration_slope"], found["calibration_intercept"]] == [line.slope, line.intercept]


def test_more_classes_have_macro_means_and_no_event(result, of_classes):
    found = row(result, "kind/T1")
    own_classes = of_classes[(of_classes["model"] == "kind/T1") & (of_classes["set"] == "train_oof")]
    for name in ("sensitivity", "specificity", "f1", "auc"):
        assert found[name] == pytest.approx(own_classes[name].mean())
    rows = own("kind/T1")
    area = roc_auc_score(
        [KIND.index(x) for x in rows["label"]], rows[[f"probability_{x}" for x in KIND]], multi_class="ovr"
    )
    assert found["auc"] == pytest.approx(area)
    assert found[["events", "threshold", "calibration_slope", "delong_p"]].isna().all()


def test_n_patients_and_cases_are_counted(result):
    found = row(result, "kind/T1")
    assert found["n"] == found["cases"] == len(TRAIN)
    assert found["patients"] == TRAIN["patient"].nunique() < len(TRAIN)


def test_majority_is_what_always_calling_the_largest_class_gives(result):
    assert row(result, "kind/T1")["majority"] == pytest.approx((TRAIN["kind"] == 0).mean())
    assert row(result, "grade/T1")["majority"] == pytest.approx((TRAIN["kind"] < 2).mean())


def test_balanced_accuracy_is_the_mean_sensitivity(result):
    found = row(result, "grade/T1")
    assert found["balanced_accuracy"] == pytest.approx((found["sensitivity"] + found["specificity"]) / 2)
    assert row(result, "kind/T1")["balanced_accuracy"] == pytest.approx(row(result, "kind/T1")["sensitivity"])


def test_intervals_hold_their_value(result, of_classes):
    for name in (*tasks.RATES, "auc"):
        assert (result[f"{name}_low"] <= result[name]).all()
        assert (result[name] <= result[f"{name}_high"]).all()
    assert (of_classes["f1_low"] <= of_classes["f1"]).all()


def test_the_class_table_says_the_same_of_the_event(result, of_classes):
    high = of_classes[(of_classes["class"] == "high") & (of_classes["model"] == "grade/T1")].set_index("set")
    found = row(result, "grade/T1", "test")
    names = [f"{name}{end}" for name in ("sensitivity", "specificity", "ppv", "f1", "auc") for end in ("", "_low")]
    pd.testing.assert_series_equal(high.loc["test", names], found[names], check_names=False, check_dtype=False)


def test_confusions_hold_every_case_once():
    cells = tasks.confusions(BOTH, CASES, TASKS, QUICK)
    assert len(cells) == 2 * 3 * (4 + 16)
    of_truth = cells[(cells["model"] == "kind/T2") & (cells["set"] == "test")].groupby("truth")["n"].sum()
    assert of_truth.to_dict() == own("kind/T2", "test")["label"].value_counts().to_dict()
    right = cells[(cells["truth"] == cells["call"]) & (cells["model"] == "kind/T2") & (cells["set"] == "test")]
    accuracy = row(tasks.task_metrics(BOTH, CASES, TASKS, QUICK, 0), "kind/T2", "test")["accuracy"]
    assert right["n"].sum() / len(TEST) == pytest.approx(accuracy)


def test_the_rule_says_where_the_threshold_was_found(result):
    rules = result[result["view"] == "T1"].set_index(["task", "set"])["threshold_rule"].to_dict()
    assert rules == {
        ("grade", "train_oof"): "youden, chosen on these cases",
        ("grade", "test"): "youden, chosen on train_oof",
        ("kind", "train_oof"): "largest probability",
        ("kind", "test"): "largest probability",
    }


def test_a_fixed_threshold_needs_no_training_rows():
    found = tasks.task_metrics(table(TEST, set_="test"), CASES, TASKS, FIXED, seed=0)
    assert set(found[found["task"] == "grade"]["threshold_rule"]) == {"fixed"}
    assert set(found[found["task"] == "grade"]["threshold"]) == {0.5}


def test_a_chosen_threshold_needs_training_rows_of_both_classes():
    with pytest.raises(RunError, match="nothing in set train_oof of grade/T1") as error:
        tasks.task_metrics(table(TEST, set_="test"), CASES, TASKS, QUICK, seed=0)
    assert len(error.value.faults) == 3
    with pytest.raises(RunError, match="one class only in set train_oof of grade/T1"):
        judge(table(TRAIN[TRAIN["kind"] < 2]), CASES, TASKS, Evaluate(threshold=LeastCost()))


def test_the_test_set_cannot_move_the_threshold(result):
    assert result.dropna(subset="threshold").groupby("model")["threshold"].nunique().eq(1).all()


def test_a_case_needs_a_patient():
    with pytest.raises(RunError, match="cases that the cohort lacks"):
        tasks.task_metrics(BOTH, TRAIN, TASKS, QUICK, seed=0)


def test_rows_do_not_depend_on_other_models_or_their_order(result):
    alone = tasks.task_metrics(BOTH[BOTH["model"] == "kind/T2"], CASES, TASKS, QUICK, seed=0)
    pd.testing.assert_frame_equal(alone, result[result["model"] == "kind/T2"].reset_index(drop=True))
    grade = BOTH[BOTH["model"] == "grade/T2"].sample(frac=1, random_state=2)
    names = [name for name in tasks.COLUMNS if not name.startswith("delong")]
    pd.testing.assert_frame_equal(
        tasks.task_metrics(grade, CASES, TASKS, QUICK, seed=0)[names],
        result[result["model"] == "grade/T2"].reset_index(drop=True)[names],
    )


def test_the_seed_moves_the_intervals_alone(result):
    other = tasks.task_metrics(BOTH, CASES, TASKS, QUICK, seed=1)
    moved = {name for name in tasks.COLUMNS if not other[name].equals(result[name])}
    assert moved <= set(ENDS)
    assert {"auc_low", "accuracy_high"} <= moved


def test_fused_is_the_reference_then_combined():
    assert reference(["T1", "Combined", "fused", "RAD"]) == "fused"
    assert reference(["Combined", "RAD"]) == "Combined"
    assert reference(["T1", "T2"]) == "T2"


def test_p_is_delongs_and_holm_is_within_the_task_and_set(result):
    grade = result[(result["task"] == "grade") & (result["set"] == "test")].set_index("view")
    score = {view: own(f"grade/{view}", "test")["probability"].to_numpy() for view in ("T1", "T2", "fused")}
    events = own("grade/T1", "test")["event"].to_numpy(int)
    p = np.array([discrimination.delong_test(score[view], score["fused"], events).p for view in ("T1", "T2")])
    np.testing.assert_allclose(grade.loc[["T1", "T2"], "delong_p"].to_numpy(float), p)
    np.testing.assert_allclose(grade.loc[["T1", "T2"], "delong_p_holm"].to_numpy(float), discrimination.holm(p))
    assert grade.loc["fused", ["delong_p", "delong_p_holm", "delong_cases"]].isna().all()


def test_a_pair_is_compared_on_the_cases_that_both_have():
    lacks = (BOTH["model"] == "grade/T1") & BOTH["case"].isin(TRAIN["case"][::4])
    less = (BOTH["model"] == "grade/fused") & BOTH["case"].isin(TRAIN["case"][1::4])
    found = row(tasks.task_metrics(BOTH[~lacks & ~less], CASES, TASKS, QUICK, seed=0), "grade/T1")
    keep = ~TRAIN["case"].isin([*TRAIN["case"][::4], *TRAIN["case"][1::4]]).to_numpy()
    one, two = (own(f"grade/{view}")["probability"].to_numpy()[keep] for view in ("T1", "fused"))
    p = discrimination.delong_test(one, two, own("grade/T1")["event"].to_numpy(int)[keep]).p
    assert found["delong_cases"] == keep.sum()
    assert found["delong_p"] == pytest.approx(p)


def test_a_set_with_one_class_has_no_area_and_no_slope():
    only = table(TEST[TEST["kind"] > 1], set_="test")
    found = row(tasks.task_metrics(only, CASES, TASKS, FIXED, seed=0), "grade/T1", "test")
    assert found[["auc", "auc_low", "specificity", "calibration_slope", "delong_p", "hand_till"]].isna().all()
    assert np.isfinite(found["sensitivity_low"])


def test_images_are_counted_and_never_tested():
    found = tasks.task_metrics(images(table(TRAIN), 3), CASES, TASKS, QUICK, seed=0)
    assert set(found["set"]) == {"validation"}
    assert (found["n"] == 3 * len(TRAIN)).all()
    assert (found["cases"] == len(TRAIN)).all()
    assert (found["patients"] == TRAIN["patient"].nunique()).all()
    assert found["delong_p"].isna().all()
    assert found["threshold_rule"][0] == "largest probability, as images have no train_oof to find youden in"


def test_copies_do_not_narrow_the_interval():
    """Ten copies of every image are no news: values and intervals stay as they were."""
    once, ten = (tasks.task_metrics(images(table(TRAIN), n), CASES, TASKS, FIXED, seed=0) for n in (1, 10))
    assert (ten["n"] == 10 * once["n"]).all()
    names = [*tasks.RATES, "auc", "brier", "hand_till", *ENDS]
    pd.testing.assert_frame_equal(ten[names], once[names])


def test_cases_taken_for_patients_would_narrow_it():
    """The mistake that the test above is about, made on purpose."""
    rows = images(table(TRAIN, ("T1",)), 10)
    honest = tasks.task_metrics(rows, CASES, TASKS, FIXED, seed=0)
    as_patients = rows.assign(case=rows["image"])
    each = pd.DataFrame({"case": as_patients["case"].unique(), "patient": as_patients["case"].unique()})
    naive = tasks.task_metrics(as_patients, each, TASKS, FIXED, seed=0)
    width = [(found["accuracy_high"] - found["accuracy_low"]).to_numpy() for found in (honest, naive)]
    assert (width[0] > 2 * width[1]).all()


def test_differences_are_literal_minus_honest():
    honest = tasks.task_metrics(BOTH, CASES, TASKS, FIXED, seed=0)
    literal = tasks.task_metrics(images(table(TRAIN, ("T1", "T2"), signal=4), 3), CASES, TASKS, FIXED, seed=0)
    found = tasks.differences(honest, literal).set_index(["task", "view", "set", "measure"])
    assert len(found) == 2 * 2 * 2 * 6
    one = found.loc[("kind", "T2", "test", "f1")]
    values = row(literal, "kind/T2", "validation")["f1"], row(honest, "kind/T2", "test")["f1"]
    assert (one["literal"], one["honest"]) == values
    assert one["difference"] == values[0] - values[1] > 0
    assert found.loc[("kind", "T2", "test", "accuracy"), "chance"] == row(honest, "kind/T2", "test")["majority"]
    assert found.loc[("kind", "T2", "test", "auc"), "chance"] == 0.5
    assert np.isnan(one["chance"])


def test_noise_scores_chance():
    many = cohort(300)
    found = tasks.task_metrics(table(many, tuple(f"T{i}" for i in range(10)), signal=0), many, TASKS, FIXED, seed=0)
    assert ((found["auc_low"] <= 0.5) & (found["auc_high"] >= 0.5)).mean() >= 0.8
    assert np.allclose(found["balanced_accuracy"], np.where(found["task"] == "grade", 0.5, 0.25), atol=0.1)


def test_twelve_models_of_a_hundred_cases_take_seconds():
    cases = cohort(110)
    rows = table(cases, ("T1", "T2", "T3", "T4", "T5", "T6"))
    start = time.perf_counter()
    for predictions in (rows, images(rows, 8)):
        tasks.task_metrics(predictions, cases, TASKS, Evaluate(threshold=FIXED.threshold), seed=0)
    assert time.perf_counter() - start < 20


def test_draws_are_by_patient_within_the_first_class():
    label = TRAIN["kind"].to_numpy()
    drawn = patient_draws.weights(TRAIN["patient"].to_numpy(), label, np.random.default_rng(0), 50)
    together = pd.DataFrame(drawn).groupby(TRAIN["patient"].to_numpy())
    assert (together.max() == together.min()).all(axis=None)
    first = pd.Series(label).groupby(TRAIN["patient"].to_numpy()).min()
    per_class = together.first().groupby(first).sum()
    assert (per_class.to_numpy() == first.value_counts().sort_index().to_numpy()[:, None]).all()


def test_an_interval_of_one_patient_is_unknown():
    label = np.array([0, 0, 0, 1, 1])
    found = patient_draws.intervals(
        lambda weights: {"accuracy": classes.rates(classes.confusion(label, label, 2, weights)).accuracy},
        np.array(["a", "b", "c", "d", "d"]), label, np.random.default_rng(0), 200,
    )  # fmt: skip
    assert np.isnan(found["accuracy"]).all()


def test_percentiles_are_of_the_samples_that_say_something():
    values = np.arange(100.0)
    some, many = values.copy(), values.copy()
    some[:4], many[:6] = np.nan, np.nan
    assert patient_draws.percentiles(some, 0.95)[0] == pytest.approx(np.quantile(values[4:], 0.025))
    assert np.isnan(patient_draws.percentiles(many, 0.95)).all()


def test_one_case_a_patient_is_the_interval_of_the_auc():
    """Against the bootstrap of cases, which has tests of its own; only the draws differ."""
    rows, cases = table(cohort(200), ("T1",)), cohort(200).assign(patient=lambda rows: rows["case"])
    grade = rows[rows["model"] == "grade/T1"]
    found = row(tasks.task_metrics(rows, cases, TASKS, Evaluate(), seed=0), "grade/T1")
    low, high = discrimination.bootstrap_interval(
        grade["probability"].to_numpy(), grade["event"].to_numpy(int), np.random.default_rng(0)
    )
    assert found["auc_low"] == pytest.approx(low, abs=0.01)
    assert found["auc_high"] == pytest.approx(high, abs=0.01)


def test_intervals_cover_the_truth_of_clustered_cases():
    """200 cohorts whose patients' four cases are right or wrong together; cases taken for patients cover far less."""
    generator = np.random.default_rng(5)
    patient = np.repeat(np.arange(60), 4)
    held = [_held(generator.random(60)[patient] < 0.75, patient, generator) for _ in range(200)]
    by_patient, by_case = np.mean(held, axis=0)
    assert 0.88 <= by_patient <= 0.99
    assert by_case < 0.8


def _held(right: np.ndarray, patient: np.ndarray, generator: np.random.Generator) -> list[bool]:
    """Whether the accuracy's interval holds 0.75, by patients and by cases."""
    label = np.repeat([0, 1], 120)
    call = np.where(right, label, 1 - label)

    def accuracy(weights: classes.Weights) -> patient_draws.Measures:
        return {"accuracy": classes.rates(classes.confusion(label, call, 2, weights)).accuracy}

    ends = (
        patient_draws.intervals(accuracy, whose, label, generator, 300)["accuracy"]
        for whose in (patient, np.arange(240))
    )
    return [bool(low <= 0.75 <= high) for low, high in ends]
