"""The figure of the rounds: a model's AUC in each with its interval, and over all of them."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.config.split import Repeated
from fusion.evaluate.rounds import MEAN
from fusion.report.figures import WIDTH
from fusion.report.rounds.read import RoundResults
from fusion.report.style import FAINT, INK, headed
from fusion.report.words import interval, number, percent

ROUND, ALL = "#3a7dc4", "#b35806"


def forest(results: RoundResults, model: str) -> Figure:
    """One line a round, the whole below them."""
    each, whole = results.of(model), results.row(model)
    level = percent(results.run.evaluate.confidence)
    events = "" if pd.isna(whole["events"]) else f", {int(whole['events'])} {_positive(results, model)} (positive)"
    repeated = isinstance(results.split, Repeated)
    note = f"Bars: {level} interval. Dotted: chance. Diamond: " + (
        "the mean of the repeats, with the interval that patients give it."
        if repeated
        else "the cases of all rounds together. Thin line: the mean of the rounds' own AUCs."
    )
    title = f"AUC of {model} in every round: n = {int(whole['n'])}{events}"
    figure = headed(title, note, 0.8 * WIDTH, 1.45 + 0.25 * (len(each) + 1))
    axis = figure.subplots()
    for place, (_, row) in enumerate(each.iterrows()):
        _line(axis, float(place), row, ROUND, "o")
    _line(axis, len(each) + 0.3, whole, ALL, "D")
    if not repeated:
        axis.axvline(whole[MEAN], color=ALL, linewidth=0.8)
    _scale(axis, [_called(str(name), row) for name, row in each.iterrows()])
    return figure


def _line(axis: Axes, place: float, row: "pd.Series[Any]", colour: str, marker: str) -> None:
    axis.plot([row["auc_low"], row["auc_high"]], [place, place], color=colour, linewidth=1.4)
    axis.plot([row["auc"]], [place], marker, color=colour, markersize=5)
    text = f"{number(row['auc'])}  ({interval(row['auc_low'], row['auc_high'])})"
    axis.text(1.015, place, text, transform=axis.get_yaxis_transform(), va="center", fontsize=7.6, color=INK)


def _scale(axis: Axes, names: list[str]) -> None:
    axis.axvline(0.5, color=FAINT, linewidth=1, linestyle=":")
    axis.set_yticks([*range(len(names)), len(names) + 0.3], [*names, "all rounds"], color=INK)
    axis.set(ylim=(len(names) + 0.9, -0.6), xlabel="AUC")
    axis.grid(axis="y", visible=False)


def _called(name: str, row: "pd.Series[Any]") -> str:
    return f"{name}, n = {int(row['n'])}" + ("" if pd.isna(row["events"]) else f" ({int(row['events'])})")


def _positive(results: RoundResults, model: str) -> str:
    tasks = results.run.used_tasks
    return str(tasks[model.partition("/")[0]].positive) if tasks else results.run.cohort.positive_name
