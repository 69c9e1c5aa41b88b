import time

import numpy as np
import pandas as pd
import pytest

from fusion.config.evaluate import Evaluate, FixedThreshold
from fusion.config.run import MODELS
from fusion.errors import RunError
from fusion.evaluate import discrimination, metrics
from fusion.evaluate.metrics import COLUMNS, compare

QUICK = Evaluate(bootstrap=200)


def table(models: tuple[str, ...] = ("Tumor_RAD", "Clinical", "Combined"), n: int = 40) -> pd.DataFrame:
    parts = []
    for place, (set_, size) in enumerate({"train_oof": 2 * n, "test": n}.items()):
        generator = np.random.default_rng(place)
        events = np.arange(size) % 4 == 0
        shared = generator.normal(size=size)
        for model in models:
            own = np.random.default_rng([place, MODELS.index(model)])
            odds = -1 + 1.2 * events + shared + own.normal(size=size)
            parts.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "set": set_,
                        "case": [f"{set_}-{i}" for i in range(size)],
                        "fold": np.arange(size) % 5 if set_ == "train_oof" else -1,
                        "probability": 1 / (1 + np.exp(-odds)),
                        "event": events.astype(int),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def result() -> pd.DataFrame:
    return metrics.metrics(table(), QUICK, seed=0)


def row(result: pd.DataFrame, model: str, set_: str) -> pd.Series:
    return result.set_index(["model", "set"]).loc[(model, set_)]


def test_columns_are_those_of_metrics_csv(result):
    assert tuple(result.columns) == COLUMNS
    assert len(result) == 6


def test_the_training_threshold_is_used_in_every_set(result):
    assert result.groupby("model")["threshold"].nunique().eq(1).all()


def test_the_test_set_cannot_move_the_threshold(result):
    other = table()
    test = other["set"] == "test"
    other.loc[test, "probability"] = other.loc[test, "probability"] ** 3
    again = metrics.metrics(other, QUICK, seed=0)
    assert again["threshold"].tolist() == result["threshold"].tolist()


def test_the_reference_has_no_p_of_its_own(result):
    assert result["delong_p"].isna().tolist() == (result["model"] == "Combined").tolist()
    assert result["delong_p_holm"].isna().tolist() == (result["model"] == "Combined").tolist()


def test_p_is_delongs_and_holm_is_over_the_set(result):
    predictions = table()
    p = [compare(predictions, name, "Combined", "test").p for name in ("Tumor_RAD", "Clinical")]
    test = result[(result["set"] == "test") & (result["model"] != "Combined")]
    assert test["delong_p"].tolist() == p
    assert test["delong_p_holm"].tolist() == discrimination.holm(np.array(p)).tolist()


def test_without_combined_the_last_model_is_the_reference():
    result = metrics.metrics(table(("Clinical", "Tumor_RAD")), QUICK, seed=0)
    assert result["delong_p"].isna().tolist() == (result["model"] == "Clinical").tolist()


def test_rows_do_not_depend_on_the_other_models(result):
    alone = metrics.metrics(table(("Combined",)), QUICK, seed=0)
    pd.testing.assert_frame_equal(alone, result[result["model"] == "Combined"].reset_index(drop=True))


def test_the_order_of_rows_does_not_matter(result):
    shuffled = table().sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(metrics.metrics(shuffled, QUICK, seed=0), result, rtol=1e-12)


def test_the_seed_moves_the_interval_alone(result):
    other = metrics.metrics(table(), QUICK, seed=1)
    moved = [name for name in COLUMNS if not other[name].equals(result[name])]
    assert moved == ["auc_low", "auc_high"]


def test_other_cases_than_the_references_are_refused():
    short = table().iloc[1:]
    with pytest.raises(RunError, match="1 cases of set train_oof in only one of Tumor_RAD and Combined"):
        metrics.metrics(short, QUICK, seed=0)


def test_a_threshold_needs_training_predictions():
    only_test = table()[lambda rows: rows["set"] == "test"]
    with pytest.raises(RunError, match="none for Tumor_RAD"):
        metrics.metrics(only_test, QUICK, seed=0)


def test_a_fixed_threshold_needs_none():
    only_test = table()[lambda rows: rows["set"] == "test"]
    evaluate = Evaluate(bootstrap=200, threshold=FixedThreshold(probability=0.4))
    assert set(metrics.metrics(only_test, evaluate, seed=0)["threshold"]) == {0.4}


def test_noise_scores_chance():
    noise = table(n=150)
    noise["probability"] = np.random.default_rng(9).random(len(noise))
    result = metrics.metrics(noise, QUICK, seed=0)
    assert np.all((result["auc_low"] < 0.5) & (result["auc_high"] > 0.5))


def test_eleven_models_in_two_sets_take_seconds():
    everything = table(MODELS, n=125)
    start = time.perf_counter()
    metrics.metrics(everything, Evaluate(), seed=0)
    assert time.perf_counter() - start < 10
