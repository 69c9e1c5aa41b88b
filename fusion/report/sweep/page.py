"""comparison.html of a sweep, and the tables that it is made from."""

from pathlib import Path
from tempfile import TemporaryDirectory

from fusion.evaluate.sweep import worth
from fusion.report import html, page
from fusion.report.blocks import Block, Listing, Prose, Report, Section
from fusion.report.sweep import cells, chosen, lost
from fusion.report.sweep.cautions import banners, cautions
from fusion.report.sweep.drawn import drawn
from fusion.report.sweep.read import Swept, read
from fusion.report.sweep.words import counted
from fusion.store import write_csv, write_text

PAGE = "comparison.html"


def write(folder: Path, pdf: bool = False) -> Path:
    """comparison.csv, choice.csv, chosen.csv, chosen_metrics.csv and comparison.html of a sweep; returns the page.

    What is not finished is left out and told. Where no cases can judge the choice, chosen.csv and chosen_metrics.csv
    have their heads and no row.

    Args:
        folder: of the sweep.
        pdf: the page as comparison.pdf too.

    Raises:
        RunError: no sweep, no finished cell, or files of finished cells that are missing or faulty.
    """
    swept = read(folder)
    write_csv(folder / "comparison.csv", swept.comparison)
    write_csv(folder / "choice.csv", swept.choice.table)
    write_csv(folder / "chosen.csv", worth.predictions(swept.choice))
    write_csv(folder / "chosen_metrics.csv", worth.worth(swept.choice))
    made = report(swept)
    with TemporaryDirectory() as figures:
        page.draw({cells.FIGURE: lambda: drawn(swept)}, Path(figures))
        write_text(folder / PAGE, html.page(made, Path(figures)))
        if pdf:
            from fusion.report.pdf import write as write_pdf  # typst is large, and few ask

            write_pdf(made, Path(figures), (folder / PAGE).with_suffix(".pdf"))
    return folder / PAGE


def report(swept: Swept) -> Report:
    """The page before it is set."""
    first = swept.done[0]
    states = swept.cells["state"].value_counts()
    name = first.run.name.removesuffix(f"_{first.name}")
    sections = [
        _says(swept), cells.swept_fields(swept), lost.failures(swept), chosen.section(swept),
        cells.every_cell(swept), cells.every_model(swept), lost.costs(swept),
    ]  # fmt: skip
    return Report(
        title=f"{name}: sweep of {counted(len(swept.cells), 'cell')}",
        eyebrow="fusion sweep",
        subtitle=f"{states.get('done', 0)} finished · chosen by {swept.by}",
        banners=banners(swept),
        sections=[own for own in sections if own is not None],
    )


def _says(swept: Swept) -> Section:
    blocks: list[Block] = [Prose(sentence, faint=False) for sentence in chosen.sentences(swept)]
    blocks.append(Listing(cautions(swept), "How far to trust it"))
    return Section("says", "What the choice is worth", blocks, "What it says")
