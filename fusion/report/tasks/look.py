"""How views are drawn, the same in every figure of a task run, and its figures set by set."""

from collections.abc import Callable

from matplotlib.figure import Figure

from fusion.config.run import Run
from fusion.report.blocks import Block, Folded, Plot
from fusion.report.style import Line
from fusion.report.tasks.results import TaskResults
from fusion.report.words import SETS

HUES = ("#17529b", "#cc6c0c", "#158f7f", "#a0559b", "#8a6d00", "#5aa2dc")
"""Blue, orange, teal, purple, olive, light blue: apart for every kind of colour vision; dashes part those after."""
DASHES: tuple[str | tuple[float, tuple[float, ...]], ...] = ("solid", (0.0, (5.0, 1.6)), (0.0, (2.0, 1.2)))
BESIDE = {
    "RAD": Line("#7a4a21", (0.0, (1.2, 1.2)), 1.7), "RAD+DL": Line("#444c55", (0.0, (7.0, 1.6, 1.4, 1.6)), 1.7),
    "Clinical": Line("#c2185b", (0.0, (1.2, 1.2)), 1.9), "Combined": Line("#111111", (0.0, (5.0, 1.6)), 2.0),
}  # fmt: skip


def line(view: str, run: Run) -> Line:
    """The view's line: a hue a sequence, black for several together."""
    if view in BESIDE:
        return BESIDE[view]
    if view not in run.used_sequences:
        return Line("#111111", "solid", 2.1)
    place = run.used_sequences.index(view)
    return Line(HUES[place % len(HUES)], DASHES[place // len(HUES) % len(DASHES)], 1.6)


def hue(place: int) -> str:
    """The colour of the class at a place of a task."""
    return HUES[place % len(HUES)]


def each_set(
    kind: str, results: TaskResults, draw: Callable[[TaskResults, str], Figure]
) -> dict[str, Callable[[], Figure]]:
    """The plots KIND_SET of a run: ``draw(results, set)`` for every set."""
    return {f"{kind}_{set_}": lambda set_=set_: draw(results, set_) for set_ in results.sets}  # type: ignore[misc]


def shown_by_set(kind: str, what: str, results: TaskResults) -> list[Block]:
    """The plots of ``each_set`` as blocks: the set that counts most in sight, the others folded."""
    plots = [Plot(f"{kind}_{set_}", f"{what}, {SETS[set_]}") for set_ in results.sets]
    return [plots[0], *(Folded(plot.label, [plot]) for plot in plots[1:])]
