"""Test set and folds drawn by patient, stratified by outcome: whatever kind of split asks, the draw is this one."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from fusion.config.tasks import Task
from fusion.data import split_classes
from fusion.errors import CohortError, Fault

FOLDS = "split.folds"


def patients(rows: pd.DataFrame) -> pd.Series:
    """The outcome of each patient, patients in alphabetical order.

    A patient counts as an event when one of the patient's cases is one; of a patient's outcome words the first in
    alphabetical order counts.
    """
    by_patient = rows.groupby("patient", sort=True)
    return by_patient["event"].max() if "event" in rows else by_patient["outcome"].min()


def sets(rows: pd.DataFrame, test_fraction: float, seed: int) -> pd.Series:
    """The set of each patient: the table's column ``set`` where there is one, else ``test_fraction`` of them drawn.

    Raises:
        CohortError: fewer patients of a class than two sets need.
    """
    if "set" in rows:
        return rows.groupby("patient")["set"].first()
    outcome = patients(rows)
    if "event" not in rows:
        return split_classes.sets(outcome, test_fraction, seed)
    return _sets(outcome, test_fraction, seed)


def folds(rows: pd.DataFrame, count: int, seed: int, field: str = FOLDS) -> pd.Series:
    """The fold of each patient of ``rows``, as many of every outcome in one as in another.

    Args:
        rows: the cases to part.
        count: folds.
        seed: of the draw.
        field: of the config, which a message names.

    Raises:
        CohortError: fewer patients of the rarer of two classes than folds.
    """
    outcome = patients(rows)
    if "event" not in rows:
        return split_classes.folds(outcome, count, seed)
    return _folds(outcome, count, seed, field)


def table(rows: pd.DataFrame, sets: pd.Series, folds: pd.Series) -> pd.DataFrame:
    """Columns case, patient, set, fold of every case, from those of patients; fold is -1 where ``folds`` has none."""
    found = rows[["case", "patient"]].copy()
    found["set"] = found["patient"].map(sets)
    found["fold"] = found["patient"].map(folds).fillna(-1).astype(int)
    return found


def drawn(
    rows: pd.DataFrame, sets: pd.Series, count: int, seed: int, tasks: Mapping[str, Task] | None
) -> pd.DataFrame:  # fmt: skip
    """The table of given ``sets`` with folds drawn inside the training set.

    Args:
        rows: case, patient, and event or outcome.
        sets: by patient.
        count: folds.
        seed: of the draw.
        tasks: whose every class must be in every set and fold; None for every outcome.

    Raises:
        CohortError: too few patients of a class for the folds, or a class that a set lacks.
    """
    train = rows[rows["patient"].map(sets) == "train"]
    found = table(rows, sets, folds(train, count, seed) if len(train) else pd.Series(dtype=int))
    if "event" not in rows and (faults := split_classes.lacking(found, rows["outcome"], count, tasks)):
        raise CohortError(faults)
    return found


def _sets(patients: pd.Series, test_fraction: float, seed: int) -> pd.Series:
    sets = pd.Series("train", index=patients.index)
    if test_fraction > 0:
        smallest = patients.value_counts().min()
        if smallest < 2 or round(smallest * test_fraction) < 1:
            found = f"{smallest} patients in the smaller class, {test_fraction:.0%} of them for the test set"
            raise CohortError(Fault(found, "at least one in each set", "set split.test_fraction=0 or add patients"))
        _, test = train_test_split(
            patients.index.to_numpy(object), test_size=test_fraction, stratify=patients, random_state=seed
        )
        sets[test] = "test"
    return sets


def _folds(patients: pd.Series, folds: int, seed: int, field: str) -> pd.Series:
    smallest = patients.value_counts().reindex([0, 1], fill_value=0).min()
    if smallest < folds:
        found = f"{smallest} training patients in the smaller class"
        raise CohortError(Fault(found, f"at least one a fold ({folds} folds)", f"lower {field} or add patients"))
    fold = pd.Series(-1, index=patients.index)
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(patients)), patients)
    for number, (_, members) in enumerate(parts):
        fold.iloc[members] = number
    return fold
