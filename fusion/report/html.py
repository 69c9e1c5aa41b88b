"""A report as one HTML file, which asks nothing of any network."""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from fusion.errors import Fault, RunError
from fusion.report.blocks import Block, Report
from fusion.report.words import minus

PX_PER_PT = 100 / 72
"""An inch of figure on the page is 100 px."""


@dataclass(frozen=True)
class Drawing:
    """An SVG element for the page, and how wide it should be at most."""

    svg: Markup
    width_px: int


def page(report: Report, figures: Path) -> str:
    """The page of ``report``, with the drawings NAME.svg of the folder ``figures`` inside.

    Raises:
        RunError: a figure is missing.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=signed
    )
    environment.filters["breakable"] = breakable
    template = files("fusion.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    words = {"report": report, "drawing": lambda name: drawing(figures / f"{name}.svg"), "kind": kind, "raw": Markup}
    return environment.from_string(template).render(words) + "\n"


def kind(block: Block) -> str:
    """The name of a block's macro in the template.

    >>> from fusion.report.blocks import Heading
    >>> kind(Heading("Test set"))
    'heading'
    """
    return type(block).__name__.lower()


def breakable(word: str) -> Markup:
    """A word that may break where it has an underscore, a plus or a slash.

    >>> breakable("Tumor_RAD+DL < 1")
    Markup('Tumor_<wbr>RAD+<wbr>DL &lt; 1')
    """
    return Markup(re.sub(r"([_+/])", r"\1<wbr>", str(escape(minus(word)))))


def drawing(path: Path) -> Drawing:
    """An SVG file as an inline element: no prolog, no metadata, no fixed size, ids that are its own on the page.

    Raises:
        RunError: there is no such file.
    """
    if not path.is_file():
        raise RunError(Fault("no such figure", "the run's figures", "run `fusion report DIR`", file=str(path)))
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r"<g([^>]*)>\s*((?:<use [^>]*/>\s*)+)</g>", _styled_once, text)
    text = re.sub(r'\bid="', f'id="{path.stem}-', text)
    text = re.sub(r'(href="|url\()#', rf"\g<1>#{path.stem}-", text)
    width_pt = float(re.findall(r' width="([\d.]+)pt"', text)[0])
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    return Drawing(Markup(text.rstrip()), round(width_pt * PX_PER_PT))


def signed(value: object) -> object:
    """Words with true minus signs; what is markup stays as it is."""
    return minus(value) if type(value) is str else value


def _styled_once(group: re.Match[str]) -> str:
    """A group of marks with their common style said once; a figure has a mark a case."""
    styles = set(re.findall(r' style="[^"]*"', group[2]))
    if len(styles) != 1 or "style=" in group[1]:
        return group[0]
    (style,) = styles
    marks = re.sub(r"\s*\n\s*", "", group[2].replace(style, ""))
    return f"<g{group[1]}{style}>{marks}</g>"
