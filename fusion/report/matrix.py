"""Truth against call: four counts as a panel of a figure."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from fusion.evaluate.threshold import Confusion
from fusion.report.style import INK

CELLS = LinearSegmentedColormap.from_list("cells", ["#f7f9fb", "#7fb0dc"])


def matrix(axis: Axes, counts: Confusion, names: list[str]) -> None:
    """Counts of truth (rows) against call (columns), the positive class first; the colour is the share of the row."""
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
