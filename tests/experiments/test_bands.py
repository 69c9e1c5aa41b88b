"""The phantom experiment runs from its own command line, on a cohort too small to mean anything."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments.shen2026 import bands

ROOT = Path(__file__).parents[2]
SMALL = ["cohort.phantom.cases=24", "cohort.phantom.prevalence=0.4", "radiomics.images=[original]",
         "heads.lasso_folds=2", "split.folds=2", "evaluate.bootstrap=200", "jobs=1"]  # fmt: skip


def test_it_ends_with_the_means_of_the_models(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    words = ["bands.py", str(tmp_path), "--seeds", "1", "--arms", "default", "shuffled", "--override", *SMALL]
    monkeypatch.setattr(sys, "argv", words)
    bands.main()
    means = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(means) == {"default", "shuffled"}
    assert set(means["default"]) == set(bands.BANDS)
    assert len(pd.read_csv(tmp_path / "bands.csv")) == 10


@pytest.mark.slow
def test_the_known_answer_of_the_first_seed_comes_out_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["bands.py", str(tmp_path), "--seeds", "1", "--arms", "default"])
    bands.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["default"]
    expected = json.loads((ROOT / "experiments/shen2026/expected.json").read_text())["default"]
    assert found == pytest.approx({model: seeds[0] for model, seeds in expected.items()}, abs=0.002)
