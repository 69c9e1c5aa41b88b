"""A run's report: every topic computed once, its tables and figures as files, the page from its words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib.figure import Figure

from fusion.config.run import Run
from fusion.errors import Fault, RunError
from fusion.report import findings, html, tasks
from fusion.report.blocks import Report
from fusion.report.compare import compare
from fusion.report.results import Results
from fusion.report.results import read as read_regions
from fusion.report.style import look, save
from fusion.report.tasks.results import TaskResults
from fusion.report.topic import Topic
from fusion.report.topics import told
from fusion.store import write_csv, write_text


def write(folder: Path, run: Run, pdf: bool = False) -> Path:
    """tables/NAME.csv, figures/NAME.png and .svg, report.html and, if asked, report.pdf; returns the page's path.

    Raises:
        RunError: the run is not finished.
    """
    results = read(folder, run)
    topics = tasks.told(results) if isinstance(results, TaskResults) else told(results)
    files(topics, folder)
    made = tasks.report(results, topics) if isinstance(results, TaskResults) else report(results, topics)
    _set(made, folder / "figures", folder / "report.html", pdf)
    return folder / "report.html"


def read(folder: Path, run: Run) -> Results | TaskResults:
    """The finished run in ``folder``, of regions or of tasks.

    Raises:
        RunError: the run is not finished.
    """
    return TaskResults.read(folder, run) if run.cohort.tasks else read_regions(folder, run)


def write_comparison(runs: Sequence[Results | TaskResults], path: Path, pdf: bool = False) -> Path:
    """The page at ``path`` that sets ``runs`` side by side, and a PDF beside it if asked; returns ``path``.

    Raises:
        RunError: runs of regions and runs of tasks together.
    """
    of_regions = [own for own in runs if isinstance(own, Results)]
    of_tasks = [own for own in runs if isinstance(own, TaskResults)]
    if of_regions and of_tasks:
        found = f"{len(of_regions)} runs of regions and {len(of_tasks)} of tasks"
        raise RunError(Fault(found, "runs of one kind", "compare them apart, as they answer different questions"))
    made, plots = (tasks.compare(of_tasks), {}) if of_tasks else compare(of_regions)
    with TemporaryDirectory() as figures:
        draw(plots, Path(figures))
        _set(made, Path(figures), path, pdf)
    return path


def report(results: Results, topics: Iterable[Topic]) -> Report:
    """The topics of a run under one title."""
    cohort = results.run.cohort
    question = f"Is the tumour {cohort.positive_name} (the positive class) or {cohort.negative_name}?"
    rows = results.cohort
    cases = f"{len(rows)} cases, {int(rows['event'].sum())} {cohort.positive_name}"
    date = datetime.fromisoformat(results.environment["started"]).strftime("%-d %B %Y")
    return Report(
        title=results.run.name,
        eyebrow="fusion report",
        subtitle=f"{question} · {cases} · {date}",
        banners=findings.banners(results),
        sections=[topic.section for topic in topics],
    )


def files(topics: Iterable[Topic], folder: Path) -> None:
    """tables/NAME.csv and figures/NAME.png and .svg of every topic."""
    for topic in topics:
        for name, table in topic.tables.items():
            write_csv(folder / f"tables/{name}.csv", table)
        draw(topic.plots, folder / "figures")


def draw(plots: Mapping[str, Callable[[], Figure]], folder: Path) -> None:
    """NAME.png and NAME.svg of every plot in ``folder``."""
    for name, drawn in plots.items():
        with look(name):
            save(drawn(), folder, name)


def _set(made: Report, figures: Path, path: Path, pdf: bool) -> None:
    write_text(path, html.page(made, figures))
    if pdf:
        from fusion.report.pdf import write as write_pdf  # typst is large, and few ask

        write_pdf(made, figures, path.with_suffix(".pdf"))
