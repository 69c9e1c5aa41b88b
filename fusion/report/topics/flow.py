"""From the cohort to its sets and folds, in counts."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from fusion.report.blocks import Block, Folded, Plot, Prose, Rows, Section
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import FAINT, INK, headed
from fusion.report.topic import Topic
from fusion.report.words import SETS, share

NAMES = ("train", "test", "external")


def topic(results: Results) -> Topic:
    """Cases, patients and events of the cohort, of each set and of each fold."""
    table = counts(results)
    blocks: list[Block] = [
        Prose(_told(results), faint=False),
        Plot("flow_chart", "Flow of cases: the cohort, its sets and the folds of the training set"),
        Folded("The same counts as a table", [Rows.of(table)]),
    ]
    section = Section("flow", "Flow of cases", blocks, "Flow of cases")
    return Topic(section, {"flow": table}, {"flow_chart": lambda: drawn(results)})


def counts(results: Results) -> pd.DataFrame:
    """The whole cohort, each set and each fold: cases, patients, events and the other class."""
    cohort = results.run.cohort
    return pd.DataFrame(
        {"Part": title, "Cases": len(own), "Patients": own["patient"].nunique(),
         cohort.positive_name: int(own["event"].sum()), cohort.negative_name: int((own["event"] == 0).sum())}
        for title, own in {"Cohort": results.cohort, **sets(results), **folds(results)}.items()
    )  # fmt: skip


def sets(results: Results) -> dict[str, pd.DataFrame]:
    """Cases of each set, in the order of the flow, by the set's name in words."""
    rows = results.cohort
    return {SETS[name].capitalize(): own for name in NAMES if len(own := rows[rows["set"] == name])}


def folds(results: Results) -> dict[str, pd.DataFrame]:
    """Training cases of each fold, by the fold's name."""
    train = results.cohort[results.cohort["set"] == "train"]
    return {f"Fold {int(str(fold)) + 1}": own for fold, own in train.groupby("fold")}


def drawn(results: Results) -> Figure:
    """The flow chart: one box for the cohort, one a set, one a fold."""
    cohort, parts, inner = results.run.cohort, sets(results), folds(results)
    title = (
        f"Flow of cases: n = {len(results.cohort)}, {results.cohort['event'].sum()} {cohort.positive_name} (positive)"
    )
    note = (
        "Patients never part: all cases of one are in one set and one fold. Each fold is predicted by models fitted on "
        "the others."
    )
    figure = headed(title, note, WIDTH, 3.9)
    axis = figure.subplots()
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(0, 1))
    middles = [(2 * place + 1) / (2 * len(parts)) for place in range(len(parts))]
    _box(axis, 0.5, 0.86, 0.34, 0.24, "Cohort", results.cohort, results)
    for middle, (name, own) in zip(middles, parts.items(), strict=True):
        _arrow(axis, 0.5, 0.74, middle, 0.62)
        _box(axis, middle, 0.49, min(0.34, 0.9 / len(parts)), 0.24, name, own, results)
    room = 1 / len(parts) if len(parts) > 1 and len(inner) <= 5 // (len(parts) - 1) else 1.0
    for place, (name, own) in enumerate(inner.items()):
        middle = (room if len(parts) > 1 else 1.0) * (2 * place + 1) / (2 * len(inner))
        _arrow(axis, middles[0], 0.37, middle, 0.26)
        _box(axis, middle, 0.14, 0.94 * room / len(inner), 0.22, name, own, results, small=True)
    return figure


def _box(
    axis: Axes, x: float, y: float, width: float, height: float, name: str, own: pd.DataFrame, results: Results,
    small: bool = False,
) -> None:  # fmt: skip
    cohort, events = results.run.cohort, int(own["event"].sum())
    shape = FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.015",
        mutation_aspect=2.6, facecolor="#f6f8fa", edgecolor="#c3cad2", linewidth=0.9,
    )  # fmt: skip
    axis.add_patch(shape)
    patients = own["patient"].nunique()
    lines = (
        [f"n = {len(own)}", f"{events} {cohort.positive_name}"]
        if small
        else [f"n = {len(own)} cases of {patients} patients",
              f"{events} {cohort.positive_name}, {len(own) - events} {cohort.negative_name}"]
    )  # fmt: skip
    size = 7.2 if small else 8.6
    axis.text(x, y + height * 0.26, name, ha="center", va="center", fontsize=size + 0.6, fontweight="bold", color=INK)
    for place, text in enumerate(lines):
        axis.text(x, y - height * (0.04 + 0.26 * place), text, ha="center", va="center", fontsize=size, color=INK)


def _arrow(axis: Axes, x: float, y: float, to_x: float, to_y: float) -> None:
    """Down, across and down again, with a head."""
    middle = (y + to_y) / 2 + 0.01
    axis.plot([x, x, to_x, to_x], [y, middle, middle, to_y + 0.01], color=FAINT, linewidth=0.9, solid_capstyle="butt")
    axis.plot(to_x, to_y + 0.012, marker="v", color=FAINT, markersize=4, linestyle="none")


def _told(results: Results) -> str:
    rows, positive = results.cohort, results.run.cohort.positive_name
    each = [
        f"{name.lower()} {share(int(own['event'].sum()), len(own))} of {len(own)}"
        for name, own in sets(results).items()
    ]
    held = "" if len(each) > 1 else " No case was set aside, so all figures come from the folds."
    events = share(int(rows["event"].sum()), len(rows))
    whole = f"Of {len(rows)} cases of {rows['patient'].nunique()} patients {events} are {positive}: {'; '.join(each)}."
    return f"{whole} The training set is parted into {len(folds(results))} folds.{held}"
