"""A split read back from the splits.csv of an earlier run, refused where it does not fit the cohort."""

from pathlib import Path

import numpy as np
import pandas as pd

from fusion.data.cohort import SETS
from fusion.errors import CohortError, Fault

REMEDY = "use the splits.csv of a run on this cohort"


def read(path: Path, rows: pd.DataFrame) -> pd.DataFrame:
    """Columns case, patient, set, fold for every case of ``rows``.

    Raises:
        CohortError: no such file, an unreadable one, or every row that does not fit the cohort.
    """
    if not path.is_file():
        raise CohortError(Fault("no such file", "splits of an earlier run", "check split.file", file=str(path)))
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:  # text that is not UTF-8 is a ValueError
        found = f"an unreadable table ({str(error).strip()})"
        raise CohortError(Fault(found, "case, patient, set, fold", REMEDY, file=str(path))) from error
    if "fold" in table:
        table["fold"] = pd.to_numeric(table["fold"], errors="coerce")
    faults = _faults(table, rows, str(path))
    if faults:
        raise CohortError(faults)
    return rows[["case", "patient"]].merge(table[["case", "set", "fold"]], on="case", how="left").astype({"fold": int})


def _faults(table: pd.DataFrame, rows: pd.DataFrame, file: str) -> list[Fault]:
    absent = sorted({"case", "set", "fold"} - set(table.columns))
    if absent:
        return [Fault(f"no column {', '.join(absent)}", "case, patient, set, fold", REMEDY, file=file)]
    faults = [
        Fault("no split", "one row", REMEDY, case, file) for case in rows["case"] if case not in set(table["case"])
    ]
    faults += [Fault("two rows", "one row", REMEDY, case, file) for case in table["case"][table["case"].duplicated()]]
    whole = (table["fold"] % 1 == 0) & (table["fold"] >= -1)
    bad = ~table["set"].isin(SETS) | ~whole | ((table["set"] == "train") != (table["fold"] >= 0))
    expected = f"a set of {', '.join(SETS)}, and a fold from 0 in the training set only"
    faults += [
        Fault(f"set {set_}, fold {fold}", expected, REMEDY, case, file)
        for case, set_, fold in table[bad][["case", "set", "fold"]].to_numpy()
    ]
    parted = (
        rows.merge(table[["case", "set", "fold"]], on="case").groupby("patient")[["set", "fold"]].nunique().max(axis=1)
    )
    expected = "one set and one fold a patient"
    faults += [
        Fault(f"patient {patient} in several", expected, REMEDY, file=file) for patient in parted[parted > 1].index
    ]
    folds = np.unique(table["fold"][table["fold"] >= 0]) if not faults else np.arange(2)
    if len(folds) < 2 or (folds != np.arange(len(folds))).any():
        faults.append(Fault(f"folds {folds.tolist()}", "two folds at least, counted from 0", REMEDY, file=file))
    return faults
