"""One calm look: a model keeps its colour and dash in every figure, and equal numbers give equal bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

import matplotlib
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text

from fusion.config.run import MODELS
from fusion.report.words import minus
from fusion.store import whole

INK, FAINT, RULE = "#1f2933", "#66707c", "#e6e9ed"
POSITIVE, NEGATIVE = "#b35806", "#2166ac"
LOOK = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that every machine lays out the same
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#a9b1bb",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8.8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "svg.fonttype": "none",  # text stays text: searchable, and a quarter of the size
}
DOTS_PER_INCH = 200


@dataclass(frozen=True)
class Line:
    """How a model is drawn."""

    colour: str
    dash: str | tuple[float, tuple[float, ...]]
    width: float


SHADES = {
    "Tumor": ("#6aa5dc", "#3a7dc4", "#17529b"),
    "External2": ("#e8963a", "#cc6c0c", "#a04a00"),
    "Tumor+External2": ("#45b39c", "#158f7f", "#006a5d"),
}
"""Hue by region (blue, orange, teal: apart for every kind of colour vision); shade by RAD, DL, RAD+DL."""
DASHES: dict[str, str | tuple[float, tuple[float, ...]]] = {
    "Tumor": "solid",
    "External2": (0.0, (5.0, 1.6)),
    "Tumor+External2": (0.0, (7.0, 1.6, 1.4, 1.6)),
}
FAMILIES = ("RAD", "DL", "RAD+DL")


def line(model: str) -> Line:
    """The model's line, the same in every figure.

    >>> line("Combined").colour
    '#111111'
    """
    if model not in MODELS:
        return Line(FAINT, "solid", 1.5)
    if model == "Clinical":
        return Line("#a0559b", (0.0, (1.2, 1.2)), 1.9)
    if model == "Combined":
        return Line("#111111", "solid", 2.1)
    region, family = model.split("_")
    return Line(SHADES[region][FAMILIES.index(family)], DASHES[region], 1.6)


@contextmanager
def look(name: str) -> Iterator[None]:
    """The style, with element ids that depend on the figure's name alone; matplotlib's settings come back after."""
    with matplotlib.rc_context({**LOOK, "svg.hashsalt": name}):
        yield


def headed(title: str, note: str, width: float, height: float) -> Figure:
    """An empty figure with its title and, at its foot, what a reader must know; sizes in inches."""
    engine = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.07, wspace=0.03, hspace=0.04)
    figure = Figure(figsize=(width, height), layout=engine)
    figure.suptitle(fill(title, int(10 * width)), x=0.01, ha="left", fontsize=10, fontweight="bold")
    figure.supxlabel(fill(note, int(15 * width)), x=0.01, ha="left", fontsize=7.8, color=FAINT)
    return figure


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """NAME.svg and NAME.png in ``folder``, without dates or versions in them."""
    for text in figure.findobj(Text):
        if "$" not in (words := text.get_text()):
            text.set_text(minus(words))
    figure.draw_without_rendering()
    figure.set_layout_engine(None)  # the layout stands; both files share it, and neither is drawn twice
    nothing = {"svg": {"Date": None, "Creator": None, "Format": None, "Type": None}, "png": {"Software": None}}
    paths = [folder / f"{name}.{kind}" for kind in nothing]
    for path in paths:
        with whole(path) as part:
            figure.savefig(part, dpi=DOTS_PER_INCH, metadata=nothing[path.suffix[1:]])
    return paths
