"""Calibration: do 30 of 100 tumours given 30% turn out to be of the class?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.evaluate.calibration import groups
from fusion.evaluate.judged import Judged
from fusion.report.blocks import Block, Folded, Prose, Rows, Section
from fusion.report.figures import diagonal, panels
from fusion.report.style import FAINT
from fusion.report.tasks.look import each_set, hue, line, shown_by_set
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import brief, marked
from fusion.report.topic import Topic
from fusion.report.words import SETS, UNKNOWN, number, percent

READ = (
    "On the grey line, about 30 of 100 tumours given 30% are of the class. Slope 1 and intercept 0 are ideal (two "
    "classes only); a slope below 1 means too extreme probabilities. The Brier score is 0 at best. The temperature "
    "divides a network's scores before they become probabilities, median over the fits: above 1, the network was too "
    "sure of itself."
)


def topic(results: TaskResults) -> Topic:
    """Reliability of each task's best sequence, and every model's measures."""
    table = calibrations(results)
    blocks: list[Block] = [Prose(READ), *shown_by_set("calibration", "Calibration by class", results)]
    for task in results.tasks:
        for set_ in results.sets_of(task):
            own = table[(table["task"] == task) & (table["set"] == set_)]
            blocks.append(Folded(f"{task} in numbers, {SETS[set_]}", [_rows(results, own)]))
    plots = each_set("calibration", results, reliabilities)
    return Topic(Section("calibration", "Calibration", blocks), {"calibration": table}, plots)


def calibrations(results: TaskResults) -> pd.DataFrame:
    """A row a task, view and set: Brier score, slope, intercept (two classes), the networks' median temperature."""
    kept = _temperatures(results)
    rows = []
    for task in results.tasks:
        for set_ in results.sets_of(task):
            for view, row in results.rows(task, set_).iterrows():
                rows.append(
                    {"task": task, "view": view, "set": set_, "n": int(row["n"]), "brier": row["brier"],
                     "slope": row["calibration_slope"], "intercept": row["calibration_intercept"],
                     "temperature": kept.get(f"{task}/{view}", float("nan"))}
                )  # fmt: skip
    return pd.DataFrame(rows)


def reliabilities(results: TaskResults, set_: str) -> Figure:
    """Observed against predicted share: a panel a task, or a class where a task has more than two."""
    drawn: list[tuple[str, Judged, int, str]] = []
    for task, own in results.tasks.items():
        if set_ not in results.sets_of(task):
            continue
        view = results.best(task, set_)
        judged = results.judged(task, view, set_)
        for place in [1] if own.positive else range(len(own.names)):
            colour = line(view, results.run).colour if own.positive else hue(place)
            drawn.append((f"{brief(task)}, {brief(view, 12)}", judged, place, colour))
    level = percent(results.run.evaluate.confidence)
    n = ", ".join(dict.fromkeys(str(len(judged.label)) for _, judged, _, _ in drawn))
    note = (
        f"The sequence that ranks best in each task. Points: groups of tumours by predicted probability with {level} "
        "Wilson interval. Grey: perfect calibration. The class named over a panel is its positive one."
    )
    title = f"Calibration, {SETS[set_]}: n = {n} tumours"
    figure, axes = panels(title, note, len(drawn), 2.75)
    for axis, (name, judged, place, colour) in zip(axes, drawn, strict=True):
        _panel(axis, name, judged, place, colour, results.run.evaluate.confidence)
    return figure


def _panel(axis: Axes, name: str, judged: Judged, place: int, colour: str, confidence: float) -> None:
    probability, events = judged.probability[:, place], (judged.label == place).astype(int)
    table = groups(probability, events, confidence=confidence)
    spread = np.abs(table[["low", "high"]].to_numpy().T - table["observed"].to_numpy())
    axis.errorbar(table["predicted"], table["observed"], spread, fmt="o-", color=colour, markersize=3.6,
                  elinewidth=0.8, linewidth=0.7)  # fmt: skip
    diagonal(axis, "", "predicted", "observed")
    axis.set_title(f"{name}\n", fontsize=7.8)
    text = f"{brief(judged.names[place], 20)}: {events.sum()} of {len(events)}"
    axis.text(0, 1.04, text, transform=axis.transAxes, fontsize=7.4, color=FAINT)


def _temperatures(results: TaskResults) -> dict[str, float]:
    """The median of one over the factor by model; none where the run has no such file."""
    path = results.folder / "calibration.csv"
    if not path.is_file():
        return {}
    table = pd.read_csv(path, dtype={"model": str, "fold": str, "class": str})
    once = table.drop_duplicates(["model", "fold"])
    return {str(model): float(np.median(1 / own["factor"])) for model, own in once.groupby("model")}


def _rows(results: TaskResults, own: pd.DataFrame) -> Rows:
    """The measures as printed; a column that nothing fills is left out."""
    heads = {"brier": "Brier", "slope": "Slope", "intercept": "Intercept", "temperature": "Temperature"}
    rows = [
        {"Model": marked(row["view"], results), "n": str(row["n"]),
         **{head: number(row[name], 3 if name == "brier" else 2) for name, head in heads.items()}}
        for row in own.to_dict("records")
    ]  # fmt: skip
    words = pd.DataFrame(rows)
    return Rows.of(words.drop(columns=[head for head in heads.values() if (words[head] == UNKNOWN).all()]))
