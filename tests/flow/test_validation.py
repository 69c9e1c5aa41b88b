"""The stage leaves what was asked for, once, and nothing where nothing was."""

import pandas as pd
import pytest

from fusion.config import parse
from fusion.errors import ConfigError
from fusion.flow.run import EVERYTHING, part
from tests import toy

SMALL = "evaluate.validation={bootstrap: 3, learning_curve: false, permutations: 2, models: [Tumor_RAD, Clinical]}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("validation")
    toy.cohort(folder)
    own = toy.run(folder, SMALL, "radiomics.classes={firstorder: [Mean, Variance, Skewness]}")
    return own, part(own, EVERYTHING) / "validation"


def test_the_stage_leaves_what_was_asked_for(finished):
    _, folder = finished
    assert sorted(path.name for path in folder.iterdir()) == ["optimism.csv", "permutation.csv"]
    table = pd.read_csv(folder / "optimism.csv")
    assert table["model"].unique().tolist() == ["Tumor_RAD", "Clinical"]
    assert (table["resamples"] + table["dropped"] == 3).all()


def test_the_observed_auc_is_the_runs_out_of_fold_auc(finished):
    from fusion.evaluate.discrimination import auc

    own, folder = finished
    rows = pd.read_csv(own.folder / "predictions.csv").query("set == 'train_oof'")
    seen = pd.read_csv(folder / "permutation.csv").query("permutation == 0").set_index("model")["auc"]
    assert set(seen.index) == {"Tumor+External2_RAD", "Clinical", "Combined"}
    for model, expected in seen.items():
        mine = rows[rows["model"] == model]
        assert auc(mine["probability"].to_numpy(), mine["event"].to_numpy()) == pytest.approx(expected, abs=1e-9)


def test_a_missing_table_alone_is_made_again_with_the_same_bytes(finished):
    own, folder = finished
    before = (folder / "permutation.csv").read_bytes()
    (folder / "permutation.csv").unlink()
    time = (folder / "optimism.csv").stat().st_mtime_ns
    part(own, EVERYTHING)
    assert (folder / "permutation.csv").read_bytes() == before
    assert (folder / "optimism.csv").stat().st_mtime_ns == time


def test_a_model_that_the_run_does_not_make_is_refused():
    with pytest.raises(ConfigError, match="Tumor_RAD\\+DL"):
        parse("{name: a, cohort: {table: t.csv}, network: null}", ["evaluate.validation.models=[Tumor_RAD+DL]"])
