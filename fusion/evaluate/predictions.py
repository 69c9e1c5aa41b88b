"""The one table that every metric reads: model, set, case, fold, probability, event."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.run import MODELS
from fusion.errors import Fault, RunError

COLUMNS = ("model", "set", "case", "fold", "probability", "event")
SETS = ("train_oof", "test", "external")


def read(path: Path) -> pd.DataFrame:
    """The checked predictions in a CSV file.

    Raises:
        RunError: as ``check``, with the file's name; or there is no such file.
    """
    if not path.is_file():
        raise RunError(Fault("no such file", "predictions", "run `fusion run` to make them", file=str(path)))
    words = {"model": str, "set": str, "case": str}
    return check(pd.read_csv(path, dtype=words, keep_default_na=False, na_values={"probability": [""]}), str(path))


def concat(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Several prediction tables as one checked table, in the order of Table 1, then of sets, then as given.

    Raises:
        RunError: as ``check``.
    """
    table = check(pd.concat(list(tables), ignore_index=True))
    order = table.assign(model=table["model"].map(_model_place), set=table["set"].map(SETS.index))
    return table.loc[order.sort_values(["model", "set"], kind="stable").index].reset_index(drop=True)


def check(table: pd.DataFrame, file: str | None = None) -> pd.DataFrame:
    """``table`` with its six columns, typed, when nothing is wrong with it.

    Args:
        table: predictions, one row a model, set and case.
        file: where it was read, for the message.

    Raises:
        RunError: every fault found: a missing column, an unknown set, a probability that is not a finite number in
            [0, 1], an event that is not 0 or 1 or differs between models, a case twice in one model, a set with one
            class only.
    """
    faults = _missing(table, file)
    if not faults:
        faults = _values(table, file)
    if not faults:
        faults = _twice(table, file) + _events_differ(table, file) + _one_class(table, file)
    if faults:
        raise RunError(faults)
    kinds = {"model": str, "set": str, "case": str, "fold": int, "probability": float, "event": int}
    return table[list(COLUMNS)].astype(kinds).reset_index(drop=True)


def of(table: pd.DataFrame, model: str, set_: str) -> pd.DataFrame:
    """The rows of one model in one set, indexed by case."""
    return table[(table["model"] == model) & (table["set"] == set_)].set_index("case")


def models(table: pd.DataFrame) -> list[str]:
    """Names of the models in a table, in the order of Table 1; others follow by name."""
    return sorted(table["model"].unique(), key=lambda name: (_model_place(name), name))


def _model_place(name: str) -> int:
    return MODELS.index(name) if name in MODELS else len(MODELS)


def _missing(table: pd.DataFrame, file: str | None) -> list[Fault]:
    absent = [name for name in COLUMNS if name not in table]
    if absent:
        return [Fault(f"no column {', '.join(absent)}", f"columns {', '.join(COLUMNS)}", "make it again", file=file)]
    if table.empty:
        return [Fault("no predictions", "one row a model, set and case", "make it again", file=file)]
    return []


def _values(table: pd.DataFrame, file: str | None) -> list[Fault]:
    probability = pd.to_numeric(table["probability"], errors="coerce").to_numpy(float)
    good = {
        "set": (table["set"].isin(SETS).to_numpy(), f"one of {', '.join(SETS)}"),
        "fold": (np.isfinite(pd.to_numeric(table["fold"], errors="coerce").to_numpy(float)), "a fold number"),
        "probability": (np.isfinite(probability) & (probability >= 0) & (probability <= 1), "a number from 0 to 1"),
        "event": (pd.to_numeric(table["event"], errors="coerce").isin([0, 1]).to_numpy(), "0 or 1"),
    }
    return [
        Fault(f"{name} = {row[name]!r} in model {row['model']}", expected, "make the predictions again",
              str(row["case"]), file)
        for name, (fine, expected) in good.items()
        for _, row in table[~fine].iterrows()
    ]  # fmt: skip


def _twice(table: pd.DataFrame, file: str | None) -> list[Fault]:
    """A case belongs to one set: one that was learned from and tested on would flatter the model."""
    again = table[table.duplicated(["model", "case"])]
    return [
        Fault(f"more than one row in model {row['model']}", "a case once, in one set", "check the split",
              str(row["case"]), file)
        for _, row in again.iterrows()
    ]  # fmt: skip


def _events_differ(table: pd.DataFrame, file: str | None) -> list[Fault]:
    kinds = table.groupby("case")["event"].nunique()
    return [
        Fault("event 0 in one model and 1 in another", "one outcome a case", "make them again", str(case), file)
        for case in kinds[kinds > 1].index
    ]


def _one_class(table: pd.DataFrame, file: str | None) -> list[Fault]:
    kinds = table.groupby(["model", "set"], sort=False)["event"].nunique()
    return [
        Fault(f"one class only in set {set_} of model {model}", "cases of both classes", "check the split", file=file)
        for model, set_ in kinds[kinds < 2].index
    ]
