"""The figure of a sweep: the AUC of every cell with its interval, as typed, and what the choice is worth above them."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.report.figures import WIDTH
from fusion.report.style import FAINT, INK, headed
from fusion.report.sweep.chosen import positive, times
from fusion.report.sweep.read import Swept
from fusion.report.sweep.words import cut, short, values
from fusion.report.words import SETS, interval, number, percent

CHOSEN, HONEST = "#17529b", "#b35806"
MANY = 30
"""Cells beyond which lines stand closer."""


def drawn(swept: Swept) -> Figure:
    """One line a cell of the choosing model in the set that counts most; chosen ones filled."""
    set_ = swept.sets[0]
    rows = swept.of_choice[swept.of_choice["set"] == set_].reset_index(drop=True)
    honest = swept.worth
    level = percent(swept.done[0].run.evaluate.confidence)
    title = f"AUC of {swept.by} in every cell, {SETS[set_]}: {_counts(rows, swept)}"
    note = f"Bars: {level} interval. Filled: chosen in the inner loop in one round or more. Dotted: chance." + (
        "" if honest is None else " Diamond: what the choice is worth, on the same cases."
    )
    lines = len(rows) + (honest is not None)
    figure = headed(title, note, 0.86 * WIDTH, 1.5 + (0.19 if lines > MANY else 0.26) * lines)
    axis = figure.subplots()
    labels = []
    if honest is not None:
        _line(axis, 0, honest, HONEST, "D", True)
        labels.append("the choice")
    names, often = short(swept.fields), times(swept)
    own = {cell.name: cell for cell in swept.done}
    for _, row in rows.iterrows():
        chosen = bool(often[row["cell"]])
        _line(axis, len(labels), row, CHOSEN if chosen else FAINT, "o", chosen)
        labels.append(f"{row['cell']}  {cut(values(own[row['cell']].values, names))}")
    _scale(axis, labels)
    return figure


def _counts(rows: pd.DataFrame, swept: Swept) -> str:
    if len(rows[["n", "events"]].drop_duplicates()) > 1:
        return "cells over different cases"
    events = rows["events"].iloc[0]
    return f"n = {rows['n'].iloc[0]}" + ("" if pd.isna(events) else f", {events} {positive(swept)} (positive)")


def _line(axis: Axes, place: int, row: pd.Series, colour: str, marker: str, filled: bool) -> None:
    axis.plot([row["auc_low"], row["auc_high"]], [place, place], color=colour, linewidth=1.4)
    axis.plot(
        row["auc"], place, marker, color=colour, markersize=5, markerfacecolor=colour if filled else "white"
    )  # fmt: skip
    text = f"{number(row['auc'])}  ({interval(row['auc_low'], row['auc_high'])})"
    axis.text(1.015, place, text, transform=axis.get_yaxis_transform(), va="center", fontsize=7.6,
              color=INK if filled else FAINT)  # fmt: skip


def _scale(axis: Axes, labels: list[str]) -> None:
    axis.axvline(0.5, color=FAINT, linewidth=1, linestyle=":")
    axis.set_yticks(range(len(labels)), labels, color=INK)
    axis.set(ylim=(len(labels) - 0.4, -0.6), xlabel="AUC")
    axis.grid(axis="y", visible=False)
