"""The report of a run of tasks, topic by topic; the order of ``TOPICS`` is the order of the page."""

from importlib import import_module

from fusion.report.tasks.compare import compare
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.whole import report
from fusion.report.topic import Topic
from fusion.report.topics import acquisition, environment, notes

__all__ = ["TOPICS", "TaskResults", "compare", "report", "told"]

TOPICS = (
    "says", "flow", "slices", "table_one", "protocols", "roc", "confusion", "classes", "calibration", "selection",
    "method", "failures",
)  # fmt: skip
"""Modules of this folder; each has one public function ``topic(results)``."""


def told(results: TaskResults) -> list[Topic]:
    """The topics on which the run has something to say, in the order of the page."""
    modules = [import_module(f"{__name__}.{name}") for name in TOPICS]
    made = [found for module in modules if (found := module.topic(results)) is not None]
    shared = [found for module in (acquisition, notes) if (found := module.topic(results)) is not None]
    return [*made, *shared, environment.topic(results)]
