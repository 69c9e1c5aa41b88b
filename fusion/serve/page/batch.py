"""The batch tab: a table and its files in a zip, answered row by row."""

import csv
import io
from collections.abc import Callable
from typing import Any

from fusion.errors import FusionError
from fusion.serve.asked import Outputs
from fusion.serve.page import templates, uploads
from fusion.serve.service import CohortAnswer, Question, Service

TABLE = "predictions.csv"
COLUMNS = ("row", "case", "model", "probability", "threshold", "label", "set", "refer", "warnings")
SHOWN = tuple(name for name in COLUMNS if name != "case")
"""On the page, where cases have numbers."""
ABOUT = (
    "A zip with the cohort table (CSV, Excel or Parquet, columns as in the bundle's run) and the files that it names, "
    "or table and zip one by one. The page shows cases by their row's number."
)
EMPTY = '<p class="fu-empty">The table of answers appears here.</p>'


def tab(service: Service) -> None:
    """Lay out the tab."""
    import gradio as gr

    names = list(service.bundles)
    templates.panel(f"<p>{ABOUT}</p>")
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            bundle = gr.Dropdown(names, value=names[0], label="Model bundle")
            archive = uploads.field("archive", "Zip with the files, and the table where it is inside")
            table = uploads.field("table", "Table (where it is not in the zip)")
            button = gr.Button("Answer all cases", variant="primary", elem_id="fu-ask-batch")
        with gr.Column(scale=3, min_width=340):
            shown = templates.panel(EMPTY)
    progress = gr.Progress()  # Gradio finds it as the argument's default

    def ask(own: str, zipped: str | None, words: str | None, progress: Any = progress) -> str:
        return answered(service, own, zipped, words, lambda done, of: progress((done, of), unit="cases"))

    button.click(ask, [bundle, archive, table], shown, api_visibility="private", concurrency_limit=4)


def answered(
    service: Service,
    bundle: str,
    archive: str | None,
    table: str | None,
    told: Callable[[int, int], None] | None = None,
) -> str:
    """The table of answers, or what is wrong with what was given."""
    secret, folder = service.shelf.place()
    try:
        files = uploads.by_role({"archive": archive, "table": table})
        done = service.ask_cohort(bundle, files, Question({}, explain=False), Outputs(folder), progress=told)
    except FusionError as error:
        service.shelf.drop(secret)
        return templates.faults(error.faults)
    found = rows(done)
    (folder / TABLE).write_text(as_csv(found), encoding="utf-8")
    return templates.render("batch.html.j2", columns=SHOWN, rows=found, done=done, secret=secret, table=TABLE)


def rows(done: CohortAnswer) -> list[dict[str, object]]:
    """A row a case and model, the headline's first; ``case`` is as the table names it, for the download alone."""
    names = {row.name: row.case for row in done.rows}
    return [
        {"row": row, "case": names[row], "model": own.model, "probability": own.probability,
         "threshold": own.threshold, "label": own.label, "set": " ".join(own.set), "refer": own.refer,
         "warnings": len(answer.warnings)}
        for row, answer in done.answers.items()
        for own in answer.answers
    ]  # fmt: skip


def as_csv(found: list[dict[str, object]]) -> str:
    """The rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()
