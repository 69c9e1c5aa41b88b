"""How a case is called, in words."""

from fusion.evaluate import threshold
from fusion.report.tasks.results import TaskResults


def rule(results: TaskResults) -> str:
    """The rules of the calls of the run's tasks."""
    two = any(task.positive for task in results.tasks.values())
    more = any(task.positive is None for task in results.tasks.values())
    of_two = (
        f"two classes: the positive one at or above a threshold, {threshold.describe(results.run.evaluate.threshold)}"
    )
    of_more = "more than two classes: the class with the largest probability"
    return "; ".join([of_two] * two + [of_more] * more)
