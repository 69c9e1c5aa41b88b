"""Test set and folds by patient where outcomes have several values: each value dealt out evenly, each class checked."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from fusion.config.tasks import Task
from fusion.data.words import word
from fusion.errors import Fault


def sets(patients: pd.Series, test_fraction: float, seed: int) -> pd.Series:
    """The set of each patient: of every outcome ``test_fraction``, rounded, goes to the test set.

    Args:
        patients: outcome by patient.
        test_fraction: share of the test set; 0 for none.
        seed: of the draw.
    """
    mixed = _mixed(patients, seed)
    place, size = mixed.groupby(mixed).cumcount(), mixed.groupby(mixed).transform("size")
    test = place < (size * test_fraction).round()
    return pd.Series(np.where(test, "test", "train"), index=mixed.index).reindex(patients.index)


def folds(patients: pd.Series, folds: int, seed: int) -> pd.Series:
    """The fold of each patient: outcome after outcome dealt out like cards, so that folds differ by one patient of it.

    Args:
        patients: outcome by patient, the training set's.
        folds: their number.
        seed: of the draw.
    """
    mixed = _mixed(patients, seed)
    return pd.Series(np.arange(len(mixed)) % folds, index=mixed.index).reindex(patients.index)


def _mixed(patients: pd.Series, seed: int) -> pd.Series:
    """The patients outcome by outcome, in random order within."""
    return patients.iloc[np.random.default_rng(seed).permutation(len(patients))].sort_values(kind="stable")


def lacking(
    table: pd.DataFrame,
    outcome: pd.Series,
    folds: int,
    tasks: Mapping[str, Task] | None,
    field: str = "split.folds",
) -> list[Fault]:
    """A fault for every class that is not in every fold and set: who has it, how many are needed, what to do.

    Args:
        table: patient, set and fold of every case.
        outcome: of the same cases.
        folds: their number.
        tasks: whose classes are meant; None for every outcome value.
        field: of the config, which says the number of folds.
    """
    faults, there = [], set(table["set"])
    for name, values in _classes(outcome, tasks):
        own = table[outcome.isin(values)]
        there_of_class = own.groupby("set")["patient"].nunique().to_dict()
        found = f"{patients(there_of_class.get('train', 0))} of class {name}"
        if own["fold"][own["fold"] >= 0].nunique() < folds:
            remedy = f"lower {field}, merge the class with another in cohort.tasks, or add patients"
            expected = f"at least one in each of {folds} folds"
            faults.append(Fault(f"{found} in the training set", expected, remedy))
        elif "test" in there - set(there_of_class):
            remedy = "set split.test_fraction=0, merge the class with another in cohort.tasks, or add patients"
            faults.append(Fault(f"{found}, none of them in the test set", "at least one in each set", remedy))
    return faults


def counts(rows: pd.DataFrame, tasks: Mapping[str, Task] | None, among: pd.Series) -> dict[str, int]:
    """How many patients of each class there are ``among`` some cases, by the class in words that follow "patients".

    Args:
        rows: patient, and event or outcome, of every case.
        tasks: whose classes are meant; None for every outcome value.
        among: True for the cases to count.
    """
    if "event" in rows:
        named = {"with an event": rows["event"] == 1, "without an event": rows["event"] == 0}
    else:
        named = {f"of class {name}": rows["outcome"].isin(own) for name, own in _classes(rows["outcome"], tasks)}
    return {name: rows["patient"][own & among].nunique() for name, own in named.items()}


def _classes(outcome: pd.Series, tasks: Mapping[str, Task] | None) -> Iterator[tuple[str, list[str]]]:
    """Every class once, by its name in words, with its outcome values."""
    if tasks is None:
        yield from ((value, [value]) for value in sorted(set(outcome)))
        return
    seen: set[frozenset[str]] = set()
    for task, own in tasks.items():
        for name, values in own.classes.items():
            words = list(map(word, values))
            if frozenset(words) not in seen:
                seen.add(frozenset(words))
                yield f"{name} (task {task})", words


def patients(number: int) -> str:
    """So many patients, in words.

    >>> patients(1), patients(2)
    ('1 patient', '2 patients')
    """
    return f"{number} patient" if number == 1 else f"{number} patients"
