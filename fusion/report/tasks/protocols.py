"""The honest protocol beside the paper's: what splitting images after rotation adds on the same data."""

from typing import cast

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.report.blocks import Block, Folded, Plot, Prose, Rows, Section, Terms
from fusion.report.figures import WIDTH
from fusion.report.style import FAINT, headed
from fusion.report.tasks.inflation import inflation
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import brief, classes, ranges
from fusion.report.topic import Topic
from fusion.report.words import SETS, interval, number, percent

HONEST, LITERAL = "#17529b", "#cc6c0c"


def topic(results: TaskResults) -> Topic | None:
    """Accuracy and AUC by both protocols; None where the leaking one did not run."""
    table = inflation(results)
    if table is None or table.empty:
        return None
    blocks: list[Block] = [
        Prose(_found(table), faint=False),
        Terms([("Honest", _honest(results)), ("Paper-literal", _literal(results))]),
        Plot("protocols", "Accuracy by the honest protocol and by the leaking one, by task and sequence"),
        *(block for task in results.tasks for block in _task(results, table, task)),
    ]
    section = Section("protocols", "Honest and paper-literal", blocks, "Protocols")
    return Topic(section, {"protocols": table}, {"protocols": lambda: dumbbells(results, table)})


def dumbbells(results: TaskResults, table: pd.DataFrame) -> Figure:
    """A panel a task, a line a sequence from the honest accuracy to the leaking one; a tick at the majority's."""
    accuracy = table[table["measure"] == "accuracy"]
    tasks = [task for task in results.tasks if (accuracy["task"] == task).any()]
    columns, most = min(2, len(tasks)), max((accuracy["task"] == task).sum() for task in tasks)
    lines = -(-len(tasks) // columns)
    n = ranges(pd.concat([results.rows(task, results.sets_of(task)[0])["cases"] for task in tasks]))
    images = ranges(results.literal_metrics["n"]) if results.literal_metrics is not None else ""
    title = f"Accuracy, honest (n = {n} tumours) and paper-literal (n = {images} rotated images)"
    level = percent(results.run.evaluate.confidence)
    note = (
        f"Blue: honest, {SETS[results.sets[0]]}. Orange: paper-literal, images of tumours whose other rotations train. "
        f"Thin: {level} interval by patient. Grey tick: always calling the most frequent class of the honest cases. "
        "The distance is inflation, not performance."
    )
    figure = headed(title, note, WIDTH * max(columns, 1.4) / 2, lines * (0.7 + 0.27 * most) + 0.9)
    axes = list(figure.subplots(lines, columns, squeeze=False, sharex=True).flat)
    low = max(0.0, float(accuracy[["honest_low", "literal_low", "chance"]].min().min()) - 0.05)
    for axis, task in zip(axes, tasks, strict=False):
        _panel(axis, accuracy[accuracy["task"] == task], f"{brief(task, 24)} ({classes(results.tasks[task], 14)})")
        axis.set_xlim(low, 1.01)
    for axis in axes[len(tasks) :]:
        axis.set_visible(False)
    return figure


def _panel(axis: Axes, own: pd.DataFrame, title: str) -> None:
    for place, row in enumerate(own.to_dict("records")):
        axis.plot([row["honest"], row["literal"]], [place, place], color="#c5cbd3", linewidth=3.5, zorder=1)
        for name, colour, shift in (("honest", HONEST, -0.14), ("literal", LITERAL, 0.14)):
            ends = [row[f"{name}_low"], row[f"{name}_high"]]
            axis.plot(ends, [place + shift] * 2, color=colour, linewidth=0.9, alpha=0.75, zorder=2)
            axis.plot(row[name], place, "o", color=colour, markersize=6, zorder=3)
        axis.plot([row["chance"]] * 2, [place - 0.36, place + 0.36], color=FAINT, linewidth=1.6, zorder=2.5)
    axis.set_yticks(range(len(own)), [brief(view, 14) for view in own["view"]])
    axis.set_ylim(len(own) - 0.4, -0.6)
    axis.grid(visible=False, axis="y")
    axis.set_title(title, fontsize=8)
    axis.set_xlabel("accuracy")


def _task(results: TaskResults, table: pd.DataFrame, task: str) -> list[Block]:
    own = table[table["task"] == task]
    if own.empty:
        return []
    images, wide = results.literal_rows(task), {name: part.set_index("view") for name, part in own.groupby("measure")}
    rows = []
    for view in dict.fromkeys(own["view"]):
        cells = {"Model": view, "Images (tumours)": f"{images['n'][view]:.0f} ({images['cases'][view]:.0f})"}
        for measure, head in (("accuracy", "Accuracy"), ("f1", "F1"), ("auc", "AUC")):
            row = cast("pd.Series[float]", wide[measure].loc[view])
            cells |= {f"{head}, honest": number(row["honest"]), f"{head}, literal": number(row["literal"]),
                      f"{head}, difference": _signed(row["difference"])}  # fmt: skip
        rows.append(cells | {"Majority": number(wide["accuracy"]["chance"][view])})
    title = f"{task} ({classes(results.tasks[task])}): both protocols in numbers"
    note = f"Intervals are in tables/protocols.csv. {_spans(own)}"
    return [Folded(title, [Rows.of(pd.DataFrame(rows), note=note)])]


def _spans(own: pd.DataFrame) -> str:
    row = own[own["measure"] == "accuracy"].sort_values("difference").iloc[-1]
    honest, literal = interval(row["honest_low"], row["honest_high"]), interval(row["literal_low"], row["literal_high"])
    return (
        f"The largest difference in accuracy is {row['view']}'s: {number(row['honest'])} ({honest}) honest, "
        f"{number(row['literal'])} ({literal}) literal."
    )


def _signed(value: float) -> str:
    return f"{'+' if value >= 0.0005 else ''}{number(value)}"


def _found(table: pd.DataFrame) -> str:
    own = {str(name): part for name, part in table.groupby("measure")}
    parts = [
        f"{head} {number(own[name]['honest'].mean())} honest, {number(own[name]['literal'].mean())} paper-literal "
        f"({_signed(own[name]['difference'].mean())})"
        for name, head in (("accuracy", "accuracy"), ("auc", "AUC"))
    ]
    models = len(own["accuracy"])
    higher = int((own["accuracy"]["difference"] > 0).sum())
    return (
        f"Means over {models} models trained both ways on the same tumours: {'; '.join(parts)}. The paper's protocol "
        f"reports a higher accuracy in {higher} of {models}. The difference is inflation, not performance."
    )


def _honest(results: TaskResults) -> str:
    network = results.run.network
    changed = (
        "only training images are changed, anew in every epoch" if network and network.augment else "none is changed"
    )
    return (
        f"patients are split first; {changed}; every tumour is judged once, as it is, by networks that saw no image of "
        "its patient"
    )


def _literal(results: TaskResults) -> str:
    literal = results.run.literal
    assert literal is not None
    images = pd.concat([results.literal_rows(task) for task in results.tasks])
    low, high, step = literal.angles
    made = [sum(task.images.values()) for task in results.tasks.values() if task.images]
    count = f"{ranges(pd.Series(made))} rotated images a task" if made else f"{literal.copies} rotated images a tumour"
    return (
        f"every slice is rotated first ({count}, {low:g} to {high:g} degrees in steps of {step:g}), then "
        f"{literal.share:.0%} of the images are drawn at random to judge ({ranges(images['n'])} images of "
        f"{ranges(images['cases'])} tumours), so that images of the same tumour lie on both sides"
    )
