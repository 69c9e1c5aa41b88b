"""The comparison of heads runs from its own command line, on a table too small to mean anything."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from experiments.heads import run as heads


@pytest.fixture
def words(tmp_path):
    rng = np.random.default_rng(0)
    case = [f"c{n}" for n in range(60)]
    event = rng.permutation(np.arange(60) % 3 == 0).astype(int)
    table = pd.DataFrame(rng.normal(size=(60, 12)), pd.Index(case, name="case"), [f"f{n}" for n in range(12)])
    table["f3"] += 2 * event
    table.sample(frac=1, random_state=0).to_parquet(tmp_path / "table.parquet")
    cohort = pd.DataFrame({"case": case, "patient": [f"p{n // 2}" for n in range(60)], "event": event})
    cohort.to_csv(tmp_path / "cohort.csv", index=False)
    return [f"own={tmp_path / 'table.parquet'}:{tmp_path / 'cohort.csv'}", "--repeats", "2", "--folds", "3",
            "--lasso-folds", "3", "--heads", "default", "robust", "default, mRMR"]  # fmt: skip


def test_it_ends_with_differences_to_the_papers_recipe(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run.py", str(tmp_path / "out"), *words])
    heads.main()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    rows = pd.read_csv(tmp_path / "out/heads.csv")
    assert set(found) == {"paper", "default", "robust", "default, mRMR"}
    assert found["paper"] == 0
    assert rows.groupby("head")["auc"].mean()["default"] > 0.8
    assert (tmp_path / "out/heads.md").read_text().startswith("| head | own | mean AUC | minus paper |")


def test_every_head_is_a_recipe_that_the_config_accepts():
    assert all(heads.Heads(**given) for given in heads.HEADS.values())


def test_rows_stand_in_the_order_of_the_cohort(words):
    _, table, cohort = heads.read(words[0])
    assert table.shape == (60, 12)
    assert np.corrcoef(table[:, 3], cohort["event"])[0, 1] > 0.5
