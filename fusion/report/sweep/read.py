"""The folder of a sweep as its page reads it: the cells that are done, and how the others stand."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from fusion.config import Run, load
from fusion.errors import Fault, FusionError, RunError
from fusion.evaluate import predictions, task_predictions
from fusion.evaluate.sweep.cell import Cell, common_models
from fusion.evaluate.sweep.choice import Choice, choose
from fusion.evaluate.sweep.comparison import comparison
from fusion.evaluate.sweep.worth import worth

SWEEP = "sweep.yaml"
"""What makes a folder that of a sweep."""


@dataclass(frozen=True, eq=False)
class Swept:
    """A sweep and what its finished cells say."""

    folder: Path
    words: tuple[str, ...]
    cells: pd.DataFrame
    """cells.csv: cell, the swept fields, state."""
    done: tuple[Cell, ...]
    by: str
    """The model by which a cell is chosen."""
    failures: pd.DataFrame
    jobs: pd.DataFrame

    @property
    def fields(self) -> list[str]:
        """The swept fields."""
        return [str(name) for name in self.cells if name not in ("cell", "state")]

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """Every model of every finished cell, and each cell against the first."""
        return comparison(self.done)

    @cached_property
    def choice(self) -> Choice:
        """Which cell the inner loop takes in each round."""
        return choose(self.done, self.by)

    @cached_property
    def worth(self) -> "pd.Series[Any] | None":
        """What the choice is worth; None where nothing can judge it."""
        table = worth(self.choice)
        return None if table.empty else table.iloc[0]

    @property
    def sets(self) -> list[str]:
        """Sets that the choosing model was judged in; the one that judges the choice first."""
        there = set(self.of_choice["set"])
        order = [self.choice.judge, "test", "external", "train_oof"]
        return list(dict.fromkeys(name for name in order if name is not None and name in there))

    @property
    def of_choice(self) -> pd.DataFrame:
        """The comparison of the model by which a cell is chosen."""
        return self.comparison[self.comparison["model"] == self.by]

    def named(self, state: str) -> list[str]:
        """Cells in a state, as typed."""
        return [str(name) for name in self.cells.loc[self.cells["state"] == state, "cell"]]


def read(folder: Path) -> Swept:
    """The sweep in ``folder``.

    Raises:
        RunError: no sweep, no finished cell, a choosing model that none has, or files of finished cells that are
            missing or faulty, all at once.
    """
    if missing := [name for name in (SWEEP, "cells.csv") if not (folder / name).is_file()]:
        remedy = "name the folder of a sweep"
        raise RunError(Fault(f"no {', '.join(missing)}", "the folder of a sweep", remedy, file=str(folder)))
    told = yaml.safe_load((folder / SWEEP).read_text(encoding="utf-8")) or {}
    cells = pd.read_csv(folder / "cells.csv", dtype=str, keep_default_na=False)
    done = _cells(folder, cells[cells["state"] == "done"])
    if not done:
        remedy = "go on with it: fusion sweep CONFIG ... --resume"
        raise RunError(Fault("no finished cell", "one at least", remedy, file=str(folder)))
    by = told.get("by") or done[0].reference
    if by not in (known := common_models(list(done))):
        expected, remedy = f"one of {', '.join(known)}", f"change `by` in {SWEEP}"
        raise RunError(Fault(f"by: {by}, which no finished cell has", expected, remedy, file=str(folder / SWEEP)))
    words = tuple(map(str, told.get("words") or ()))
    return Swept(folder, words, cells, done, by, _table(folder, "failures"), _table(folder, "jobs"))


def _cells(folder: Path, rows: pd.DataFrame) -> tuple[Cell, ...]:
    found: list[Cell] = []
    faults: list[Fault] = []
    for row in rows.to_dict("records"):
        values = {str(field): str(value) for field, value in row.items() if field not in ("cell", "state")}
        try:
            found.append(_cell(folder / "cells" / row["cell"], row["cell"], values))
        except FusionError as error:
            faults += error.faults
    if faults:
        raise RunError(faults)
    return tuple(found)


def _cell(folder: Path, name: str, values: Mapping[str, str]) -> Cell:
    parts = sorted((path for path in folder.glob("rounds/*") if path.is_dir()), key=_natural)
    rounds = {part.name: part for part in parts} or {"": folder}
    cohorts = [part / "cohort.csv" for part in (folder, *parts) if (part / "cohort.csv").is_file()]
    wanted = [folder / "run.yaml", folder / "metrics.csv", *(part / "predictions.csv" for part in rounds.values())]
    absent = [path for path in wanted if not path.is_file()] + ([] if cohorts else [folder / "cohort.csv"])
    if absent:
        remedy = "make the cell again: delete its folder and say fusion sweep CONFIG ... --resume"
        raise RunError(
            [Fault("no such file", "the file of a finished cell", remedy, file=str(path)) for path in absent]
        )
    run = load(folder / "run.yaml")
    cohort = pd.concat([pd.read_csv(path, dtype=str, keep_default_na=False) for path in cohorts[:1] or cohorts])
    judged = pd.read_csv(folder / "metrics.csv", dtype={"model": str, "set": str})
    tables = {round_: _predictions(part / "predictions.csv", run) for round_, part in rounds.items()}
    return Cell(name, values, run, judged, tables, cohort, _data(cohorts[0].parent / "environment.json"))


def _predictions(path: Path, run: Run) -> pd.DataFrame:
    return task_predictions.read(path, run.used_tasks) if run.cohort.tasks else predictions.read(path)


def _data(path: Path) -> str:
    return str(json.loads(path.read_text(encoding="utf-8"))["data_sha256"]) if path.is_file() else ""


def _table(folder: Path, name: str) -> pd.DataFrame:
    """failures.csv or jobs.csv; empty where there is none."""
    columns = {"failures": ["cell", "round", "job", "message"], "jobs": ["cell", "round", "job", "seconds"]}[name]
    path = folder / f"{name}.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else pd.DataFrame(columns=columns)
    return table.astype({"seconds": float}) if name == "jobs" else table


def _natural(path: Path) -> list[tuple[int, str]]:
    """Numbers in a name by their size: round_2 before round_10."""
    return [(int(word), "") if word.isdigit() else (-1, word) for word in re.split(r"(\d+)", path.name)]
