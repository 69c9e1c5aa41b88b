"""A forest plot: odds ratios with intervals on a log axis, one panel a model, the numbers beside them."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from fusion.report.figures import WIDTH
from fusion.report.style import FAINT, INK, NEGATIVE, POSITIVE, headed
from fusion.report.words import UNKNOWN, p_value

WIDEST = 100.0
"""Intervals are drawn from 1/100 to 100 at most; an arrow says that one goes on."""


def forest(title: str, note: str, rows: pd.DataFrame, panels: Mapping[str, pd.DataFrame]) -> Figure:
    """One line a term, in the order of ``rows``; a term that a panel lacks is said not to have entered.

    Args:
        title: of the figure.
        note: at its foot.
        rows: columns variable, level, reference, n, events.
        panels: by title, tables with variable, level, or, low, high, p.
    """
    figure = headed(title, note, WIDTH, 0.24 * len(rows) + 1.5)
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    reach = _reach(panels.values())
    names = list(zip(rows["variable"], rows["level"], strict=True))
    for axis, (head, table) in zip(axes, panels.items(), strict=True):
        known = table.set_index(["variable", "level"])
        for place, name in enumerate(names):
            _line(axis, place, known.loc[name] if name in known.index else None)
        _scale(axis, head, reach)
    axes[0].set_yticks(range(len(names)), [called(row) for _, row in rows.iterrows()], color=INK)
    axes[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def called(row: "pd.Series") -> str:
    """A term with its counts, as it is named beside the plot."""
    against = f"{row['level']} vs {row['reference']}" if row["reference"] else row["level"]
    return f"{row['variable']}: {against}, n = {row['n']} ({row['events']})"


def ratio(value: float) -> str:
    """An odds ratio in print: two decimals, more below 0.1, none from 100 on.

    >>> ratio(9.7222), ratio(0.00901), ratio(384.53)
    ('9.72', '0.009', '385')
    """
    if np.isnan(value):
        return UNKNOWN
    if np.isinf(value):
        return "∞"
    if value < 0.0005:
        return "<0.001"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def spanned(row: "pd.Series") -> str:
    """An odds ratio with its interval; an en dash where there is none."""
    if np.isnan(row["or"]):
        return UNKNOWN
    return f"{ratio(row['or'])} ({ratio(row['low'])}–{ratio(row['high'])})"


def _line(axis: Axes, place: int, row: "pd.Series | None") -> None:
    text = "not entered" if row is None else f"{spanned(row)}   P {p_value(row['p'])}"
    text = "no estimate" if row is not None and np.isnan(row["or"]) else text
    drawn = row is not None and not np.isnan(row["or"])
    axis.text(1.02, place, text, transform=axis.get_yaxis_transform(), va="center", fontsize=7.6,
              color=INK if drawn else FAINT)  # fmt: skip
    if row is None or not drawn:
        return
    low, middle, high = np.clip([row["low"], row["or"], row["high"]], 1 / WIDEST, WIDEST)
    colour = FAINT if row["low"] <= 1 <= row["high"] else POSITIVE if row["or"] > 1 else NEGATIVE
    axis.plot([low, high], [place, place], color=colour, linewidth=1.3)
    axis.plot([middle], [place], marker="s", markersize=4.5, color=colour)
    for end, given, arrow in ((low, row["low"], "<"), (high, row["high"], ">")):
        if not 1 / WIDEST <= given <= WIDEST:
            axis.plot([end], [place], marker=arrow, markersize=4.5, color=colour)


def _scale(axis: Axes, head: str, reach: float) -> None:
    ticks = (0.25, 0.5, 1, 2, 4) if reach < 8 else (0.01, 0.1, 1, 10, 100)
    axis.axvline(1, color=FAINT, linewidth=1)
    axis.set(xscale="log", xlim=(1 / reach, reach), title=head, xlabel="odds ratio (log scale)")
    axis.set_xticks([tick for tick in ticks if 1 / reach <= tick <= reach])
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.grid(axis="y", visible=False)


def _reach(tables: Iterable[pd.DataFrame]) -> float:
    """How far from 1 the widest interval goes, as a factor: the half axis that all panels share."""
    ends = np.concatenate([table[["low", "high"]].to_numpy(float).ravel() for table in tables])
    logs = np.abs(np.log(ends[np.isfinite(ends) & (ends > 0)]))
    return float(np.exp(min(logs.max(initial=np.log(2)), np.log(WIDEST)))) * 1.15
