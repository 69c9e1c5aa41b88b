"""The report, topic by topic; the order of ``TOPICS`` is the order of the page."""

from importlib import import_module

from fusion.report.results import Results
from fusion.report.topic import Topic

TOPICS = (
    "says",
    "flow",
    "table_one",
    "odds",
    "scanners",
    "acquisition",
    "rings",
    "example",
    "agreement",
    "selection",
    "models",
    "roc",
    "calibration",
    "decision",
    "confusion",
    "rates",
    "prevalence",
    "readers",
    "reclassification",
    "nomogram",
    "optimism",
    "validation",
    "notes",
    "failures",
    "checklists",
    "method",
    "environment",
)
"""Modules of this folder; each has one public function ``topic(results)``."""


def told(results: Results) -> list[Topic]:
    """The topics on which the run has something to say, in the order of the page."""
    modules = [import_module(f"{__name__}.{name}") for name in TOPICS]
    return [made for module in modules if (made := module.topic(results)) is not None]
