"""report.html of a run with several rounds, with the tables and figures that it shows."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

import pandas as pd

from fusion.config.run import Run
from fusion.report import html, page
from fusion.report.blocks import Report
from fusion.report.rounds import method, says, tables
from fusion.report.rounds.drawn import forest
from fusion.report.rounds.read import RoundResults, read
from fusion.report.topics import environment
from fusion.store import write_csv, write_text

KINDS = {"nested": "nested cross-validation", "repeated": "repeated cross-validation",
         "leave_one_scanner_out": "leave one scanner out"}  # fmt: skip


def write(folder: Path, run: Run, rounds: Mapping[str, Run], pdf: bool = False) -> Path:
    """tables/NAME.csv, figures/NAME.png and .svg, report.html and, if asked, report.pdf; returns the page's path.

    Args:
        folder: of the run.
        run: its split has several rounds.
        rounds: the runs of its finished rounds by name.
        pdf: report.pdf too.

    Raises:
        RunError: the run is not finished.
    """
    results = read(folder, run, rounds)
    made, files = report(results)
    for name, table in files.items():
        write_csv(folder / f"tables/{name}.csv", table)
    plots = {name: partial(forest, results, model) for name, model in tables.figures(results).items()}
    page.draw(plots, folder / "figures")
    write_text(folder / "report.html", html.page(made, folder / "figures"))
    if pdf:
        from fusion.report.pdf import write as write_pdf  # typst is large, and few ask

        write_pdf(made, folder / "figures", folder / "report.pdf")
    return folder / "report.html"


def report(results: RoundResults) -> tuple[Report, dict[str, pd.DataFrame]]:
    """The page before it is set, and the tables behind it by name."""
    models, table_of_models = tables.models(results)
    each, table_of_rounds = tables.each(results)
    tested, table_of_cases = tables.tested(results)
    cohort = results.cohort
    date = datetime.fromisoformat(results.environment["started"]).strftime("%-d %B %Y")
    made = Report(
        title=results.run.name,
        eyebrow="fusion report",
        subtitle=f"{KINDS[results.split.kind]}, {len(results.names)} rounds · {len(cohort)} cases of "
                 f"{cohort['patient'].nunique()} patients · {date}",
        banners=says.banners(results),
        sections=[says.section(results), models, each, tested, method.section(results),
                  environment.topic(results.first).section],
    )  # fmt: skip
    return made, {"models": table_of_models, "auc_by_round": table_of_rounds, "rounds": table_of_cases}
