"""A run whose split has several rounds is as many runs, each with its own test set and folds."""

from pathlib import Path

import pandas as pd

from fusion.config import dump, load
from fusion.config.run import Run
from fusion.config.split import Holdout, Repeated, Rounds
from fusion.errors import Fault, RunError
from fusion.evaluate import predictions, task_predictions
from fusion.evaluate.round_parts import Asked
from fusion.evaluate.rounds import pooled_metrics, pooled_predictions
from fusion.flow.checked import Checked
from fusion.flow.folder import stored_run
from fusion.store import write_csv, write_text

FOLDER = "rounds"
SPLIT = "split.csv"
TABLE = "rounds.csv"


def rounds_of(run: Run, checked: Checked) -> dict[str, Run]:
    """The runs of one round each, by the round's name; the run itself by the empty name where there is one round.

    A round is a run as any other, in rounds/NAME of the run's folder: a holdout that reads its split from a file there.
    It shares the cache, leaves no bundle, has no internal validation, which the rounds themselves are, and repeats no
    leaking protocol (`literal`), which has a split of its own.

    Raises:
        RunError: a round's folder was begun with another split.
    """
    if not isinstance(run.split, Rounds):
        return {"": run}
    return {name: _round(run, run.split, name, table) for name, table in checked.rounds.items()}


def found_rounds(folder: Path) -> dict[str, Run]:
    """The runs of the rounds that lie in a run's folder, by name.

    Raises:
        RunError: there is none, or one is damaged.
    """
    found = {path.parent.name: stored_run(path.parent) for path in sorted((folder / FOLDER).glob("*/run.yaml"))}
    if not found:
        raise RunError(Fault("no round", "a run with rounds", "finish the run first", file=str(folder / FOLDER)))
    return found


def pooled(run: Run, rounds: dict[str, Run]) -> None:
    """predictions.csv, rounds.csv and metrics.csv of ``run`` from its finished rounds; nothing where it has one.

    predictions.csv has the cases that judge, with a column ``round``: every case once as a test case, or of repeated
    rounds out of fold in each. rounds.csv has the metrics of each round as its own folder has them.

    Raises:
        RunError: rounds that are not finished, all at once.
    """
    if not isinstance(run.split, Rounds):
        return
    rounds = dict(sorted(rounds.items()))
    _finished(rounds)
    asked = asked_of(run)
    tables = {name: _predictions(own) for name, own in rounds.items()}
    first = next(iter(rounds.values())).folder
    cohort = pd.read_csv(first / "cohort.csv", dtype={"case": str, "patient": str}, keep_default_na=False)
    own = [pd.read_csv(part.folder / "metrics.csv").assign(round=name) for name, part in rounds.items()]
    each = pd.concat(own, ignore_index=True)
    write_csv(run.folder / TABLE, each[["round", *(name for name in each if name != "round")]])
    write_csv(run.folder / "predictions.csv", pooled_predictions(tables, asked))
    write_csv(run.folder / "metrics.csv", pooled_metrics(tables, cohort, asked))


def asked_of(run: Run) -> Asked:
    """What pooling the rounds of ``run`` needs to know."""
    return Asked(run.used_tasks, isinstance(run.split, Repeated), run.evaluate, run.seed)


def refuse_rounds(run: Run, what: str, remedy: str) -> None:
    """Stop a verb that is for one round.

    Args:
        run: the run that was asked for.
        what: the verb needs.
        remedy: what to do instead.

    Raises:
        RunError: the split has several rounds.
    """
    if isinstance(run.split, Rounds):
        raise RunError(Fault(f"split.kind={run.split.kind}, which has several rounds", what, remedy))


def _finished(rounds: dict[str, Run]) -> None:
    faults = [
        Fault(f"no {name}", "a finished round", "run the same command again", file=str(own.folder))
        for own in rounds.values()
        for name in ("cohort.csv", "predictions.csv", "metrics.csv")
        if not (own.folder / name).is_file()
    ]
    if faults:
        raise RunError(faults)


def _predictions(own: Run) -> pd.DataFrame:
    path = own.folder / "predictions.csv"
    return task_predictions.read(path, own.used_tasks) if own.cohort.tasks else predictions.read(path)


def _round(run: Run, split: Rounds, name: str, table: pd.DataFrame) -> Run:
    folder = run.folder / FOLDER / name
    file = (folder / SPLIT).absolute()
    _write_once(file, table)
    made = {
        "name": f"{run.name}-{name}", "output": folder, "cache": run.cache or run.folder / "features/cases",
        "split": Holdout(folds=split.folds, file=file), "bundle": False, "literal": None,
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
