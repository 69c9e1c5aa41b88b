"""Who is learned from and who judges, by patient: the split on the whole, and that of every round."""

from collections.abc import Mapping

import pandas as pd

from fusion.config.split import External, Holdout, LeaveOneScannerOut, Nested, Repeated, Rounds, Split, Temporal
from fusion.config.tasks import Task
from fusion.data import split_apart, split_draw, split_file, split_rounds

Tasks = Mapping[str, Task]


def split(rows: pd.DataFrame, split: Split, seed: int, tasks: Tasks | None = None) -> pd.DataFrame:
    """Columns case, patient, set, fold for every case; fold is -1 outside the training set.

    A patient counts as an event when one of the patient's cases is one; of a patient's outcome words the first in
    alphabetical order counts. Of a holdout a ``set`` column in ``rows`` wins over ``split.test_fraction``, and
    ``split.file`` over both. The split does not depend on ``tasks``, so that runs of different tasks share it.

    Of several rounds this is the table on the whole, for checks and for work that needs no label: everyone is in the
    training set, and fold is the round that tests the case, or its fold in the first of repeated rounds.

    Args:
        rows: checked cohort with case, patient, event or outcome (a word), and perhaps set; with ``split_on``, the
            word in the column that the split names, where it names one.
        split: its kind and numbers, or a file to read back.
        seed: of the draw.
        tasks: for ``outcome``: tasks whose every class must be in every set and fold; None asks that of every outcome.

    Raises:
        CohortError: fewer patients of a class than sets, folds or rounds need, or a file that does not fit the cohort.
    """
    match split:
        case Nested() | Repeated() | LeaveOneScannerOut():
            return split_rounds.whole(rows, split, seed, tasks)
        case Temporal():
            sets = split_apart.temporal(rows, split, tasks)
        case External():
            sets = split_apart.external(rows, split, seed, tasks)
        case Holdout():
            if split.file is not None:
                return split_file.read(split.file, rows)
            sets = split_draw.sets(rows, split.test_fraction, seed)
    return split_draw.drawn(rows, sets, split.folds, seed, tasks)


def rounds(rows: pd.DataFrame, asked: Split, seed: int, tasks: Tasks | None = None) -> dict[str, pd.DataFrame]:
    """The table of each round by the round's name; the only one by the empty name.

    Raises:
        CohortError: as ``split``, every fault of every round.
    """
    if isinstance(asked, Rounds):
        return split_rounds.rounds(rows, asked, seed, tasks)
    return {"": split(rows, asked, seed, tasks)}
