"""How the numbers were made."""

from fusion.report.blocks import Section, Terms
from fusion.report.method import method
from fusion.report.results import Results
from fusion.report.topic import Topic


def topic(results: Results) -> Topic:
    """The run's method in words."""
    return Topic(Section("method", "How the numbers were made", [Terms(method(results))], "Method"))
