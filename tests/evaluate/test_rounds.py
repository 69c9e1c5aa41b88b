import numpy as np
import pandas as pd
import pytest

from fusion.config.evaluate import Evaluate, FixedThreshold
from fusion.config.tasks import Task
from fusion.evaluate import discrimination, metrics, tasks, threshold
from fusion.evaluate.round_parts import Asked
from fusion.evaluate.rounds import MEAN, pooled_metrics, pooled_predictions

CASES, FOLDS = 120, 3
FEW = Evaluate(bootstrap=200)
GRADES = {"grade": Task(classes={"low": ("l",), "mid": ("m",), "high": ("h",)})}
COHORT = pd.DataFrame({"case": [f"c{n:03d}" for n in range(CASES)], "patient": [f"p{n // 2}" for n in range(CASES)]})
EVENT = np.arange(CASES) // 2 % 3 == 0


def score(signal: float, seed: int) -> np.ndarray:
    return 1 / (1 + np.exp(-np.random.default_rng(seed).normal(0, 1, CASES) - signal * EVENT))


def rows(model: str, set_: str, keep: np.ndarray, probability: np.ndarray, fold: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"model": model, "set": set_, "case": COHORT["case"][keep], "fold": fold[keep],
                         "probability": probability[keep], "event": EVENT[keep].astype(int)})  # fmt: skip


def nested(shift: float = 0.0) -> dict[str, pd.DataFrame]:
    """Three rounds, each with two models; those of round ``n`` say ``n * shift`` more."""
    part, tables = np.arange(CASES) // 2 % FOLDS, {}
    part = np.roll(part, 6)
    for number in range(FOLDS):
        test = (np.arange(CASES) // 6) % FOLDS == number
        own = []
        for place, model in enumerate(("Clinical", "Combined")):
            moved = np.clip(score(1 + place, 10 * number + place) * 0.5 + number * shift, 0.001, 0.999)
            own += [rows(model, "train_oof", ~test, moved, part % 2), rows(model, "test", test, moved, part * 0 - 1)]
        tables[f"outer_{number + 1}"] = pd.concat(own, ignore_index=True)
    return tables


def repeated(repeats: int, seed: int = 0) -> dict[str, pd.DataFrame]:
    tables = {}
    for number in range(repeats):
        fold = np.random.default_rng(number).permutation(CASES // 2).repeat(2) % FOLDS
        own = [rows(model, "train_oof", np.ones(CASES, bool), score(0.4, 100 * number + place + seed), fold)
               for place, model in enumerate(("Clinical", "Combined"))]  # fmt: skip
        tables[f"repeat_{number + 1}"] = pd.concat(own, ignore_index=True).sample(frac=1, random_state=number)
    return tables


def asked(repeats: bool = False, **more) -> Asked:
    return Asked(**{"tasks": {}, "repeated": repeats, "evaluate": FEW, "seed": 0} | more)


def test_every_case_is_judged_once_and_the_auc_is_that_of_all_together():
    tables = nested()
    every = pooled_predictions(tables, asked())
    assert sorted(every["case"][every["model"] == "Clinical"]) == COHORT["case"].tolist()
    found = pooled_metrics(tables, COHORT, asked()).set_index("model")
    assert list(found.reset_index().columns) == [*metrics.COLUMNS, MEAN]
    for model, own in every.groupby("model"):
        area = discrimination.auc(own["probability"].to_numpy(), own["event"].to_numpy())
        each = [discrimination.auc(part["probability"].to_numpy(), part["event"].to_numpy())
                for _, part in own.groupby("round")]  # fmt: skip
        assert found.loc[model, "auc"] == pytest.approx(area)
        assert found.loc[model, MEAN] == pytest.approx(np.mean(each))
        assert found.loc[model, "n"] == CASES
        assert found.loc[model, "auc_low"] < area < found.loc[model, "auc_high"]


def test_the_test_of_two_models_is_delongs_on_all_test_cases():
    every = pooled_predictions(nested(), asked())
    p = metrics.compare(every, "Clinical", "Combined", "test").p
    found = pooled_metrics(nested(), COHORT, asked()).set_index("model")
    assert found.loc["Clinical", "delong_p"] == pytest.approx(p)
    assert np.isnan(found.loc["Combined", "delong_p"])


def test_calls_use_the_threshold_of_their_own_rounds_training_folds():
    tables = nested(shift=0.25)
    positive = called = 0
    for table in tables.values():
        train, test = (table[(table["set"] == set_) & (table["model"] == "Combined")] for set_ in ("train_oof", "test"))
        cut = threshold.choose(FEW.threshold, train["probability"].to_numpy(), train["event"].to_numpy())
        own = test[test["event"] == 1]
        positive, called = positive + len(own), called + int((own["probability"] >= cut).sum())
    found = pooled_metrics(tables, COHORT, asked()).set_index("model")
    assert found.loc["Combined", "sensitivity"] == called / positive


def test_test_cases_move_no_threshold():
    one = nested()
    other = {name: table.assign(probability=np.where(table["set"] == "test", 0.5, table["probability"]))
             for name, table in one.items()}  # fmt: skip
    first, second = (pooled_metrics(tables, COHORT, asked())["threshold"] for tables in (one, other))
    pd.testing.assert_series_equal(first, second)


def test_rounds_that_say_more_each_lower_the_pooled_auc_alone():
    found = pooled_metrics(nested(shift=0.25), COHORT, asked()).set_index("model").loc["Combined"]
    assert found["auc"] < found[MEAN] - 0.02


def test_repeats_are_averaged_after_they_are_judged_not_before():
    tables = repeated(8)
    found = pooled_metrics(tables, COHORT, asked(True)).set_index("model").loc["Clinical"]
    own = [table[table["model"] == "Clinical"].set_index("case").sort_index() for table in tables.values()]
    each = [discrimination.auc(table["probability"].to_numpy(), table["event"].to_numpy()) for table in own]
    ensemble = np.mean([table["probability"].to_numpy() for table in own], axis=0)
    assert found["auc"] == pytest.approx(np.mean(each))
    assert discrimination.auc(ensemble, own[0]["event"].to_numpy()) > found["auc"] + 0.05
    assert found["n"] == CASES


def test_the_same_repeat_again_and_again_is_no_more_data():
    once = repeated(1)["repeat_1"]
    names = ["auc", "auc_low", "auc_high", "brier", "sensitivity", "delong_p"]
    one, five = (
        pooled_metrics({f"repeat_{n}": once for n in range(count)}, COHORT, asked(True))[names] for count in (1, 5)
    )
    pd.testing.assert_frame_equal(one, five)


def test_two_models_over_repeats_are_compared_by_drawn_patients():
    found = pooled_metrics(repeated(3), COHORT, asked(True)).set_index("model")
    assert np.isnan(found.loc["Combined", "delong_p"])
    once = repeated(1)
    by_patient = pooled_metrics(once, COHORT.assign(patient=COHORT["case"]), asked(True, evaluate=Evaluate()))
    delong = metrics.compare(once["repeat_1"], "Clinical", "Combined", "train_oof").p
    assert by_patient.set_index("model").loc["Clinical", "delong_p"] == pytest.approx(delong, abs=0.03)


def test_a_fold_of_a_repeat_moves_no_threshold_of_its_own():
    once = repeated(1)["repeat_1"]
    lone = once[once["model"] == "Clinical"]
    cuts = [
        threshold.choose(
            FEW.threshold, *(lone[lone["fold"] != fold][name].to_numpy() for name in ("probability", "event"))
        )
        for fold in range(FOLDS)
    ]
    found = pooled_metrics({"repeat_1": once}, COHORT, asked(True)).set_index("model").loc["Clinical"]
    assert found["threshold"] == pytest.approx(np.mean(cuts))
    by_fold = dict(enumerate(cuts))
    right = (lone["probability"] >= lone["fold"].map(by_fold)).astype(int) == lone["event"]
    assert found["accuracy"] == pytest.approx(right.mean())
    fixed = asked(True, evaluate=Evaluate(bootstrap=200, threshold=FixedThreshold(probability=0.4)))
    assert set(pooled_metrics({"repeat_1": once}, COHORT, fixed)["threshold"]) == {0.4}


@pytest.mark.parametrize("repeats", [False, True])
def test_several_classes_are_judged_by_means_over_classes(repeats):
    rng, label = np.random.default_rng(0), np.array(["low", "mid", "high"])[np.arange(CASES) // 2 % 3]
    tables = {}
    for number in range(2):
        raw = rng.random((CASES, 3)) + (label[:, None] == ["low", "mid", "high"])
        own = raw / raw.sum(axis=1, keepdims=True)
        test = (np.arange(CASES) // 6) % 2 == number if not repeats else np.zeros(CASES, bool)
        by_class = {f"probability_{name}": own[:, place] for place, name in enumerate(("low", "mid", "high"))}
        tables[f"r{number}"] = pd.DataFrame(
            {"model": "grade/T2", "set": np.where(test, "test", "train_oof"), "case": COHORT["case"],
             "fold": np.where(test, -1, np.arange(CASES) // 2 % 2), "probability": np.nan, "event": pd.NA,
             "label": label, **by_class}
        )  # fmt: skip
    (found,) = pooled_metrics(tables, COHORT, asked(repeats, tasks=GRADES)).to_dict("records")
    assert set(found) == {*tasks.COLUMNS, MEAN}
    assert found["n"] == CASES
    assert found["patients"] == CASES // 2
    assert 0.8 < found["auc_low"] < found["auc"] < found["auc_high"] <= 1
    assert found["set"] == ("train_oof" if repeats else "test")
