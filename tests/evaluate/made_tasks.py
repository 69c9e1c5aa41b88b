"""Made-up predictions of two tasks: of two classes and of four, of cases and of images."""

import numpy as np
import pandas as pd

from fusion.config.tasks import Task
from fusion.evaluate.task_predictions import columns

TASKS = {
    "grade": Task(classes={"high": (3, 4), "low": (1, 2)}, positive="high"),
    "kind": Task(classes={"one": (1,), "two": (2,), "three": (3,), "four": (4,)}),
}
KIND = ("one", "two", "three", "four")
GRADE = ("low", "low", "high", "high")
SHARES = (0.35, 0.3, 0.2, 0.15)


def cohort(n: int = 60, set_: str = "train_oof", patients: float = 0.9) -> pd.DataFrame:
    """Cases with their patients, about ``patients`` times as many, and their kind by place."""
    generator = np.random.default_rng([n, len(set_)])
    kind = np.repeat(np.arange(4), np.round(np.array(SHARES) * n).astype(int))
    patient = generator.choice(int(patients * len(kind)), len(kind)) if patients < 1 else np.arange(len(kind))
    return pd.DataFrame(
        {"case": [f"{set_}-{i}" for i in range(len(kind))], "patient": [f"{set_}-p{i}" for i in patient], "kind": kind}
    )


def table(
    cases: pd.DataFrame, views: tuple[str, ...] = ("T1", "T2", "fused"), set_: str = "train_oof", signal: float = 1.5
) -> pd.DataFrame:
    """Predictions of both tasks by every view, from log-odds with ``signal`` on the true class."""
    parts = [_of(cases, task, view, set_, signal) for task in TASKS for view in views]
    return pd.concat(parts, ignore_index=True)[list(columns(TASKS))]


def _of(cases: pd.DataFrame, task: str, view: str, set_: str, signal: float) -> pd.DataFrame:
    names = TASKS[task].names
    own = KIND if task == "kind" else GRADE
    label = [own[kind] for kind in cases["kind"]]
    generator = np.random.default_rng([len(cases), len(view), len(task), len(set_), ord(view[-1])])
    score = generator.normal(size=(len(cases), len(names))) + signal * (np.array(label)[:, None] == np.array(names))
    probability = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    rows = pd.DataFrame({f"probability_{name}": np.nan for name in (*KIND, "low", "high")}, index=cases.index)
    rows[[f"probability_{name}" for name in names]] = probability
    binary = task == "grade"
    return rows.assign(
        model=f"{task}/{view}", set=set_, case=cases["case"], label=label,
        fold=np.arange(len(cases)) % 5 if set_ == "train_oof" else -1,
        probability=probability[:, 1] if binary else np.nan,
        event=(np.array(label) == "high").astype(float) if binary else np.nan,
    )  # fmt: skip


def images(rows: pd.DataFrame, copies: int) -> pd.DataFrame:
    """Every row ``copies`` times, as images of the leaking protocol."""
    again = rows.loc[rows.index.repeat(copies)].reset_index(drop=True)
    number = again.groupby(["model", "case"]).cumcount()
    return again.assign(set="validation", image=again["case"] + "-" + number.astype(str))
