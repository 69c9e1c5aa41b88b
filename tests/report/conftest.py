"""A finished run folder, made of numbers without images."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusion.config import Run, parse
from fusion.evaluate.metrics import metrics
from tests.serve.made import once

CONFIG = """
name: fake
cohort:
  table: cohort.csv
  clinical:
    age: {kind: number}
    diameter_cm: {kind: number}
    margin: {kind: category, values: [clear, unclear]}
    nodes: {kind: category, values: [no, yes]}
evaluate: {bootstrap: 200}
""".replace("[no, yes]", '["no", "yes"]')
STRENGTH = {
    "Tumor_RAD": 1.3, "External2_RAD": 1.1, "Tumor+External2_RAD": 1.6,
    "Tumor_DL": 1.2, "External2_DL": 1.2, "Tumor+External2_DL": 1.6,
    "Tumor_RAD+DL": 1.5, "External2_RAD+DL": 1.4, "Tumor+External2_RAD+DL": 1.8,
    "Clinical": 0.9, "Combined": 2.1,
}  # fmt: skip
FEATURES = (
    "original_glcm_Contrast", "wavelet-LLH_firstorder_Mean", "original_shape_Sphericity",
    "log-sigma-2-0-mm-3D_glszm_SmallAreaLowGrayLevelEmphasis", "squareroot_gldm_DependenceEntropy",
    "exponential_ngtdm_Busyness", "lbp-3D-k_firstorder_10Percentile",
)  # fmt: skip


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Path, Run]]:
    """``make_run(overrides...)`` makes a finished run folder of 357 cases."""

    def make(
        *overrides: str,
        sets: tuple[str, ...] = ("train", "test"),
        cases: int = 357,
        models: tuple[str, ...] = tuple(STRENGTH),
    ) -> tuple[Path, Run]:
        folder = tmp_path_factory.mktemp("run")
        run = parse(CONFIG, overrides)
        cohort = _cohort(sets, cases, np.random.default_rng(1))
        predictions = _predictions(cohort, [name for name in run.models if name in models])
        cohort.to_csv(folder / "cohort.csv", index=False)
        predictions.to_csv(folder / "predictions.csv", index=False)
        metrics(predictions, run.evaluate, run.seed).to_csv(folder / "metrics.csv", index=False)
        _selection(run).to_csv(folder / "selection.csv", index=False)
        (folder / "environment.json").write_text(json.dumps(_environment()))
        return folder, run

    return make


@pytest.fixture(scope="session")
def finished(make_run, tmp_path_factory) -> tuple[Path, Run]:
    """The plain finished run, with figures, tables and page; made once for all processes, so nobody writes there."""
    from fusion.report import page

    def made(_: Path) -> Path:
        folder, run = make_run()
        page.write(folder, run)
        return folder

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    return once(shared / "reported", "plain", made), parse(CONFIG)


def _cohort(sets: tuple[str, ...], cases: int, generator: np.random.Generator) -> pd.DataFrame:
    event = (np.arange(cases) % 4 == 0).astype(int)
    place = np.arange(cases) // 4
    set_ = np.where((place % 10 < 7) | (len(sets) < 2), sets[0], sets[-1])
    unclear, node = generator.random((2, cases)) < [0.08 + 0.4 * event, 0.05 + 0.3 * event]
    return pd.DataFrame(
        {
            "case": [f"secret{i:04d}" for i in range(cases)],
            "patient": [f"private{i:04d}" for i in range(cases)],
            "set": set_,
            "fold": np.where(set_ == "train", place % 5, -1),
            "event": event,
            "age": np.round(generator.normal(53, 14, cases) + 2 * event, 0),
            "diameter_cm": np.round(np.abs(generator.normal(2.3, 0.8, cases)), 1),
            "margin": np.where(unclear, "unclear", "clear"),
            "nodes": np.where(node, "yes", "no"),
        }
    )


def _predictions(cohort: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    shared = np.random.default_rng(7).normal(size=len(cohort))
    tables = []
    for model in models:
        own = np.random.default_rng(len(model)).normal(size=len(cohort))
        odds = -1.8 + STRENGTH[model] * cohort["event"] + 0.7 * shared + 0.7 * own
        table = cohort[["case", "fold", "event"]].assign(model=model, probability=1 / (1 + np.exp(-odds)))
        tables.append(table.assign(set=cohort["set"].replace({"train": "train_oof"})))
    return pd.concat(tables)[["model", "set", "case", "fold", "probability", "event"]]


@pytest.fixture(scope="session")
def literal() -> Callable[[pd.DataFrame], pd.DataFrame]:
    """``literal(cohort)`` makes the plain reading's predictions."""
    return _literal


def _literal(cohort: pd.DataFrame) -> pd.DataFrame:
    """What `paper_literal` leaves beside the predictions: perfect in-sample, modest elsewhere."""
    from fusion.heads.literal import literal_models

    generator, tables = np.random.default_rng(3), []
    for model in literal_models(tuple(STRENGTH)):
        for set_, strength in (("train", 50.0), ("train_oof", 0.5), ("test", 0.5)):
            own = cohort[cohort["set"] == set_.removesuffix("_oof")][["case", "fold", "event"]]
            odds = -1.8 + strength * own["event"] + generator.normal(size=len(own))
            tables.append(own.assign(model=model, set=set_, probability=1 / (1 + np.exp(-odds))))
    return pd.concat(tables)[["model", "set", "case", "fold", "probability", "event"]]


def _selection(run: Run) -> pd.DataFrame:
    rows = []
    for model in run.models:
        if model.endswith("_DL"):
            continue
        regions = ("tumour:", "external2:") if model == "Tumor+External2_RAD" else ("",)
        names = (
            [region + name for region in regions for name in FEATURES] if model.endswith("RAD") else ["score", "age"]
        )
        for fold in ("0", "1", "2", "3", "4", "final"):
            for rank, name in enumerate(names, 1):
                rows.append((model, fold, name, (-1) ** rank * 0.5 / rank, rank))
    return pd.DataFrame(rows, columns=["model", "fold", "feature", "coefficient", "rank"])


def _environment() -> dict[str, object]:
    return {
        "fusion": "0.1.0",
        "data_sha256": "ab" * 32,
        "python": "3.11.7",
        "packages": {"numpy": "2.4.0", "torch": "2.15.0", "pyradiomics": "3.0.1"},
        "seed": 0,
        "git_commit": "445cff0d" * 5,
        "hardware": {"cpu": "x86_64", "cores": 2, "memory_gib": 7.6, "gpu": None},
        "started": "2026-11-22T06:30:00+0000",
    }
