"""A finished run folder of tasks, made of numbers and of discs for tumours."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config import Run, load
from fusion.data.task import task_rows
from fusion.evaluate.task_predictions import columns
from fusion.evaluate.tasks import task_metrics
from fusion.roi.slice import Slices

CONFIG = Path(__file__).parents[2] / "configs/tiny_mri.yaml"
SHARES = {"PA": 0.37, "Warthin": 0.38, "other benign": 0.09, "MEC": 0.08, "other malignant": 0.08}
SIX = ("T2-w", "T1-w", "T1c-w", "DWI-b0", "DWI-b2000", "ADC")
STARTED = {
    "fusion": "0.1.0", "data_sha256": "ab" * 32, "python": "3.11.7", "packages": {"numpy": "2.4.0"}, "seed": 0,
    "git_commit": None, "hardware": {"cpu": "x86_64", "cores": 2, "memory_gib": 7.6, "gpu": None},
    "started": "2026-11-27T06:30:00+0000",
}  # fmt: skip


def six(*, masks: bool = True) -> tuple[str, ...]:
    """Overrides that give the config the paper's six sequences."""
    mask = ", mask: tumour" if masks else ""
    parts = ", ".join(f"{name}: {{column: {name.lower()}{mask}}}" for name in SIX)
    return (f"cohort.sequences={{{parts}}}", f"fused=[[{', '.join(SIX)}]]")


def write(
    folder: Path, *overrides: str, cases: int = 117, sets: tuple[str, ...] = ("train",), without: tuple[str, ...] = (),
    trained: str = "",
) -> Run:  # fmt: skip
    """A run folder as a task run leaves it.

    Models that ``without`` names are missing; all tumours of the outcome ``trained`` are in the training set.
    """
    run = load(CONFIG, overrides)
    cohort = _cohort(run, cases, sets)
    here = cohort["outcome"] == trained
    cohort = cohort.assign(set=cohort["set"].mask(here, "train"), fold=cohort["fold"].mask(here, cohort.index % 5))
    honest, literal = _predictions(run, cohort, 1.2, without), _images(run, cohort, without)
    folder.mkdir(parents=True, exist_ok=True)
    cohort.to_csv(folder / "cohort.csv", index=False)
    for name, table in {"": honest, "_paper_literal": literal}.items():
        if table is not None:
            table.to_csv(folder / f"predictions{name}.csv", index=False)
            judged = task_metrics(table, cohort, run.used_tasks, run.evaluate, run.seed)
            judged.to_csv(folder / f"metrics{name}.csv", index=False)
    _selection(run).to_csv(folder / "selection.csv", index=False)
    _calibration(run).to_csv(folder / "calibration.csv", index=False)
    (folder / "environment.json").write_text(json.dumps(STARTED))
    _slices(run, cohort).save(folder / "checkpoints/slices.npz")
    return run


def _cohort(run: Run, cases: int, sets: tuple[str, ...]) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    outcome = np.repeat(list(SHARES), np.ceil(np.array(list(SHARES.values())) * cases).astype(int))[:cases]
    place = np.arange(cases)
    set_ = np.where(place % 4 < 3, sets[0], sets[-1])
    table = pd.DataFrame(
        {"case": [f"secret{i:03d}" for i in place],
         "patient": [f"private{max(i - (i % 29 == 1), 0):03d}" for i in place],
         "set": set_, "fold": np.where(set_ == "train", place % 5, -1), "outcome": outcome,
         "age": generator.normal(56, 15, cases).round(), "sex": np.where(generator.random(cases) < 0.4, "F", "M")}
    )  # fmt: skip
    for number, name in enumerate(run.used_sequences):
        table[f"has_{name}"] = (place % 17 != number).astype(int) if number % 2 else 1
    return table


def _predictions(run: Run, cohort: pd.DataFrame, signal: float, without: tuple[str, ...]) -> pd.DataFrame:
    parts = []
    for number, model in enumerate(name for name in run.models if name not in without):
        task, _, view = model.partition("/")
        rows = task_rows(cohort, run.used_tasks[task])
        if view in run.used_sequences:
            rows = rows[rows[f"has_{view}"] == 1].reset_index(drop=True)
        parts.append(_of(run, rows, model, signal, np.random.default_rng([7, number])))
    return pd.concat(parts, ignore_index=True)[list(columns(run.used_tasks))]


def _of(run: Run, rows: pd.DataFrame, model: str, signal: float, generator: np.random.Generator) -> pd.DataFrame:
    task = run.used_tasks[model.partition("/")[0]]
    names, label = task.names, rows["label"].to_numpy()
    score = generator.normal(size=(len(rows), len(names))) + signal * np.eye(len(names))[label]
    probability = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    every = [name for name in columns(run.used_tasks) if name.startswith("probability_")]
    found = pd.DataFrame(np.nan, index=rows.index, columns=every)
    found[[f"probability_{name}" for name in names]] = probability
    two = task.positive is not None
    return found.assign(
        model=model, set=rows["set"].replace({"train": "train_oof"}), case=rows["case"], fold=rows["fold"],
        label=[names[place] for place in label], probability=probability[:, 1] if two else np.nan,
        event=label.astype(float) if two else np.nan,
    )  # fmt: skip


def _images(run: Run, cohort: pd.DataFrame, without: tuple[str, ...]) -> pd.DataFrame | None:
    """Two images of every third tumour, by networks that know it."""
    if run.literal is None:
        return None
    table = _predictions(run, cohort[cohort["set"] == "train"], 4.0, without)
    table = table[table["model"].str.partition("/")[2].isin(run.used_sequences)]
    again = table.loc[table.index.repeat(2)].reset_index(drop=True)
    return again.assign(
        set="validation", image=again["case"] + "-" + again.groupby(["model", "case"]).cumcount().astype(str)
    )


def _selection(run: Run) -> pd.DataFrame:
    rows = [
        (f"{task}/RAD", fold, f"{run.used_sequences[0]}:original_glcm_Contrast{rank}", 0.5 / rank, rank)
        for task in run.used_tasks
        if "RAD" in run.task_models(task)
        for fold in ("0", "1", "final")
        for rank in range(1, 25)
    ]
    return pd.DataFrame(rows, columns=["model", "fold", "feature", "coefficient", "rank"])


def _calibration(run: Run) -> pd.DataFrame:
    models = [f"{task}/{view}" for task in run.used_tasks for view in run.views]
    rows = [(model, fold, 0.5, 0.0) for model in models for fold in ("0", "1", "final")]
    return pd.DataFrame(rows, columns=["model", "fold", "factor", "offset"])


def _slices(run: Run, cohort: pd.DataFrame) -> Slices:
    generator, side = np.random.default_rng(5), 224
    there = cohort[[f"has_{name}" for name in run.used_sequences]].to_numpy(bool)
    y, x = np.mgrid[:side, :side]
    radius = generator.uniform(30, 60, len(cohort))
    disc = (y - side / 2) ** 2 + (x - side / 2) ** 2 < radius[:, None, None] ** 2
    grey = generator.integers(60, 110, (len(cohort), len(run.used_sequences), side, side)) + 90 * disc[:, None]
    mask = disc[:, None] & there[:, :, None, None] & run.masked
    return Slices(
        tuple(cohort["case"]), run.used_sequences, (grey * there[:, :, None, None]).astype(np.uint8), there, mask,
        np.ones((*there.shape, 2)),
    )  # fmt: skip
