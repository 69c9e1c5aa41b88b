"""The cases of a task with their labels."""

import pandas as pd

from fusion.config.tasks import Task
from fusion.data.cohort import level_word


def task_rows(cases: pd.DataFrame, task: Task) -> pd.DataFrame:
    """The rows of ``cases`` whose outcome belongs to a class of ``task``, index from 0, with a column more: ``label``.

    ``label`` is the class's place in ``task.names``; of two classes 1 is the positive one, so that it is the event.

    Args:
        cases: has the column ``outcome``, the word in the cohort's outcome column.
        task: classes by outcome values.
    """
    of = {level_word(value): task.names.index(name) for name, own in task.classes.items() for value in own}
    label = cases["outcome"].map(of)
    rows = cases[label.notna()].assign(label=label.dropna().astype(int))
    return rows.reset_index(drop=True)
