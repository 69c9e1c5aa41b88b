"""The networks' experiments run from their own command lines, on cohorts too small to mean anything."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments.lidc import networks as lidc
from experiments.shen2026 import networks as shen2026
from tests import toy

ROOT = Path(__file__).parents[2]
SMALL = ["split.folds=2", "roi.patch.shape=[16, 32, 32]", "network.epochs=1", "network.warmup_epochs=0",
         "network.batch=4", "network.backbone=test_resnet", "network.training=separate", "heads.lasso_folds=2",
         "jobs=1"]  # fmt: skip


def test_the_phantoms_networks_end_with_the_means_of_the_sources(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    words = ["networks.py", str(tmp_path), "--cases", "12", "--seeds", "0", "1", "--null-seeds", "3",
             "--override", "cohort.phantom.prevalence=0.5", *SMALL]  # fmt: skip
    monkeypatch.setattr(sys, "argv", words)
    shen2026.main()
    printed = capsys.readouterr().out.splitlines()
    means, rows = json.loads(printed[-1]), pd.read_csv(tmp_path / "networks.csv")
    own = rows.query("preset == 'default' and source == 'tumour_DL'")["auc"]
    assert means["default"]["tumour_DL"] == pytest.approx(own.mean(), abs=1e-4)
    assert set(means) == {"default", "null"}
    assert any(line.startswith("| **default, mean** |") for line in printed)


def test_lidc_compares_two_starts(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    table = toy.cohort(tmp_path, cases=8)
    table["label"] = table["malignant"].map({1: "malignant", 0: "benign"})
    table.assign(diameter_mm=10.0).to_csv(tmp_path / "own.csv", index=False)
    monkeypatch.setitem(lidc.ARMS, "imagenet", ["network.weights=none", "network.dropout=0.5"])
    words = ["networks.py", str(tmp_path / "out"), "--arms", "imagenet", "random", "--override", *SMALL,
             f"cohort.table={tmp_path / 'own.csv'}"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", words)
    lidc.main()
    printed = capsys.readouterr().out.splitlines()
    assert set(json.loads(printed[-1])) == {"imagenet", "random"}
    assert "| start | tumour_DL | external2_DL | tumour+external2_DL |" in printed
