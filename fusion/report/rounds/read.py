"""A finished run of several rounds, as its page reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fusion.config.run import Run
from fusion.config.split import LeaveOneScannerOut, Nested, Repeated, Rounds
from fusion.data.split_column import ON
from fusion.errors import Fault, RunError
from fusion.evaluate import metrics, task_pairs
from fusion.report.results import Results
from fusion.report.results import read as read_regions
from fusion.report.tasks.results import TaskResults

FILES = ("rounds.csv", "metrics.csv", "predictions.csv")


@dataclass(frozen=True, eq=False)
class RoundResults:
    """A run of several rounds and what they found."""

    folder: Path
    run: Run
    split: Rounds
    metrics: pd.DataFrame
    """A row a model, over all rounds."""
    each: pd.DataFrame
    """A row a round, model and set."""
    cohorts: Mapping[str, pd.DataFrame]
    """Of each round: case, patient, set, fold."""
    first: Results | TaskResults
    """The first round, as its own report reads it."""
    places: Mapping[str, str]
    """By case, the scanner or other word that the split goes by; empty where it goes by none."""

    @property
    def names(self) -> list[str]:
        """The rounds."""
        return list(self.cohorts)

    @property
    def set(self) -> str:
        """The set that judges."""
        return str(self.metrics["set"].iloc[0])

    @property
    def cohort(self) -> pd.DataFrame:
        """Every case; set and fold are the first round's."""
        return self.first.cohort

    @property
    def environment(self) -> dict[str, Any]:
        """Where and with what the first round was made."""
        return self.first.environment

    @property
    def models(self) -> list[str]:
        """Models, in the order of Table 1, or by task."""
        return list(self.metrics["model"])

    @property
    def tasks(self) -> list[str]:
        """Tasks; the empty name where there is one outcome."""
        return list(self.run.used_tasks) or [""]

    def models_of(self, task: str) -> list[str]:
        """The models of a task."""
        return [model for model in self.models if not task or model.startswith(f"{task}/")]

    def reference(self, task: str) -> str:
        """The model of a task that its others are compared with."""
        own = self.models_of(task)
        if not task:
            return metrics.reference(own)
        return f"{task}/{task_pairs.reference([model.partition('/')[2] for model in own])}"

    def row(self, model: str) -> "pd.Series[Any]":
        """What a model is worth over all rounds."""
        return self.metrics[self.metrics["model"] == model].iloc[0]

    def of(self, model: str) -> pd.DataFrame:
        """A model in the judging set of each round, indexed by round."""
        own = self.each[(self.each["model"] == model) & (self.each["set"] == self.set)]
        return own.set_index("round")


def read(folder: Path, run: Run, rounds: Mapping[str, Run]) -> RoundResults:
    """Everything the page needs.

    Args:
        folder: of the run.
        run: its split has several rounds.
        rounds: the runs of its rounds by name.

    Raises:
        RunError: the run is not finished.
    """
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        found, remedy = f"no {', '.join(missing)}", "finish the run first: fusion run CONFIG"
        raise RunError(Fault(found, "a finished run", remedy, file=str(folder)))
    assert isinstance(run.split, Nested | Repeated | LeaveOneScannerOut)
    words = {"round": str, "model": str, "set": str}
    first = next(iter(rounds.values()))
    cohorts = {
        name: pd.read_csv(own.folder / "cohort.csv", dtype={"case": str, "patient": str}, keep_default_na=False)
        for name, own in rounds.items()
    }
    return RoundResults(
        folder, run, run.split, pd.read_csv(folder / "metrics.csv", dtype=words),
        pd.read_csv(folder / "rounds.csv", dtype=words), cohorts,
        TaskResults.read(first.folder, first) if run.cohort.tasks else read_regions(first.folder, first),
        _places(folder / "cohort.csv"),
    )  # fmt: skip


def _places(path: Path) -> dict[str, str]:
    """What the split goes by, where the run's own cohort.csv tells it."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else pd.DataFrame()
    return dict(zip(table["case"], table[ON], strict=True)) if ON in table else {}
