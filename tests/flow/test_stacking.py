"""Every stacking mode, from a config to a report, on a cohort too small to mean anything."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from safetensors.torch import save_file

from fusion.flow import stages
from fusion.flow.folder import stored_run
from fusion.flow.run import EVERYTHING, part, run
from tests import toy
from tests.unrendered import unrendered

SMALL = "backbone: mobilenetv3_small_100, epochs: 1, warmup_epochs: 0, batch: 8, training: separate"
PATCH = "roi.patch.shape=[4, 32, 32]"
MODELS = 11
DEEP = ["tumour_DL", "external2_DL", "tumour+external2_DL"]


def finished(folder: Path, stacking: str, weights: str = "none", seeds: int = 1) -> Path:
    if not (folder / "table.csv").is_file():
        toy.cohort(folder, cases=36 if stacking == "nested_vector" else 24)
    words = (f"network={{{SMALL}, weights: {weights}, seeds: {seeds}}}", PATCH, f"heads.stacking={stacking}")
    own = toy.run(folder, *words)
    part(own, EVERYTHING)
    stages.evaluate(folder / "run", own)
    return folder / "run"


def scored(folder) -> pd.DataFrame:
    return pd.read_parquet(folder / "features/scores.parquet")


@pytest.fixture(scope="module")
def literal(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("literal"), "paper_literal", seeds=2)


@pytest.fixture(scope="module")
def printed(literal):
    """What `fusion run` prints once the run is there."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), unrendered():
        run(stored_run(literal))
    return text.getvalue().splitlines()


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("nested"), "nested_vector")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frozen")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(timm.create_model("mobilenetv3_small_100").state_dict(), folder / "start.safetensors")
    return finished(folder, "frozen_backbone", str(folder / "start.safetensors"))


@pytest.mark.parametrize("mode", ["literal", "nested", "frozen"])
def test_every_mode_scores_every_case_once(mode, request):
    folder = request.getfixturevalue(mode)
    table = pd.read_csv(folder / "predictions.csv")
    cases = len(pd.read_csv(folder / "cohort.csv"))
    assert (table.groupby("model")["case"].nunique() == cases).all()
    assert table["model"].nunique() == MODELS
    assert (scored(folder).groupby("source")["case"].nunique() == cases).all()
    assert set(scored(folder).columns) == {"case", "source", "set", "fold", "score"}


@pytest.mark.parametrize("mode", ["literal", "nested", "frozen"])
def test_a_training_case_has_one_row_of_deep_features(mode, request):
    folder = request.getfixturevalue(mode)
    for source in DEEP:
        table = pd.read_parquet(folder / f"features/deep_{source}.parquet")
        assert not table[table["set"] == "train"].index.duplicated().any()
        assert {"fold", "set", "d000"} <= set(table.columns)


def test_nothing_is_trained_for_a_frozen_backbone(frozen):
    assert list((frozen / "checkpoints").rglob("*.safetensors")) == []


@pytest.mark.parametrize("mode", ["nested", "frozen"])
def test_heads_on_deep_vectors_tell_what_they_kept(mode, request):
    chosen = pd.read_csv(request.getfixturevalue(mode) / "selection.csv", dtype={"fold": str})
    own = chosen[chosen["model"] == "Tumor+External2_DL"]
    assert set(own["fold"]) == {"0", "1", "final"}
    assert own["feature"].str.contains(r"d\d+$").all()


def test_only_the_networks_of_the_two_thirds_are_trained(nested):
    folders = sorted(path.name for path in (nested / "checkpoints/nested").iterdir())
    assert folders == ["fold_0", "fold_1", "fold_final"]
    weights = [path.name for path in (nested / "checkpoints/nested/fold_0").rglob("*.safetensors")]
    assert sorted(weights) == sorted(f"{source}_fold0_seed0.safetensors" for source in DEEP)


def test_the_plain_reading_leaves_the_honest_predictions_alone(literal, tmp_path_factory):
    honest = finished(tmp_path_factory.mktemp("honest"), "oof_score", seeds=2)
    for name in ("predictions.csv", "metrics.csv", "selection.csv", "calibration.csv"):
        assert (literal / name).read_bytes() == (honest / name).read_bytes()
    assert not (honest / "predictions_paper_literal.csv").exists()


def test_the_plain_reading_is_perfect_in_sample(literal, printed):
    table = pd.read_csv(literal / "tables/optimism.csv").set_index("model")
    assert len(table) == 7
    assert (table["literal_train"] > 0.99).all()
    assert np.allclose(table["optimism"], table["literal_train"] - table["literal"])


def test_the_optimism_is_printed_and_in_the_report(literal, printed):
    assert sum("optimism" in line for line in printed) == 7
    text = (literal / "report.html").read_text()
    assert "this table leaks on purpose" in text
    assert 'href="#optimism"' in text


def test_two_seeds_are_averaged_in_every_fold(literal):
    every = [pd.read_parquet(literal / f"features/deep_seen_{source}.parquet") for source in DEEP]
    assert all(set(table["seed"]) == {0, 1} for table in every)
    assert len(every[0]) == 24 * 2 * 2


def test_the_calibration_of_every_network_and_fold_is_told(literal):
    table = pd.read_csv(literal / "calibration.csv", dtype={"fold": str})
    assert table.columns.tolist() == ["model", "fold", "factor", "offset"]
    assert table.groupby("model")["fold"].agg(list).to_dict() == {
        model: ["0", "1", "final"] for model in ("External2_DL", "Tumor+External2_DL", "Tumor_DL")
    }


def test_scores_stay_as_the_networks_gave_them(literal):
    deep = pd.read_parquet(literal / "features/deep_scores.parquet").set_index(["source", "case"])["score"]
    own = scored(literal).set_index(["source", "case"])["score"].loc[deep.index]
    pd.testing.assert_series_equal(own, deep)
