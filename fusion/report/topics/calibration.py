"""Calibration: do 30 of 100 cases given 30% turn out to be events?"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.evaluate import calibration
from fusion.report.blocks import Prose, Section
from fusion.report.figures import cases, diagonal, each_set, panels, shown_by_set, titled
from fusion.report.results import Results
from fusion.report.style import FAINT, line
from fusion.report.topic import Topic
from fusion.report.words import number

READ = (
    "On the grey line, about 30 of 100 cases given 30% are events. Slope 1 and intercept 0 are ideal; a slope below 1 "
    "means too extreme probabilities, an intercept above 0 too low ones."
)


def topic(results: Results) -> Topic:
    """Calibration of every model in every set."""
    blocks = [Prose(READ), *shown_by_set("calibration", "Calibration", results)]
    section = Section("calibration", "Calibration", blocks)
    return Topic(section, plots=each_set("calibration", results, calibrated))


def calibrated(results: Results, set_: str) -> Figure:
    """Observed against predicted in groups of cases, with the logistic recalibration line, one panel a model."""
    note = "Points: groups of cases with 95% Wilson interval. Line: logistic recalibration. Grey: perfect calibration."
    rows = results.rows(set_)
    figure, axes = panels(titled("Calibration", results, set_), note, len(rows), 2.55)
    for axis, name in zip(axes, rows.index, strict=True):
        _panel(axis, *cases(results, name, set_), name)
    return figure


def _panel(axis: Axes, probability: np.ndarray, events: np.ndarray, model: str) -> None:
    table, found = calibration.groups(probability, events), calibration.recalibrate(probability, events)
    colour = line(model).colour
    spread = np.abs(table[["low", "high"]].to_numpy().T - table["observed"].to_numpy())
    axis.errorbar(table["predicted"], table["observed"], spread, fmt="o", color=colour, markersize=4, elinewidth=1)
    if found.reason is None:
        x = np.linspace(max(probability.min(), 1e-6), min(probability.max(), 1 - 1e-6), 100)
        axis.plot(x, found.curve(x), color=colour, linewidth=1.4)
    diagonal(axis, model, "predicted", "observed")
    axis.title.set_fontsize(8)
    text = f"slope {number(found.slope, 2)}\nintercept {number(found.intercept, 2)}"
    axis.text(0.03, 0.97, text, transform=axis.transAxes, va="top", fontsize=7.4, color=FAINT)
