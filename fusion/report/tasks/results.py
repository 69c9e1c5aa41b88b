"""The finished run folder of a task run as the report reads it."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pandas as pd

from fusion.config.cohort import Category
from fusion.config.run import BESIDE, Run
from fusion.config.tasks import Task
from fusion.errors import Fault, RunError
from fusion.evaluate import task_predictions
from fusion.evaluate.judged import Judged, judge
from fusion.report.results import FILES

LITERAL = {"predictions": "predictions_paper_literal.csv", "metrics": "metrics_paper_literal.csv"}


@dataclass(frozen=True, eq=False)
class TaskResults:
    """A run of tasks and what it found; tables as the files hold them, those of the leaking protocol or None."""

    folder: Path
    run: Run
    cohort: pd.DataFrame
    predictions: pd.DataFrame
    metrics: pd.DataFrame
    literal_predictions: pd.DataFrame | None
    literal_metrics: pd.DataFrame | None
    selection: pd.DataFrame
    environment: dict[str, Any]

    @classmethod
    def read(cls, folder: Path, run: Run) -> "TaskResults":
        """Everything the report needs from the folder of a task run.

        Raises:
            RunError: files that are missing, all named at once, or faulty predictions.
        """
        wanted = (*FILES, *(LITERAL.values() if run.literal is not None else ()))
        if missing := [name for name in wanted if not (folder / name).is_file()]:
            found, remedy = f"no {', '.join(missing)}", "finish the run first: fusion run CONFIG"
            raise RunError(Fault(found, "a finished run", remedy, file=str(folder)))
        literal = run.literal is not None
        return cls(
            folder, run, _cohort(folder / "cohort.csv", run),
            task_predictions.read(folder / "predictions.csv", run.used_tasks), _metrics(folder / "metrics.csv"),
            task_predictions.read(folder / LITERAL["predictions"], run.used_tasks) if literal else None,
            _metrics(folder / LITERAL["metrics"]) if literal else None,
            pd.read_csv(folder / "selection.csv", dtype={"model": str, "fold": str, "feature": str, "class": str}),
            json.loads((folder / "environment.json").read_text(encoding="utf-8")),
        )  # fmt: skip

    @property
    def sets(self) -> list[str]:
        """Sets with predictions; the one that counts most (test, external, train_oof) first."""
        return [name for name in ("test", "external", "train_oof") if (self.metrics["set"] == name).any()]

    @property
    def tasks(self) -> dict[str, Task]:
        """Tasks with a model, in the run's order."""
        there = set(self.metrics["task"])
        return {name: task for name, task in self.run.used_tasks.items() if name in there}

    def sets_of(self, task: str) -> list[str]:
        """Sets in which a task has a model, the one that counts most first."""
        own = set(self.metrics.loc[self.metrics["task"] == task, "set"])
        return [name for name in self.sets if name in own]

    def rows(self, task: str, set_: str) -> pd.DataFrame:
        """Metrics of a task's models in one set, indexed by view, in the run's order."""
        return self._ordered(self.metrics[self.metrics["set"] == set_], task)

    def row(self, task: str, set_: str, view: str) -> "pd.Series[float]":
        """Metrics of one model in one set."""
        return cast("pd.Series[float]", self.rows(task, set_).loc[view])

    def literal_rows(self, task: str) -> pd.DataFrame:
        """Metrics of a task's models by the leaking protocol, indexed by view; none where it did not run."""
        return self._ordered(self.metrics.iloc[:0] if self.literal_metrics is None else self.literal_metrics, task)

    def absent(self, task: str) -> list[str]:
        """Views that the config asks for and the run does not have."""
        own = set(self.metrics.loc[self.metrics["task"] == task, "view"])
        return [view for view in self.run.task_models(task) if view not in own]

    def best(self, task: str, set_: str) -> str:
        """The single sequence with the largest AUC (unknown ones last); of all models where there is none."""
        rows = self.rows(task, set_)
        single = [view for view in rows.index if view in self.run.used_sequences]
        return str((rows.loc[single] if single else rows)["auc"].astype(float).fillna(-1.0).idxmax())

    def joined(self, task: str, set_: str) -> str | None:
        """The first network of several sequences that the task has, if any."""
        views = self.run.views
        return next((v for v in self.rows(task, set_).index if len(views.get(v, ())) > 1), None)

    def judged(self, task: str, view: str, set_: str) -> Judged:
        """The model's probabilities and calls in a set."""
        return self._judged[f"{task}/{view}", set_]

    def final(self, model: str) -> pd.DataFrame:
        """What the model fitted on the whole training set kept."""
        chosen = self.selection[(self.selection["model"] == model) & (self.selection["fold"] == "final")]
        return chosen.sort_values("rank").reset_index(drop=True)

    @cached_property
    def _judged(self) -> dict[tuple[str, str], Judged]:
        run = self.run
        return {(own.model, own.set): own for own in judge(self.predictions, self.cohort, run.used_tasks, run.evaluate)}

    def _ordered(self, table: pd.DataFrame, task: str) -> pd.DataFrame:
        own = table[table["task"] == task].set_index("view")
        return own.loc[[view for view in self.run.task_models(task) if view in own.index]]


def beyond(view: str, run: Run) -> bool:
    """Whether the paper has no such model: several sequences, radiomics, clinical variables."""
    return view in BESIDE or len(run.views.get(view, ())) > 1


def _cohort(path: Path, run: Run) -> pd.DataFrame:
    categories = {name: str for name, kind in run.cohort.clinical.items() if isinstance(kind, Category)}
    words = dict.fromkeys(("case", "patient", "set", "outcome"), str) | categories
    return pd.read_csv(path, dtype=words, keep_default_na=False)


def _metrics(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"model": str, "set": str, "task": str, "view": str})
