"""Confusion matrices: what the best sequence of each task, and all sequences together, would have called."""

from collections.abc import Callable
from functools import partial
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.evaluate import tasks
from fusion.evaluate.judged import Judged
from fusion.report.blocks import Block, Folded, Plot, Prose, Section
from fusion.report.figures import WIDTH
from fusion.report.matrix import CELLS
from fusion.report.style import FAINT, INK, headed
from fusion.report.tasks.call import rule
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import brief
from fusion.report.topic import Topic
from fusion.report.words import SETS, number


def topic(results: TaskResults) -> Topic:
    """Truth against call of each task's best sequence and fused network; tables/confusion.csv has all models."""
    run = results.run
    table = tasks.confusions(results.predictions, results.cohort, run.used_tasks, run.evaluate)
    plots: dict[str, Callable[[], Figure]] = {}
    shown: dict[str, list[Plot]] = {}
    for set_ in results.sets:
        for name, many in (("confusion", False), ("confusion_classes", True)):
            if own := _picked(results, set_, many):
                plots[f"{name}_{set_}"] = partial(drawn, results, own, set_)
                kind = "more than two classes" if many else "two classes"
                shown.setdefault(set_, []).append(Plot(f"{name}_{set_}", f"Confusion matrices, {kind}, {SETS[set_]}"))
    blocks: list[Block] = [*(Prose(text, faint=False) for text in _found(results)), *shown[results.sets[0]]]
    blocks += [Folded(f"Confusion matrices, {SETS[set_]}", shown[set_]) for set_ in results.sets[1:] if set_ in shown]
    return Topic(Section("confusion", "Confusion matrices", blocks, "Confusion"), {"confusion": table}, plots)


def drawn(results: TaskResults, judged: list[Judged], set_: str) -> Figure:
    """A matrix a model, rows the truth, columns the call; the colour is the share of the row."""
    most = max(len(own.names) for own in judged)
    n = ", ".join(dict.fromkeys(str(len(own.label)) for own in judged))
    note = f"Rows: truth. Columns: call. Colour: share of the row. {rule(results)[0].upper()}{rule(results)[1:]}."
    title = f"Confusion matrices, {SETS[set_]}: n = {n} tumours"
    columns = min(len(judged), 4 if most == 2 else 2)
    lines, side = -(-len(judged) // columns), 2.35 if most == 2 else 0.72 * most
    wide = WIDTH * max(columns, 2) / 4 if most == 2 else min(WIDTH, (side + 0.9) * max(columns, 1.5))
    figure = headed(title, note, wide, side * lines + 1.0)
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axis in axes[len(judged) :]:
        axis.set_visible(False)
    for axis, own in zip(axes, judged, strict=False):
        _matrix(axis, own.counts()[0], _names(own))
        axis.set_title(f"{brief(own.task)}/{brief(own.view, 12)}\n", fontsize=8)
        accuracy = f"n = {len(own.label)}, accuracy {number(float((own.label == own.call).mean()))}"
        axis.annotate(accuracy, (0, 1), (0, 5), "axes fraction", "offset points", fontsize=7.2, color=FAINT)
    return figure


def _picked(results: TaskResults, set_: str, many: bool) -> list[Judged]:
    """The best sequence and the fused network of each task with two classes, or with more."""
    found = []
    for task, own in results.tasks.items():
        if set_ in results.sets_of(task) and (own.positive is None) == many:
            views = dict.fromkeys((results.best(task, set_), results.joined(task, set_)))
            found += [results.judged(task, view, set_) for view in views if view is not None]
    return found


def _names(own: Judged) -> list[str]:
    names = [brief(name, 16) for name in own.names]
    return [names[0], f"{names[1]} (positive)"] if own.binary else names


def _matrix(axis: Axes, cells: np.ndarray, names: list[str]) -> None:
    totals = cells.sum(axis=1, keepdims=True)
    shares = np.divide(cells, totals, out=np.zeros_like(cells), where=totals > 0)
    axis.pcolormesh(shares, cmap=CELLS, vmin=0, vmax=1, edgecolors="white", linewidth=3)
    axis.invert_yaxis()
    for (row, column), count in np.ndenumerate(cells):
        axis.text(column + 0.5, row + 0.42, f"{count:.0f}", ha="center", va="center", fontsize=12, color=INK)
        axis.text(column + 0.5, row + 0.76, f"{100 * shares[row, column]:.0f}%", ha="center", va="center",
                  fontsize=7, color="#3c4652")  # fmt: skip
    places, words = np.arange(len(names)) + 0.5, [fill(name, 11) for name in names]
    axis.set_xticks(places, words, ma="center")
    axis.set_yticks(places, words, rotation=90, va="center", ma="center")
    axis.tick_params(labelsize=7.2)
    axis.grid(visible=False)
    for side in axis.spines.values():
        side.set_visible(False)


def _found(results: TaskResults) -> list[str]:
    """Which class each task's best sequence misses most often."""
    told = []
    for task in results.tasks:
        set_ = results.sets_of(task)[0]
        own = results.judged(task, results.best(task, set_), set_)
        whole = own.counts()[0].sum(axis=1)
        wrong = whole - np.diag(own.counts()[0])
        worst = int(np.divide(wrong, whole, out=np.zeros(len(whole)), where=whole > 0).argmax())
        told.append(
            f"{own.model} misses {own.names[worst]} most often: {wrong[worst]:.0f} of {whole[worst]:.0f} tumours."
        )
    return [" ".join(told)]
