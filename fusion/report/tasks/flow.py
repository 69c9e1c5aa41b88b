"""Whose cases answer which question: by task and class, by sequence, by set and fold."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.data.task import task_rows
from fusion.report import way, way_chart
from fusion.report.blocks import Block, Folded, Heading, Plot, Prose, Rows, Section
from fusion.report.figures import WIDTH
from fusion.report.style import headed
from fusion.report.tasks.look import hue
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import brief
from fusion.report.topic import Topic
from fusion.report.way import Way
from fusion.report.words import SETS


def topic(results: TaskResults) -> Topic:
    """Cases and patients by task and class, what each sequence lacks, sets and folds."""
    counts, missing, parts = by_class(results), by_sequence(results), by_part(results)
    before = way.read(results.folder, results.run.cohort, len(results.cohort))
    left = left_out(results, before)
    blocks: list[Block] = [
        Prose(way.says(before, "tumours") + _told(results, missing), faint=False),
        *_before(results, left),
        Plot("task_classes", "Tumours of each class by task"),
        Rows.of(counts, words=4),
        Heading("Tumours that lack a sequence"),
        Prose("A tumour without a sequence is left out of that sequence's models only, not out of the others."),
        Rows.of(missing),
        Heading("Sets and folds"),
        Prose("Patients never part: all tumours of one are in one set and one fold, the same for every task."),
        Rows.of(parts),
    ]
    tables = {"flow": counts, "missing_sequences": missing, "folds": parts} | ({} if left.empty else {"way": left})
    plots = {"task_classes": lambda: drawn(results)}
    if before is not None:
        plots["flow_chart"] = lambda: charted(results, before)
    return Topic(Section("flow", "Flow of cases", blocks), tables, plots)


def by_class(results: TaskResults) -> pd.DataFrame:
    """A row a task and class: tumours and patients, and which outcomes it joins."""
    rows = []
    for name, task in results.tasks.items():
        own = task_rows(results.cohort, task)
        for place, word in enumerate(task.names):
            of = own[own["label"] == place]
            part = "positive" if word == task.positive else "other" if task.positive else "one of several"
            outcomes = ", ".join(str(value) for value in task.classes[word])
            rows.append({"Task": name, "Class": word, "Part": part, "Outcomes": outcomes, "Tumours": len(of),
                         "Patients": of["patient"].nunique()})  # fmt: skip
    return pd.DataFrame(rows)


def by_sequence(results: TaskResults) -> pd.DataFrame:
    """A row a task: its tumours, and how many lack each sequence."""
    rows = []
    for name, task in results.tasks.items():
        own = task_rows(results.cohort, task)
        lacks = {view: int((own[f"has_{view}"].astype(int) == 0).sum()) for view in results.run.used_sequences}
        rows.append({"Task": name, "Tumours": len(own), **lacks})
    return pd.DataFrame(rows)


def by_part(results: TaskResults) -> pd.DataFrame:
    """A row a set and fold: tumours, patients and tumours of each outcome in use."""
    rows, cohort = [], results.cohort
    words = list(dict.fromkeys(str(v) for task in results.tasks.values() for own in task.classes.values() for v in own))
    for (set_, fold), own in cohort.groupby([_ordered(cohort), "fold"], observed=True):
        part = SETS[str(set_)].capitalize() + (f", fold {int(str(fold)) + 1}" if set_ == "train" else "")
        counts = {word: int((own["outcome"] == word).sum()) for word in words}
        rows.append({"Part": part, "Tumours": len(own), "Patients": own["patient"].nunique(), **counts})
    return pd.DataFrame(rows)


def left_out(results: TaskResults, before: Way | None) -> pd.DataFrame:
    """A row for the table, for every reason to leave, and for the cohort; none where nothing was before it."""
    above = way.rows(before, results.run.cohort)
    if before is None:
        return above
    cohort = {"Part": "Cohort", "Cases": len(results.cohort), "Patients": results.cohort["patient"].nunique()}
    made = pd.concat([above, pd.DataFrame([cohort])], ignore_index=True)
    return made.rename(columns={"Cases": "Tumours"})


def charted(results: TaskResults, before: Way) -> Figure:
    """The flow chart from the table to the cohort."""
    rows = results.cohort
    title = f"Flow of tumours: n = {len(rows)} of {rows['patient'].nunique()} patients"
    figure = headed(title, "Each tumour leaves at the first rule that sends it away.", WIDTH,
                    1.3 + way_chart.INCHES * way_chart.height(before))  # fmt: skip
    axis = figure.subplots()
    axis.set_axis_off()
    axis.set(xlim=(0, 1), ylim=(0.78, 1 + way_chart.height(before)))
    way_chart.drawn(axis, before, 0.98, "tumours")
    lines = [f"n = {len(rows)} tumours of {rows['patient'].nunique()} patients"]
    way_chart.box(axis, 0.5, 0.89, 0.34, way_chart.TABLE, "Cohort", lines)
    return figure


def drawn(results: TaskResults) -> Figure:
    """A bar a task, in it a length a class."""
    counts = by_class(results)
    note = "Length: tumours; in brackets their patients. One tumour may serve several tasks."
    tasks = list(results.tasks)
    title = f"Tumours by task and class: n = {len(results.cohort)} of {results.cohort['patient'].nunique()} patients"
    figure = headed(title, note, WIDTH, 0.9 + 0.55 * len(tasks))
    axis = figure.subplots()
    widest = max(int(own["Tumours"].sum()) for _, own in counts.groupby("Task"))
    for place, name in enumerate(tasks):
        start = 0
        for number, row in enumerate(counts[counts["Task"] == name].to_dict("records")):
            axis.barh(place, row["Tumours"], left=start, color=hue(number), edgecolor="white", height=0.74, alpha=0.85)
            _label(axis, row, start, place, widest)
            start += row["Tumours"]
    axis.set_yticks(range(len(tasks)), [brief(task, 24) for task in tasks])
    axis.invert_yaxis()
    axis.set(xlabel="tumours")
    axis.grid(visible=False, axis="y")
    return figure


def _before(results: TaskResults, left: pd.DataFrame) -> list[Block]:
    """The way into the cohort, where there was one."""
    if left.empty:
        return []
    chart = Plot("flow_chart", "Flow of tumours: the table, who left and the cohort")
    return [chart, Folded("The same counts as a table", [Rows.of(way.printed(left))]), *way.reasons(results.folder)]


def _label(axis: Axes, row: Mapping[Hashable, Any], start: int, place: int, widest: int) -> None:
    """Class and counts in the bar as far as they have room; the table below has all."""
    room, count = row["Tumours"] / widest * 118, f"{row['Tumours']} ({row['Patients']})"
    lines = [line for line in (brief(str(row["Class"])), count) if len(line) < room]
    axis.text(start + row["Tumours"] / 2, place, "\n".join(lines), ha="center", va="center", fontsize=7, color="white")


def _ordered(cohort: pd.DataFrame) -> pd.Series:
    return cohort["set"].astype(pd.CategoricalDtype(["train", "test", "external"], ordered=True))


def _told(results: TaskResults, missing: pd.DataFrame) -> str:
    rows, views = results.cohort, results.run.used_sequences
    whole = f"{len(rows)} tumours of {rows['patient'].nunique()} patients answer {len(results.tasks)} questions"
    has = rows[[f"has_{view}" for view in views]].astype(int)
    lacks = int((has.sum(axis=1) < len(views)).sum())
    some = f"{lacks} {'tumour lacks' if lacks == 1 else 'tumours lack'} one or more sequences"
    full = some if lacks else "every tumour has every sequence"
    return f"{whole}, in {len(views)} sequences; {full}."
