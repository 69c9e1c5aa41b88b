"""A run's report: every topic computed once, its tables and figures as files, the page from its words."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from fusion.config.run import Run
from fusion.report import findings, html
from fusion.report.blocks import Report
from fusion.report.results import Results, read
from fusion.report.style import look, save
from fusion.report.topic import Topic
from fusion.report.topics import told
from fusion.store import write_csv, write_text


def write(folder: Path, run: Run, pdf: bool = False) -> Path:
    """tables/NAME.csv, figures/NAME.png and .svg, report.html and, if asked, report.pdf; returns the page's path.

    Raises:
        RunError: the run is not finished.
    """
    results = read(folder, run)
    topics = told(results)
    files(topics, folder)
    told_once = report(results, topics)
    write_text(folder / "report.html", html.page(told_once, folder / "figures"))
    if pdf:
        from fusion.report.pdf import write as write_pdf

        write_pdf(told_once, folder / "figures", folder / "report.pdf")
    return folder / "report.html"


def report(results: Results, topics: Iterable[Topic]) -> Report:
    """The topics of a run under one title."""
    cohort = results.run.cohort
    date = datetime.fromisoformat(results.environment["started"]).strftime("%-d %B %Y")
    return Report(
        title=results.run.name,
        eyebrow="fusion report",
        subtitle=f"{date} · positive class: {cohort.positive_name}, against {cohort.negative_name}",
        banners=findings.banners(results),
        sections=[topic.section for topic in topics],
    )


def files(topics: Iterable[Topic], folder: Path) -> None:
    """tables/NAME.csv and figures/NAME.png and .svg of every topic."""
    for topic in topics:
        for name, table in topic.tables.items():
            write_csv(folder / f"tables/{name}.csv", table)
        for name, draw in topic.plots.items():
            with look(name):
                save(draw(), folder / "figures", name)
