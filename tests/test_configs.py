"""Every file in configs/ runs, with its own regions, images, heads and columns, on a tiny cohort."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusion.config import load
from fusion.config.cohort import Number
from fusion.config.run import Run
from fusion.flow.run import run
from tests import toy

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
SMALLER = [
    "cohort.phantom=null", "split.folds=2", "split.file=null", "roi.patch.shape=[16, 32, 32]", "jobs=1",
    "network.weights=none", "network.epochs=1", "network.warmup_epochs=0", "network.batch=4", "network.seeds=1",
    "heads.lasso_folds=2", "evaluate.bootstrap=200", "evaluate.validation=null", "cache=null",
]  # fmt: skip


def columns(own: Run, table: pd.DataFrame) -> pd.DataFrame:
    """The toy table with the names and values that the config speaks of."""
    names, rng = own.cohort, np.random.default_rng(0)
    renamed = pd.DataFrame({names.case: table["case"], names.image: table["ct"], names.tumour: table["tumour"]})
    renamed[names.outcome] = np.where(table["malignant"] == 1, names.positive, names.negative)
    for column in names.readers.values():
        renamed[column] = rng.choice([names.positive, names.negative], len(table))
    for column, kind in names.clinical.items():
        if isinstance(kind, Number):
            renamed[column] = rng.uniform(kind.low or 0, kind.high or 100, len(table))
        else:
            renamed[column] = rng.choice([str(value) for value in kind.values], len(table))
    return renamed


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_runs_on_a_tiny_cohort(config, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    words = [f"cohort.table={tmp_path / 'own.csv'}", f"output={tmp_path / 'run'}", *SMALLER]
    own = load(config, words)
    columns(own, toy.cohort(tmp_path, cases=14)).to_csv(tmp_path / "own.csv", index=False)
    page = run(own)
    assert page.is_file()
    assert set(pd.read_csv(tmp_path / "run" / "metrics.csv")["model"]) == set(own.models)


def test_the_configs_that_users_rely_on_are_there():
    assert {"demo", "tiny_ct", "shen2026", "lidc", "sts"} <= {path.stem for path in CONFIGS}


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_begins_with_what_it_should_reach(config):
    head = [line for line in config.read_text().splitlines() if line.startswith("#")]
    assert len(head) >= 4
