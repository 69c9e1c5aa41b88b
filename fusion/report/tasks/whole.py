"""The topics of a task run under one title."""

from collections.abc import Iterable
from datetime import datetime

from fusion.report import findings
from fusion.report.blocks import Report
from fusion.report.tasks.results import TaskResults
from fusion.report.topic import Topic


def report(results: TaskResults, topics: Iterable[Topic]) -> Report:
    """The page's words: title, what was asked over how many tumours, sections."""
    rows, tasks, views = results.cohort, results.tasks, results.run.used_sequences
    date = datetime.fromisoformat(results.environment["started"]).strftime("%-d %B %Y")
    asked = f"{len(tasks)} question{'s' * (len(tasks) > 1)}: {', '.join(tasks)}"
    cases = f"{len(rows)} tumours of {rows['patient'].nunique()} patients"
    seen = f"{len(views)} sequence{'s' * (len(views) > 1)}"
    return Report(
        title=results.run.name, eyebrow="fusion report", subtitle=f"{asked} · {seen} · {cases} · {date}",
        banners=findings.banners(results), sections=[topic.section for topic in topics],
    )  # fmt: skip
