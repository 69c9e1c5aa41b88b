"""Every file in configs/ runs, with its own regions, images, heads and columns, on a tiny cohort."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusion.config import load
from fusion.config.cohort import Number
from fusion.config.run import Run
from fusion.data import cohort
from fusion.data.task import task_rows
from fusion.flow.run import run
from tests import toy, toy_slices
from tests.unrendered import unrendered

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
REGIONS = [path for path in CONFIGS if not load(path).cohort.sequences]
SLICES = [path for path in CONFIGS if load(path).cohort.sequences]
SMALLER = [
    "cohort.phantom=null", "split.folds=2", "split.file=null", "roi.patch.shape=[16, 32, 32]", "jobs=1",
    "network.weights=none", "network.epochs=1", "network.warmup_epochs=0", "network.batch=4", "network.seeds=1",
    "heads.lasso_folds=2", "evaluate.bootstrap=200", "evaluate.validation=null", "cache=null", "bundle=false",
]  # fmt: skip
SMALLER_SLICES = ["roi.slice.shape=[32, 32]", "network.backbone=mobilenetv3_small_100", "literal.copies=2"]


RENDERED = ("demo", "brain_mri")
"""Whose figures become pictures; those of the others are composed, and rendered with the slow tests."""


ELSEWHERE = "tiny_mri"
"""Runs whole in tests/flow/test_tasks.py, and here with the slow tests."""


def with_figures(paths: list[Path]) -> list:
    """Each config once, and slowly once more where its figures were not rendered: (path, whether they are)."""
    quick = [pytest.param(path, path.stem in RENDERED, id=path.stem) for path in paths if path.stem != ELSEWHERE]
    again = [path for path in paths if path.stem not in RENDERED]
    return quick + [pytest.param(path, True, id=f"{path.stem}, rendered", marks=pytest.mark.slow) for path in again]


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


@pytest.mark.parametrize(("config", "rendered"), with_figures(REGIONS))
def test_a_config_runs_on_a_tiny_cohort(config, rendered, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    words = [f"cohort.table={tmp_path / 'own.csv'}", f"output={tmp_path / 'run'}", *SMALLER]
    own = load(config, words)
    columns(own, toy.cohort(tmp_path, cases=14)).to_csv(tmp_path / "own.csv", index=False)
    with nullcontext() if rendered else unrendered():
        page = run(own)
    assert page.is_file()
    assert set(pd.read_csv(tmp_path / "run" / "metrics.csv")["model"]) == set(own.models)


def fewer(own: Run) -> list[str]:
    """Words that leave a run of slices its tasks, two sequences at most, and as few rotated images as may be."""
    two = own.used_sequences[:2]
    words = [f"sequences={','.join(two)}"]
    if any(set(names) - set(two) for names in own.fused):
        words.append(f"fused=[[{', '.join(two)}]]")
    words += [f"cohort.tasks.{name}.images=null" for name in own.cohort.tasks]
    return words + [word for word in SMALLER_SLICES if own.literal is not None or not word.startswith("literal")]


@pytest.mark.parametrize(("config", "rendered"), with_figures(SLICES))
def test_a_config_of_slices_runs_on_a_tiny_cohort(config, rendered, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    table = toy_slices.cohort(tmp_path, load(config).cohort)
    words = [f"cohort.table={table}", f"output={tmp_path / 'run'}", *SMALLER, *fewer(load(config))]
    own = load(config, words)
    with nullcontext() if rendered else unrendered():
        page = run(own)
    assert page.is_file()
    assert set(pd.read_csv(tmp_path / "run" / "metrics.csv")["model"]) == set(own.models)
    assert (tmp_path / "run" / "metrics_paper_literal.csv").is_file() is (own.literal is not None)


@pytest.mark.parametrize("config", SLICES, ids=lambda path: path.stem)
def test_every_column_that_a_config_of_slices_names_is_read(config, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    own = load(config)
    table = toy_slices.cohort(tmp_path, own.cohort)
    found = cohort.read(load(config, [f"cohort.table={table}"]).cohort, own.seed)
    assert not found.faults
    assert all(found.rows[f"has_{name}"].any() for name in own.used_sequences)
    assert {len(task_rows(found.rows, task)["label"].unique()) for task in own.used_tasks.values()} == {
        len(task.names) for task in own.used_tasks.values()
    }


def test_the_configs_that_users_rely_on_are_there():
    assert {"demo", "tiny_ct", "tiny_mri", "shen2026", "lidc", "sts", "kaba2025", "brain_mri"} <= {
        path.stem for path in CONFIGS
    }


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_begins_with_what_it_should_reach(config):
    head = [line for line in config.read_text().splitlines() if line.startswith("#")]
    assert len(head) >= 4
