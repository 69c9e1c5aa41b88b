"""The leakage experiment runs from its own command line, on cohorts too small to mean anything."""

import contextlib
import io
import json
import sys

import pandas as pd
import pytest

from experiments.leakage import run as leakage

SMALL = ["cohort.phantom.prevalence=0.4", "radiomics.images=[original]", "heads.lasso_folds=2", "heads.top=3",
         "split.folds=2", "evaluate.bootstrap=200", "network.batch=8", "network.training=separate",
         "roi.patch.shape=[4, 32, 32]", "evaluate.validation=null"]  # fmt: skip
MODELS = ["Tumor_DL", "External2_DL", "Tumor+External2_DL", "Tumor_RAD+DL", "External2_RAD+DL",
          "Tumor+External2_RAD+DL", "Combined"]  # fmt: skip


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """The folder, and what the command printed."""
    out, text = tmp_path_factory.mktemp("leakage"), io.StringIO()
    words = ["run.py", str(out), "--seeds", "0", "--cases", "24", "--backbone", "test_resnet", "--weights", "none",
             "--epochs", "1", "--jobs", "1", "--override", *SMALL]  # fmt: skip
    with pytest.MonkeyPatch.context() as own, contextlib.redirect_stdout(text):
        own.setattr(sys, "argv", words)
        leakage.main()
    return out, text.getvalue().splitlines()


def test_it_ends_with_the_means_of_the_models(printed):
    out, lines = printed
    means = json.loads(lines[-1])
    assert list(means) == MODELS
    rows = pd.read_csv(out / "leakage.csv")
    assert rows["model"].tolist() == MODELS
    assert means["Combined"]["honest"] == pytest.approx(rows.query("model == 'Combined'")["honest"].mean(), abs=1e-5)


def test_the_leak_shows_in_sample(printed):
    assert all(own["literal_train"] > 0.95 for own in json.loads(printed[1][-1]).values())


def test_the_table_holds_means_over_cohorts_and_each_cohort():
    rows = pd.DataFrame(
        {"model": ["Combined"] * 2, "seed": [0, 1], "literal_train": 1.0, "literal": [0.7, 0.8], "honest": [0.9, 0.79]}
    )
    lines = leakage.markdown(rows).splitlines()
    assert lines[2] == "| Combined | 1.000 | .750 | .845 | .095 ± .105 | 1 of 2 |"
    assert lines[-1] == "| Combined | 1.000 / .700 / .900 | 1.000 / .800 / .790 |"
