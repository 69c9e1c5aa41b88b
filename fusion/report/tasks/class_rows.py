"""Each class against all others, model by model, as numbers."""

import pandas as pd

from fusion.evaluate.task_row import OF_CLASS, class_rows
from fusion.report.tasks.results import TaskResults

ENDS = ("", "_low", "_high")
COLUMNS = ("model", "set", "class", "n", *(f"{name}{end}" for name in OF_CLASS for end in ENDS))


def of_model(results: TaskResults, task: str, view: str, set_: str) -> pd.DataFrame:
    """One model's classes in a set, indexed by class; columns as tables/classes.csv."""
    made = class_rows(results.judged(task, view, set_), results.run.evaluate, results.run.seed)
    return pd.DataFrame(made).set_index("class")


def of_all(results: TaskResults) -> pd.DataFrame:
    """tables/classes.csv: one row a model, set and class."""
    return pd.concat(
        [
            of_model(results, task, str(view), set_).reset_index()
            for task in results.tasks
            for set_ in results.sets_of(task)
            for view in results.rows(task, set_).index
        ],
        ignore_index=True,
    )[list(COLUMNS)]
