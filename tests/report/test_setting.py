"""Every block in both settings, page and PDF, with words that would be markup in either."""

import re
import subprocess
import zlib
from shutil import which

import pytest

from fusion.errors import RunError
from fusion.report import html, pdf
from fusion.report.blocks import (
    Folded,
    Heading,
    Interactive,
    Listing,
    Plot,
    Prose,
    Report,
    Rows,
    Section,
    Terms,
    Tiles,
)  # fmt: skip
from fusion.report.style import headed, look, save

SHARP = '#show *bold* _x_ $y$ <b>&amp; "q" @ref \\ `c` [z] {w} // ~ =h'
"""Markup in Typst, HTML or both."""


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    for name in ("first", "still"):
        with look(name):
            figure = headed(f"Title of {name}", "A note", 6.0, 2.0)
            figure.subplots().plot([0, 1], [0, 1])
            save(figure, folder, name)
    return folder


def reported(*blocks, title="A report"):
    return Report(title, "fusion report", "subtitle", ["A banner"], [Section("part", "A part", blocks)])


BLOCKS = {
    "prose": (Prose(SHARP), [SHARP]),
    "heading": (Heading(SHARP), [SHARP]),
    "listing": (Listing([SHARP, "second"], "Care"), [SHARP, "second", "Care"]),
    "plain listing": (Listing(["only"]), ["only"]),
    "rows": (Rows(["Model", SHARP], [["Tumor_RAD", "0.9"], ["x", SHARP]], mark="x", note="noted"), [SHARP, "noted"]),
    "no rows": (Rows(["Model", "AUC"], []), ["Model", "AUC"]),
    "plot": (Plot("first", SHARP), ["Title of first"]),
    "terms": (Terms([("Seed", SHARP)]), ["Seed", SHARP]),
    "tiles": (Tiles("Five", [("AUC", "0.9", SHARP)]), ["Five", "0.9", SHARP]),
    "folded": (Folded("Open me", [Prose("inside"), Folded("Deeper", [Prose("deep")])]), ["Open me", "inside", "deep"]),
    "interactive": (Interactive("<b>live</b>", Plot("still", "stands still")), ["Title of still"]),
}


def words(path) -> str:
    """The text of a PDF, without white space, as lines may break anywhere."""
    done = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, text=True, check=True)
    return re.sub(r"[\s\u200b\u2060]", "", done.stdout)


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_is_on_the_page(figures, name):
    from html import escape

    block, told = BLOCKS[name]
    text = html.page(reported(block), figures)
    assert [word for word in told if word not in text and escape(word).replace("&quot;", "&#34;") not in text] == []
    assert "<b>&amp;" not in text


def test_what_is_interactive_is_given_as_it_is_and_stands_still_in_print(figures):
    text = html.page(reported(BLOCKS["interactive"][0]), figures)
    assert '<div class="live"><b>live</b></div>' in text
    assert re.search(r"<noscript><style>\.live \{ display: none; \} \.still \{ display: block; \}", text)
    assert "Title of still" in text[text.index('<div class="still">') :]


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_is_a_pdf(figures, name, tmp_path):
    path = pdf.write(reported(BLOCKS[name][0]), figures, tmp_path / "report.pdf")
    assert path.read_bytes().startswith(b"%PDF-")
    assert pages(path.read_bytes()) == 1
    assert [own.name for own in tmp_path.iterdir()] == ["report.pdf"]


@pytest.mark.skipif(which("pdftotext") is None, reason="poppler's pdftotext reads the words back")
def test_every_word_is_in_the_pdf_as_it_was(figures, tmp_path):
    blocks = [block for block, _ in BLOCKS.values()]
    text = words(pdf.write(reported(*blocks, title=SHARP), figures, tmp_path / "report.pdf"))
    told = [word for _, some in BLOCKS.values() for word in some]
    assert [word for word in told if re.sub(r"\s", "", word) not in text] == []


def test_equal_reports_give_equal_bytes(figures, tmp_path):
    blocks = [block for block, _ in BLOCKS.values()]
    one, two = (pdf.write(reported(*blocks), figures, tmp_path / name).read_bytes() for name in ("a.pdf", "b.pdf"))
    assert one == two
    assert html.page(reported(*blocks), figures) == html.page(reported(*blocks), figures)


def test_marks_of_one_style_say_it_once(tmp_path):
    with look("marks"):
        figure = headed("Marks", "A note", 6.0, 2.0)
        figure.subplots().plot(range(500), range(500), "o", color="#123456", alpha=0.5)
        svg, _ = save(figure, tmp_path, "marks")
    before, after = svg.read_text(), str(html.drawing(svg).svg)
    assert after.count("<use") == before.count("<use") >= 500
    assert len(after) < 0.6 * len(before)
    assert before.count("fill: #123456") >= 500 > 5 > after.count("fill: #123456") > 0


def test_a_long_table_breaks_and_repeats_its_head(figures, tmp_path):
    rows = Rows(["Model", "AUC"], [[f"model {n}", "0.5"] for n in range(150)])
    path = pdf.write(reported(rows), figures, tmp_path / "long.pdf")
    assert pages(path.read_bytes()) >= 3
    if which("pdftotext"):
        assert words(path).count("ModelAUC") == pages(path.read_bytes())


@pytest.mark.parametrize(("columns", "turned"), [(6, False), (17, False), (40, True)])
def test_a_wide_table_breaks_its_cells_or_lies_on_a_page_turned_on_its_side(figures, tmp_path, columns, turned):
    rows = Rows([f"column_{n}" for n in range(columns)], [["0.123 (0.12)"] * columns] * 3)
    content = pdf.write(reported(rows), figures, tmp_path / "wide.pdf").read_bytes()
    boxes = {
        tuple(round(float(end)) for end in box.split())
        for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", opened(content))
    }
    assert ((0, 0, 842, 595) in boxes) == turned


def test_a_missing_figure_is_told(figures, tmp_path):
    for write in (lambda: html.page(reported(Plot("none", "")), figures),
                  lambda: pdf.write(reported(Plot("none", "")), figures, tmp_path / "x.pdf")):  # fmt: skip
        with pytest.raises(RunError, match="no such figure"):
            write()


def opened(content: bytes) -> bytes:
    """A PDF with its object streams unpacked."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
    inflated = []
    for stream in streams:
        try:
            inflated.append(zlib.decompressobj().decompress(stream))
        except zlib.error:
            continue
    return content + b"\n".join(inflated)


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", opened(content)))
