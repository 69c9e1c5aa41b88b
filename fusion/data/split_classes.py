"""Test set and folds by patient where outcomes have several values: each value dealt out evenly, each class checked."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from fusion.config.cohort import Split
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


def lacking(table: pd.DataFrame, outcome: pd.Series, split: Split, tasks: Mapping[str, Task] | None) -> list[Fault]:
    """A fault for every class that is not in every fold and set: who has it, how many are needed, what to do.

    Args:
        table: patient, set and fold of every case.
        outcome: of the same cases.
        split: number of folds.
        tasks: whose classes are meant; None for every outcome value.
    """
    faults, there = [], set(table["set"])
    for name, values in _classes(outcome, tasks):
        own = table[outcome.isin(values)]
        patients = own.groupby("set")["patient"].nunique().to_dict()
        found = f"{_patients(patients.get('train', 0))} of class {name}"
        if own["fold"][own["fold"] >= 0].nunique() < split.folds:
            remedy = "lower split.folds, merge the class with another in cohort.tasks, or add patients"
            expected = f"at least one in each of {split.folds} folds"
            faults.append(Fault(f"{found} in the training set", expected, remedy))
        elif "test" in there - set(patients):
            remedy = "set split.test_fraction=0, merge the class with another in cohort.tasks, or add patients"
            faults.append(Fault(f"{found}, none of them in the test set", "at least one in each set", remedy))
    return faults


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


def _patients(number: int) -> str:
    return f"{number} patient" if number == 1 else f"{number} patients"
