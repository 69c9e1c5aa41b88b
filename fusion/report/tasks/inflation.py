"""What the leaking protocol adds on the same data: honest and literal scores and their difference."""

import pandas as pd

from fusion.evaluate import tasks
from fusion.report.tasks.results import TaskResults


def inflation(results: TaskResults) -> pd.DataFrame | None:
    """``evaluate.tasks.differences`` in each task's chief set; None without the leaking protocol."""
    if results.literal_metrics is None:
        return None
    honest = pd.concat([_named(results, task) for task in results.tasks])
    return tasks.differences(honest, results.literal_metrics)


def _named(results: TaskResults, task: str) -> pd.DataFrame:
    return results.rows(task, results.sets_of(task)[0]).reset_index()
