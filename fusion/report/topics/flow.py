"""From the table over the rules of eligibility to the cohort, its sets and folds, in counts."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.report import way
from fusion.report.blocks import Block, Folded, Plot, Prose, Rows, Section
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import headed
from fusion.report.topic import Topic
from fusion.report.way import Way
from fusion.report.way_chart import INCHES, arrow, box, height
from fusion.report.way_chart import drawn as draw_way
from fusion.report.words import SETS, share

NAMES = ("train", "test", "external")


def topic(results: Results) -> Topic:
    """Cases, patients and events of the table, of who left, of the cohort, of each set and of each fold."""
    table, before = counts(results), way_of(results)
    from_ = "the cohort" if before is None else "the table, who left, the cohort"
    blocks: list[Block] = [
        Prose(way.says(before) + _told(results), faint=False),
        Plot("flow_chart", f"Flow of cases: {from_}, its sets and the folds of the training set"),
        Folded("The same counts as a table", [Rows.of(way.printed(table))]),
        *way.reasons(results.folder),
    ]
    section = Section("flow", "Flow of cases", blocks, "Flow of cases")
    return Topic(section, {"flow": table}, {"flow_chart": lambda: drawn(results)})


def way_of(results: Results) -> Way | None:
    """What came before the cohort, where the run tells."""
    return way.read(results.folder, results.run.cohort, len(results.cohort))


def counts(results: Results) -> pd.DataFrame:
    """What came before the cohort, the cohort, each set and each fold: cases, patients, events and the other class."""
    cohort, before = results.run.cohort, way_of(results)
    parts = pd.DataFrame(
        {"Part": title, "Cases": len(own), "Patients": own["patient"].nunique(),
         cohort.positive_name: int(own["event"].sum()), cohort.negative_name: int((own["event"] == 0).sum())}
        for title, own in {"Cohort": results.cohort, **sets(results), **folds(results)}.items()
    )  # fmt: skip
    return parts if before is None else pd.concat([way.rows(before, cohort), parts], ignore_index=True)


def sets(results: Results) -> dict[str, pd.DataFrame]:
    """Cases of each set, in the order of the flow, by the set's name in words."""
    rows = results.cohort
    return {SETS[name].capitalize(): own for name in NAMES if len(own := rows[rows["set"] == name])}


def folds(results: Results) -> dict[str, pd.DataFrame]:
    """Training cases of each fold, by the fold's name."""
    train = results.cohort[results.cohort["set"] == "train"]
    return {f"Fold {int(str(fold)) + 1}": own for fold, own in train.groupby("fold")}


def drawn(results: Results) -> Figure:
    """The flow chart: one box for the table and one a reason to leave, one for the cohort, one a set, one a fold."""
    before, cohort, parts, inner = way_of(results), results.run.cohort, sets(results), folds(results)
    title = (
        f"Flow of cases: n = {len(results.cohort)}, {results.cohort['event'].sum()} {cohort.positive_name} (positive)"
    )
    note = (
        "Patients never part: all cases of one are in one set and one fold. Each fold is predicted by models fitted on "
        "the others."
    )
    figure = headed(title, note, WIDTH, 3.9 + INCHES * height(before))
    axis = figure.subplots()
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(0, 1 + height(before)))
    middles = [(2 * place + 1) / (2 * len(parts)) for place in range(len(parts))]
    if before is not None:
        draw_way(axis, before, 0.98)
    _box(axis, 0.5, 0.86, 0.34, 0.24, "Cohort", results.cohort, results)
    for middle, (name, own) in zip(middles, parts.items(), strict=True):
        arrow(axis, 0.5, 0.74, middle, 0.62)
        _box(axis, middle, 0.49, min(0.34, 0.9 / len(parts)), 0.24, name, own, results)
    room = 1 / len(parts) if len(parts) > 1 and len(inner) <= 5 // (len(parts) - 1) else 1.0
    for place, (name, own) in enumerate(inner.items()):
        middle = (room if len(parts) > 1 else 1.0) * (2 * place + 1) / (2 * len(inner))
        arrow(axis, middles[0], 0.37, middle, 0.26)
        _box(axis, middle, 0.14, 0.94 * room / len(inner), 0.22, name, own, results, small=True)
    return figure


def _box(
    axis: Axes, x: float, y: float, width: float, tall: float, name: str, own: pd.DataFrame, results: Results,
    small: bool = False,
) -> None:  # fmt: skip
    cohort, events = results.run.cohort, int(own["event"].sum())
    lines = (
        [f"n = {len(own)}", f"{events} {cohort.positive_name}"]
        if small
        else [f"n = {len(own)} cases of {own['patient'].nunique()} patients",
              f"{events} {cohort.positive_name}, {len(own) - events} {cohort.negative_name}"]
    )  # fmt: skip
    box(axis, x, y, width, tall, name, lines, small)


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
