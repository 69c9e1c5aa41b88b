"""Confusion matrices: what each model would have called."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from fusion.evaluate import threshold
from fusion.report.blocks import Prose, Section
from fusion.report.figures import cases, each_set, panels, rule, shown_by_set, titled
from fusion.report.results import Results
from fusion.report.style import FAINT, INK
from fusion.report.topic import Topic
from fusion.report.words import number

READ = "What each model would have called, at a threshold found in training predictions alone."
CELLS = LinearSegmentedColormap.from_list("cells", ["#f7f9fb", "#7fb0dc"])


def topic(results: Results) -> Topic:
    """Confusion matrices of every model in every set."""
    blocks = [Prose(READ), *shown_by_set("confusion", "Confusion matrices", results)]
    section = Section("confusion", "Confusion matrices", blocks, "Confusion")
    return Topic(section, plots=each_set("confusion", results, confused))


def confused(results: Results, set_: str) -> Figure:
    """Counts of truth (rows) against call (columns) at the model's threshold, one matrix a model."""
    note = f"Rows: truth. Columns: call. Colour: share of the row. Threshold: {rule(results)}."
    rows = results.rows(set_)
    figure, axes = panels(titled("Confusion matrices", results, set_), note, len(rows), 2.3)
    cohort = results.run.cohort
    for axis, (name, cut) in zip(axes, rows["threshold"].items(), strict=True):
        counts = threshold.confusion(*cases(results, str(name), set_), cut)
        _matrix(axis, counts, [cohort.positive_name, cohort.negative_name])
        axis.set_title(f"{name}\n", fontsize=8)
        axis.text(0, 1.04, f"accuracy {number(counts.accuracy)}, threshold {number(cut)}",
                  transform=axis.transAxes, fontsize=7.4, color=FAINT)  # fmt: skip
    return figure


def _matrix(axis: Axes, counts: threshold.Confusion, names: list[str]) -> None:
    cells = np.array([[counts.tp, counts.fn], [counts.fp, counts.tn]])
    shares = cells / cells.sum(axis=1, keepdims=True)
    axis.pcolormesh(shares, cmap=CELLS, vmin=0, vmax=1, edgecolors="white", linewidth=3)
    axis.invert_yaxis()
    for (row, column), count in np.ndenumerate(cells):
        axis.text(column + 0.5, row + 0.44, str(count), ha="center", va="center", fontsize=13, color=INK)
        axis.text(column + 0.5, row + 0.74, f"{100 * shares[row, column]:.0f}%", ha="center", va="center",
                  fontsize=7.4, color="#3c4652")  # fmt: skip
    names = [fill(name, 11) for name in names]
    axis.set_xticks([0.5, 1.5], names)
    axis.set_yticks([0.5, 1.5], names, rotation=90, va="center", ma="center")
    axis.tick_params(labelsize=7.6)
    axis.grid(visible=False)
    for side in axis.spines.values():
        side.set_visible(False)
