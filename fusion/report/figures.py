"""What the figures of the topics share: titles with their counts, panels, the diagonal, one figure a set."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.evaluate import predictions, threshold
from fusion.report.blocks import Block, Folded, Plot
from fusion.report.results import Results
from fusion.report.style import headed
from fusion.report.words import SETS

WIDTH = 10.4
"""Inches; the page's column."""
COLUMNS = 4


def each_set(kind: str, results: Results, draw: Callable[[Results, str], Figure]) -> dict[str, Callable[[], Figure]]:
    """The plots KIND_SET of a run: ``draw(results, set)`` for every set."""
    return {f"{kind}_{set_}": lambda set_=set_: draw(results, set_) for set_ in results.sets}  # type: ignore[misc]


def shown_by_set(kind: str, what: str, results: Results) -> list[Block]:
    """The plots of ``each_set`` as blocks: the set that counts most in sight, the others folded."""
    plots = [Plot(f"{kind}_{set_}", f"{what}, {SETS[set_]}") for set_ in results.sets]
    return [plots[0], *(Folded(plot.label, [plot]) for plot in plots[1:])]


def titled(what: str, results: Results, set_: str) -> str:
    """A figure's title: what it shows, the set, n, events and the positive class."""
    row = results.rows(set_).iloc[0]
    return (
        f"{what}, {SETS[set_]}: n = {row['n']:.0f}, {row['events']:.0f} {results.run.cohort.positive_name} (positive)"
    )


def rule(results: Results) -> str:
    """How the run found its thresholds."""
    return threshold.describe(results.run.evaluate.threshold)


def cases(results: Results, model: str, set_: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and events of a model in a set."""
    own = predictions.of(results.predictions, model, set_)
    return own["probability"].to_numpy(), own["event"].to_numpy()


def panels(title: str, note: str, count: int, side: float) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` panels in rows of four, each ``side`` inches high."""
    columns = min(COLUMNS, count)
    lines = -(-count // columns)
    figure = headed(title, note, WIDTH * max(columns, 2) / COLUMNS, side * lines + (0.6 if lines > 1 else 1.0))
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axis in axes[count:]:
        axis.set_visible(False)
    return figure, axes[:count]


def diagonal(axis: Axes, title: str, x: str, y: str) -> None:
    """A unit square with its diagonal."""
    axis.axline((0, 0), slope=1, color="#c5cbd3", linewidth=1, zorder=0.5)
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xlabel=x, ylabel=y, title=title)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])


def fullest(models: list[str]) -> list[str]:
    """The last model of each family in Table 1's order: what Shen 2026, Fig. 6 compares.

    >>> fullest(["Tumor_RAD", "Tumor+External2_RAD", "Clinical", "Combined"])
    ['Tumor+External2_RAD', 'Clinical', 'Combined']
    """
    return list({model.rpartition("_")[2]: model for model in models}.values())
