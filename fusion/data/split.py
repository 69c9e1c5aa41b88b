"""Test set and folds by patient, stratified by outcome; saved and read back."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split

from fusion.config.cohort import Split
from fusion.config.tasks import Task
from fusion.data import split_classes
from fusion.data.cohort import SETS
from fusion.errors import CohortError, Fault


def split(rows: pd.DataFrame, split: Split, seed: int, tasks: Mapping[str, Task] | None = None) -> pd.DataFrame:
    """Columns case, patient, set, fold for every case; fold is -1 outside the training set.

    A patient counts as an event when one of the patient's cases is one; of a patient's outcome words the first in
    alphabetical order counts. A ``set`` column in ``rows`` wins over ``split.test_fraction``, and ``split.file`` over
    both. The split does not depend on ``tasks``, so that runs of different tasks share it.

    Args:
        rows: checked cohort with case, patient, event or outcome (a word), and perhaps set.
        split: test fraction, folds, or a file to read back.
        seed: of the draw.
        tasks: for ``outcome``: tasks whose every class must be in every set and fold; None asks that of every outcome.

    Raises:
        CohortError: fewer patients of a class than sets or folds need, or a file that does not fit the cohort.
    """
    if split.file is not None:
        return _read(split.file, rows)
    if "event" in rows:
        patients = rows.groupby("patient", sort=True)["event"].max()
        draw_sets, draw_folds = _sets, _folds
    else:
        patients = rows.groupby("patient", sort=True)["outcome"].min()
        draw_sets, draw_folds = split_classes.sets, split_classes.folds
    sets = rows.groupby("patient")["set"].first() if "set" in rows else draw_sets(patients, split.test_fraction, seed)
    folds = draw_folds(patients[sets == "train"], split.folds, seed)
    table = rows[["case", "patient"]].copy()
    table["set"] = table["patient"].map(sets)
    table["fold"] = table["patient"].map(folds).fillna(-1).astype(int)
    if "event" not in rows and (faults := split_classes.lacking(table, rows["outcome"], split, tasks)):
        raise CohortError(faults)
    return table


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


def _folds(patients: pd.Series, folds: int, seed: int) -> pd.Series:
    smallest = patients.value_counts().reindex([0, 1], fill_value=0).min()
    if smallest < folds:
        found = f"{smallest} training patients in the smaller class"
        raise CohortError(Fault(found, f"at least one a fold ({folds} folds)", "lower split.folds or add patients"))
    fold = pd.Series(-1, index=patients.index)
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(patients)), patients)
    for number, (_, members) in enumerate(parts):
        fold.iloc[members] = number
    return fold


def _read(path: Path, rows: pd.DataFrame) -> pd.DataFrame:
    if not path.is_file():
        raise CohortError(Fault("no such file", "splits of an earlier run", "check split.file", file=str(path)))
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:  # text that is not UTF-8 is a ValueError
        remedy = "use the splits.csv of a run on this cohort"
        found = f"an unreadable table ({str(error).strip()})"
        raise CohortError(Fault(found, "case, patient, set, fold", remedy, file=str(path))) from error
    if "fold" in table:
        table["fold"] = pd.to_numeric(table["fold"], errors="coerce")
    faults = _faults(table, rows, str(path))
    if faults:
        raise CohortError(faults)
    return rows[["case", "patient"]].merge(table[["case", "set", "fold"]], on="case", how="left").astype({"fold": int})


def _faults(table: pd.DataFrame, rows: pd.DataFrame, file: str) -> list[Fault]:
    remedy = "use the splits.csv of a run on this cohort"
    absent = sorted({"case", "set", "fold"} - set(table.columns))
    if absent:
        return [Fault(f"no column {', '.join(absent)}", "case, patient, set, fold", remedy, file=file)]
    faults = [
        Fault("no split", "one row", remedy, case, file) for case in rows["case"] if case not in set(table["case"])
    ]
    faults += [Fault("two rows", "one row", remedy, case, file) for case in table["case"][table["case"].duplicated()]]
    whole = (table["fold"] % 1 == 0) & (table["fold"] >= -1)
    bad = ~table["set"].isin(SETS) | ~whole | ((table["set"] == "train") != (table["fold"] >= 0))
    expected = f"a set of {', '.join(SETS)}, and a fold from 0 in the training set only"
    faults += [
        Fault(f"set {set_}, fold {fold}", expected, remedy, case, file)
        for case, set_, fold in table[bad][["case", "set", "fold"]].to_numpy()
    ]
    parted = (
        rows.merge(table[["case", "set", "fold"]], on="case").groupby("patient")[["set", "fold"]].nunique().max(axis=1)
    )
    expected = "one set and one fold a patient"
    faults += [
        Fault(f"patient {patient} in several", expected, remedy, file=file) for patient in parted[parted > 1].index
    ]
    folds = np.unique(table["fold"][table["fold"] >= 0]) if not faults else np.arange(2)
    if len(folds) < 2 or (folds != np.arange(len(folds))).any():
        faults.append(Fault(f"folds {folds.tolist()}", "two folds at least, counted from 0", remedy, file=file))
    return faults
