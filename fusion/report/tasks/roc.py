"""ROC curves: how well each sequence ranks tumours, task by task."""

from typing import cast

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from fusion.evaluate.judged import Judged
from fusion.report.blocks import Prose, Section
from fusion.report.figures import WIDTH, diagonal
from fusion.report.style import headed
from fusion.report.tasks.call import rule
from fusion.report.tasks.class_rows import of_model
from fusion.report.tasks.look import each_set, hue, line, shown_by_set
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import brief, ranges
from fusion.report.topic import Topic
from fusion.report.words import SETS, interval, number, percent

READ = (
    "Further towards the upper left is better; the diagonal is chance. Two classes: a curve a model. More: each class "
    "against the rest, by the sequence that ranks best."
)


def topic(results: TaskResults) -> Topic:
    """ROC curves of every task in every set."""
    blocks = [Prose(READ), *shown_by_set("roc", "ROC curves by task", results)]
    return Topic(Section("roc", "ROC curves", blocks, "ROC"), plots=each_set("roc", results, curves))


def curves(results: TaskResults, set_: str) -> Figure:
    """A panel a task."""
    tasks = [task for task in results.tasks if set_ in results.sets_of(task)]
    columns = min(2, len(tasks))
    lines = -(-len(tasks) // columns)
    n = ranges(results.metrics.loc[results.metrics["set"] == set_, "cases"])
    level = percent(results.run.evaluate.confidence)
    note = f"Legend: AUC ({level} bootstrap interval by patient). Dot: the call, by the rule for {rule(results)}."
    figure = headed(f"ROC curves, {SETS[set_]}: n = {n} tumours", note, WIDTH * columns / 2, 3.0 * lines + 0.7)
    axes = figure.subplots(lines, 2 * columns, squeeze=False, width_ratios=[1, 1.05] * columns).reshape(-1, 2)
    for (axis, beside), task in zip(axes, tasks, strict=False):
        _of_two(axis, results, task, set_) if results.tasks[task].positive else _of_more(axis, results, task, set_)
        beside.legend(*axis.get_legend_handles_labels(), loc="center left", fontsize=7.2, handlelength=2)
    for axis in [*axes[: len(tasks), 1], *axes[len(tasks) :].flat]:
        axis.set_axis_off()
    return figure


def _of_two(axis: Axes, results: TaskResults, task: str, set_: str) -> None:
    rows, own = results.rows(task, set_), results.tasks[task]
    for view, row in rows.iterrows():
        judged, style = results.judged(task, str(view), set_), line(str(view), results.run)
        x, y, _ = roc_curve(judged.label == 1, judged.probability[:, 1])
        label = f"{brief(str(view), 16)}: {number(row['auc'])} ({interval(row['auc_low'], row['auc_high'])})"
        axis.plot(x, y, color=style.colour, linestyle=style.dash, linewidth=style.width, label=label)
        axis.plot(*_call(judged, 1), "o", color=style.colour, markersize=4, zorder=4)
    events = ranges(rows["events"])
    title = f"{brief(task, 30)}\n{events} {brief(str(own.positive), 14)} (positive) against {brief(own.names[0], 14)}"
    diagonal(axis, title, "1 − specificity", "sensitivity")
    axis.title.set_fontsize(8)


def _of_more(axis: Axes, results: TaskResults, task: str, set_: str) -> None:
    view = results.best(task, set_)
    judged, table = results.judged(task, view, set_), of_model(results, task, view, set_)
    for place, name in enumerate(judged.names):
        row = cast("pd.Series[float]", table.loc[name])
        if not 0 < row["n"] < len(judged.label):
            continue
        x, y, _ = roc_curve(judged.label == place, judged.probability[:, place])
        label = (
            f"{brief(name, 16)}, n = {row['n']:.0f}: {number(row['auc'])} ({interval(row['auc_low'], row['auc_high'])})"
        )
        axis.plot(x, y, color=hue(place), linewidth=1.6, label=label)
        axis.plot(*_call(judged, place), "o", color=hue(place), markersize=4, zorder=4)
    diagonal(
        axis,
        f"{brief(task, 24)}, {brief(view, 14)}\neach class (positive) against the rest",
        "1 − specificity",
        "sensitivity",
    )
    axis.title.set_fontsize(8)


def _call(judged: Judged, place: int) -> tuple[float, float]:
    """1 - specificity and sensitivity of the calls of one class."""
    own, called = judged.label == place, judged.call == place
    return float(called[~own].mean()), float(called[own].mean())
