"""Boxes and arrows of a flow chart, and its upper part: the table and everyone who left on the way to the cohort."""

from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from fusion.report.style import FAINT, INK
from fusion.report.way import Step, Way

INCHES = 3.1
"""Of a chart's unit of height."""
TABLE = 0.18
"""Height of the table's box, in such units."""
GAP = 0.045
LINE = 0.058
"""Height of a line of text in a side box."""
LETTERS = 50
"""A side box's width in letters."""


def height(way: Way | None) -> float:
    """Of the upper part, in the chart's units; nothing without a way."""
    return 0.0 if way is None else TABLE + GAP + sum(_side(step) + GAP for step in way.steps) + 0.02


def drawn(axis: Axes, way: Way, low: float, noun: str = "cases") -> None:
    """The upper part, from ``low`` (the top of the cohort's box) upwards."""
    top = low + height(way)
    box(axis, 0.5, top - TABLE / 2, 0.34, TABLE, "Table", [f"n = {way.table} {noun}"])
    at = top - TABLE - GAP
    for step in way.steps:
        middle = at - _side(step) / 2
        axis.plot([0.5, 0.556], [middle, middle], color=FAINT, linewidth=0.9, solid_capstyle="butt")
        axis.plot(0.557, middle, marker=">", color=FAINT, markersize=4, linestyle="none")
        side(axis, 0.565, middle, 0.425, _side(step), f"{_name(step)}\nn = {len(step.left)}")
        at -= _side(step) + GAP
    axis.plot([0.5, 0.5], [top - TABLE, low + 0.01], color=FAINT, linewidth=0.9, solid_capstyle="butt")
    axis.plot(0.5, low + 0.012, marker="v", color=FAINT, markersize=4, linestyle="none")


def box(
    axis: Axes, x: float, y: float, width: float, height: float, name: str, lines: list[str], small: bool = False
) -> None:  # fmt: skip
    """A box round (``x``, ``y``) with a name in bold and lines of counts below it."""
    _frame(axis, x - width / 2, y - height / 2, width, height)
    size = 7.2 if small else 8.6
    first, second = (0.26, 0.04) if len(lines) > 1 else (0.19, 0.19)
    axis.text(x, y + height * first, name, ha="center", va="center", fontsize=size + 0.6, fontweight="bold", color=INK)
    for place, text in enumerate(lines):
        axis.text(x, y - height * (second + 0.26 * place), text, ha="center", va="center", fontsize=size, color=INK)


def side(axis: Axes, x: float, y: float, width: float, height: float, text: str) -> None:
    """A box beside the flow, from ``x`` to the right, with plain text flush left."""
    _frame(axis, x, y - height / 2, width, height)
    axis.text(x + 0.012, y, text, ha="left", va="center", fontsize=8, color=INK, linespacing=1.25)


def arrow(axis: Axes, x: float, y: float, to_x: float, to_y: float) -> None:
    """Down, across and down again, with a head."""
    middle = (y + to_y) / 2 + 0.01
    axis.plot([x, x, to_x, to_x], [y, middle, middle, to_y + 0.01], color=FAINT, linewidth=0.9, solid_capstyle="butt")
    axis.plot(to_x, to_y + 0.012, marker="v", color=FAINT, markersize=4, linestyle="none")


def _frame(axis: Axes, left: float, bottom: float, width: float, height: float) -> None:
    shape = FancyBboxPatch(
        (left, bottom), width, height, boxstyle="round,pad=0,rounding_size=0.015", mutation_aspect=2.6,
        facecolor="#f6f8fa", edgecolor="#c3cad2", linewidth=0.9,
    )  # fmt: skip
    axis.add_patch(shape)


def _name(step: Step) -> str:
    return fill(step.name, LETTERS)


def _side(step: Step) -> float:
    return LINE * (_name(step).count("\n") + 2) + 0.03
