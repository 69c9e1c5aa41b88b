"""The predictions of tasks: a probability a class, the true class, and for two classes also probability and event."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from fusion.config.tasks import Task
from fusion.errors import Fault, RunError
from fusion.evaluate import predictions
from fusion.types import Indices

IMAGES = "validation"
"""The one set of predictions for images, which have a column ``image``."""
SUM = 1e-6
"""How far a case's probabilities may add up to something else than 1."""
EQUAL = 1e-9
"""How far ``probability`` may be from the positive class's own column."""
REMEDY = "make the predictions again"
Tasks = Mapping[str, Task]


def columns(tasks: Tasks) -> tuple[str, ...]:
    """The columns of predictions of ``tasks``, without ``image``.

    >>> columns({"grade": Task(classes={"low": (1,), "mid": (2,), "high": (3,)})})[6:]
    ('label', 'probability_low', 'probability_mid', 'probability_high')
    """
    names = dict.fromkeys(name for task in tasks.values() for name in task.names)
    return (*predictions.COLUMNS, "label", *(f"probability_{name}" for name in names))


def read(path: Path, tasks: Tasks) -> pd.DataFrame:
    """The checked predictions in a CSV file.

    Raises:
        RunError: as ``check``, with the file's name; or there is no such file.
    """
    if not path.is_file():
        raise RunError(Fault("no such file", "predictions", "run `fusion run` to make them", file=str(path)))
    words = dict.fromkeys(("model", "set", "case", "label", "image"), str)
    numbers = [name for name in columns(tasks) if name not in words]
    table = pd.read_csv(path, dtype=words, keep_default_na=False, na_values={name: [""] for name in numbers})
    return check(table, tasks, str(path))


def check(table: pd.DataFrame, tasks: Tasks, file: str | None = None) -> pd.DataFrame:
    """``table`` with the columns of ``tasks`` (and ``image`` where it has one), typed, when nothing is wrong with it.

    Args:
        table: predictions, one row a model, set and case; with a column ``image`` one row a model and image.
        tasks: tasks by name; models are called TASK/VIEW.
        file: where it was read, for the message.

    Raises:
        RunError: every fault found: a missing column, a model of no task, an unknown set or label, a probability that
            is not a number in [0, 1] or belongs to another task's class, probabilities that do not add up to 1, a
            probability or event of two classes that contradicts its class, a case (or image) twice in one model, a
            label that differs between models of a task.
    """
    if faults := _missing(table, tasks, file):
        raise RunError(faults)
    rows = table.assign(task=table["model"].astype(str).str.partition("/")[0])
    faults = [*_places(rows, tasks, file), *_twice(rows, file), *_labels_differ(rows, file)]
    for name, task in tasks.items():
        own = rows[rows["task"] == name]
        faults += [*_probabilities(own, task, tasks, file), *_positive(own, task, file)]
    if faults:
        raise RunError(faults)
    kinds = dict.fromkeys(("model", "set", "case", "label"), "str") | {"fold": "int64", "event": "Int64"}
    image = ["image"] if "image" in table else []
    typed = table[[*columns(tasks), *image]].astype(kinds | dict.fromkeys(image, "str"))
    return typed.astype({name: float for name in columns(tasks) if name.startswith("probability")}).reset_index(
        drop=True
    )


def of(table: pd.DataFrame, model: str, set_: str) -> pd.DataFrame:
    """The rows of one model in one set, indexed by case (which images may share)."""
    return predictions.of(table, model, set_)


def matrix(own: pd.DataFrame, task: Task) -> tuple[Float[ndarray, "case class"], Indices]:
    """Probabilities of the task's classes, and the place of each row's true class, both in the order of its names."""
    probability = own[[f"probability_{name}" for name in task.names]].to_numpy(float)
    return probability, own["label"].map(task.names.index).to_numpy(int)


def _missing(table: pd.DataFrame, tasks: Tasks, file: str | None) -> list[Fault]:
    wanted = columns(tasks)
    if absent := [name for name in wanted if name not in table]:
        return [Fault(f"no column {', '.join(absent)}", f"columns {', '.join(wanted)}", "make it again", file=file)]
    if table.empty:
        return [Fault("no predictions", "one row a model, set and case", "make it again", file=file)]
    return []


def _places(rows: pd.DataFrame, tasks: Tasks, file: str | None) -> Iterator[Fault]:
    """Model, set and fold."""
    known = rows["task"].isin(list(tasks)) & rows["model"].astype(str).str.contains("/")
    for model in rows["model"][~known].unique():
        yield Fault(f"model {model}", f"TASK/VIEW of a task of {', '.join(tasks)}", REMEDY, file=file)
    sets = (IMAGES,) if "image" in rows else predictions.SETS
    yield from _told(rows, ~rows["set"].isin(sets).to_numpy(), "set", f"one of {', '.join(sets)}", file)
    fold = pd.to_numeric(rows["fold"], errors="coerce").to_numpy(float)
    yield from _told(rows, ~(np.isfinite(fold) & (fold == np.round(fold))), "fold", "a fold number", file)


def _twice(rows: pd.DataFrame, file: str | None) -> Iterator[Fault]:
    key, what = (["case", "image"], "an image once") if "image" in rows else (["case"], "a case once, in one set")
    for _, row in rows[rows.duplicated(["model", *key])].iterrows():
        yield Fault(f"more than one row in model {row['model']}", what, "check the split", str(row["case"]), file)


def _labels_differ(rows: pd.DataFrame, file: str | None) -> Iterator[Fault]:
    kinds = rows.groupby(["task", "case"])["label"].nunique()
    for task, case in kinds[kinds > 1].index:
        yield Fault(f"labels that differ between rows of task {task}", "one class a case", REMEDY, str(case), file)


def _probabilities(rows: pd.DataFrame, task: Task, tasks: Tasks, file: str | None) -> Iterator[Fault]:
    """Label, a probability for each class and for no other, and their sum."""
    yield from _told(rows, ~rows["label"].isin(task.names).to_numpy(), "label", f"one of {', '.join(task.names)}", file)
    own = [f"probability_{name}" for name in task.names]
    numbers = np.stack([_number(rows, name) for name in own], axis=1)
    inside = (numbers >= 0) & (numbers <= 1)
    for name, fine in zip(own, inside.T, strict=True):
        yield from _told(rows, ~fine, name, "a number from 0 to 1", file)
    for name in columns(tasks)[len(predictions.COLUMNS) + 1 :]:
        if name not in own:
            yield from _told(rows, rows[name].notna().to_numpy(), name, "nothing, as the task lacks the class", file)
    total = numbers.sum(axis=1)
    off = inside.all(axis=1) & ~(np.abs(total - 1) <= SUM)
    yield from _told(rows.assign(sum=total), off, "sum", "probabilities that add up to 1", file)


def _positive(rows: pd.DataFrame, task: Task, file: str | None) -> Iterator[Fault]:
    """``probability`` and ``event`` say what the classes do; with more than two classes they say nothing."""
    if task.positive is None:
        for name in ("probability", "event"):
            yield from _told(rows, rows[name].notna().to_numpy(), name, "nothing, as there are more classes", file)
        return
    column = f"probability_{task.positive}"
    apart = ~(np.abs(_number(rows, "probability") - _number(rows, column)) <= EQUAL)
    inside = np.isfinite(_number(rows, column))
    yield from _told(rows, apart & inside, "probability", f"the value of {column}", file)
    event = (rows["label"] == task.positive).to_numpy(float)
    differs = rows["label"].isin(task.names).to_numpy() & (_number(rows, "event") != event)
    yield from _told(rows, differs, "event", f"1 where the label is {task.positive}, else 0", file)


def _told(rows: pd.DataFrame, wrong: ndarray, name: str, expected: str, file: str | None) -> Iterator[Fault]:
    """A fault for each row that is ``wrong``."""
    for _, row in rows[wrong].iterrows():
        yield Fault(f"{name} = {row[name]!r} in model {row['model']}", expected, REMEDY, str(row["case"]), file)


def _number(rows: pd.DataFrame, name: str) -> Float[ndarray, " case"]:
    return pd.to_numeric(rows[name], errors="coerce").to_numpy(float, na_value=np.nan)
