"""A run whose split has several rounds is as many runs, each with its own test set and folds."""

from pathlib import Path

import pandas as pd

from fusion.config import dump, load
from fusion.config.run import Run
from fusion.config.split import Holdout, Rounds
from fusion.errors import Fault, RunError
from fusion.flow.checked import Checked
from fusion.store import write_csv, write_text

FOLDER = "rounds"
SPLIT = "split.csv"


def rounds_of(run: Run, checked: Checked) -> dict[str, Run]:
    """The runs of one round each, by the round's name; the run itself by the empty name where there is one round.

    A round is a run as any other, in rounds/NAME of the run's folder: a holdout that reads its split from a file there.
    It shares the cache, leaves no bundle and has no internal validation, which the rounds themselves are.

    Raises:
        RunError: a round's folder was begun with another split.
    """
    if not isinstance(run.split, Rounds):
        return {"": run}
    return {name: _round(run, run.split, name, table) for name, table in checked.rounds.items()}


def pooled(run: Run, rounds: dict[str, Run]) -> None:
    """predictions.csv, rounds.csv and metrics.csv of ``run`` from those of its finished rounds."""


def _round(run: Run, split: Rounds, name: str, table: pd.DataFrame) -> Run:
    folder = run.folder / FOLDER / name
    file = (folder / SPLIT).absolute()
    _write_once(file, table)
    made = {
        "name": f"{run.name}-{name}", "output": folder, "cache": run.cache or run.folder / "features/cases",
        "split": Holdout(folds=split.folds, file=file), "bundle": False,
        "evaluate": run.evaluate.model_copy(update={"validation": None}),
    }  # fmt: skip
    own = run.model_copy(update=made)
    _moved(folder / "run.yaml", own)
    return own


def _write_once(file: Path, table: pd.DataFrame) -> None:
    if not file.is_file():
        write_csv(file, table)
    elif file.read_text(encoding="utf-8") != table.to_csv(index=False):
        remedy = "use another output=DIR, or go back to the cohort and config of then"
        raise RunError(Fault("another split now", "the one that this round was begun with", remedy, file=str(file)))


def _moved(stored: Path, run: Run) -> None:
    """The stored run of a round finds its split where the folder lies now."""
    if stored.is_file() and (before := load(stored)).split != run.split:
        write_text(stored, dump(before.model_copy(update={"split": run.split})))
