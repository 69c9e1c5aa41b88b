"""Sets that a column of the cohort tells apart: the newest patients, or those of another place."""

from collections.abc import Mapping

import pandas as pd

from fusion.config.split import External, Temporal
from fusion.config.tasks import Task
from fusion.data import split_classes, split_draw
from fusion.data.moment import moments
from fusion.data.split_column import ON
from fusion.data.words import word
from fusion.errors import CohortError, Fault

Tasks = Mapping[str, Task]


def temporal(rows: pd.DataFrame, split: Temporal, tasks: Tasks | None) -> pd.Series:
    """The set of each patient: test where the newest case is from ``split.since`` on, or among the newest.

    So nothing is learned from a case of the tested time, patients never part, and no tested patient was seen; an
    earlier case of a tested patient is tested with the newer one.

    Raises:
        CohortError: every set without a patient of some class.
    """
    when, since = moments(rows[ON], split.since)
    newest = when.groupby(rows["patient"], sort=True).max()
    first = _first(newest, split.test_fraction) if since is None else since
    sets = (newest >= first).map({True: "test", False: "train"})
    return _whole(rows, sets, tasks, "change split.since or split.test_fraction, or add patients")


def external(rows: pd.DataFrame, split: External, seed: int, tasks: Tasks | None) -> pd.Series:
    """The set of each patient: external by the column's values, the others as a holdout draws them.

    Raises:
        CohortError: every set without a patient of some class, or too few others for a test set.
    """
    away = rows[ON].isin([word(value) for value in split.values])
    outside = pd.Series("external", index=sorted(set(rows["patient"][away])))
    if away.all():
        raise CohortError(Fault("every case in the external set", "others to train on", "change split.values"))
    sets = pd.concat([split_draw.sets(rows[~away], split.test_fraction, seed), outside])
    return _whole(rows, sets, tasks, "change split.values or add patients")


def _first(newest: pd.Series, test_fraction: float) -> float:
    """The date from which on at least ``test_fraction`` of the patients are."""
    count = max(1, round(test_fraction * len(newest)))
    return float(newest.sort_values(ascending=False).iloc[count - 1])


def _whole(rows: pd.DataFrame, sets: pd.Series, tasks: Tasks | None, remedy: str) -> pd.Series:
    """``sets`` where each has every class."""
    of_case, faults = rows["patient"].map(sets), []
    for name, words in (("train", "training"), ("test", "test"), ("external", "external")):
        own = rows[of_case == name]
        if name == "train" or len(own):
            faults += [
                Fault(f"no patient {which} in the {words} set ({split_classes.patients(own['patient'].nunique())})",
                      "every class in every set", remedy)
                for which, count in split_classes.counts(rows, tasks, of_case == name).items()
                if not count
            ]  # fmt: skip
    if faults:
        raise CohortError(faults)
    return sets
