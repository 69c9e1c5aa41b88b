"""Kaba's Table 1 with what it lacks: every model of every task."""

import pandas as pd

from fusion.report.blocks import Block, Folded, Heading, Prose, Rows, Section
from fusion.report.tasks.call import rule
from fusion.report.tasks.results import TaskResults, beyond
from fusion.report.tasks.words import BEYOND, classes, marked, ranges, spanned
from fusion.report.topic import Topic
from fusion.report.words import SETS, number, percent

RATES = {"accuracy": "Accuracy", "sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "Precision",
         "f1": "F1"}  # fmt: skip
ENDS = ("", "_low", "_high")


def topic(results: TaskResults) -> Topic:
    """Table 1 by task, of the set that counts most; other sets fold."""
    level = percent(results.run.evaluate.confidence)
    read = (
        f"In brackets {level} bootstrap intervals that draw patients, so that tumours of one stay together. Majority "
        "is the accuracy of always calling the most frequent class: an accuracy at or below it has no use. Means over "
        "more than two classes give each class the same weight; their F1 is the mean of the classes' F1. Intervals of "
        f"all measures are in tables/table1.csv. Call: {rule(results)}."
    )
    blocks: list[Block] = [Prose(found(results), faint=False), Prose(read)]
    for task in results.tasks:
        first, *others = results.sets_of(task)
        blocks += [Heading(_title(results, task, first)), _rows(results, task, first)]
        blocks += [Folded(_title(results, task, set_), [_rows(results, task, set_)]) for set_ in others]
    return Topic(Section("models", "Table 1: tasks and sequences", blocks, "Models"), {"table1": table1(results)})


def found(results: TaskResults) -> str:
    """How many models call better than the most frequent class and rank better than chance."""
    rows = pd.concat([results.rows(task, results.sets_of(task)[0]) for task in results.tasks])
    above = int((rows["accuracy_low"] > rows["majority"]).sum())
    ranks = int((rows["auc_low"] > 0.5).sum())
    return (
        f"Of {len(rows)} models {above} call better than the most frequent class by the whole interval of their "
        f"accuracy, and {ranks} rank better than chance by that of their AUC."
    )


def table1(results: TaskResults) -> pd.DataFrame:
    """Every number behind the tables of the page: one row a task, model and set."""
    rows = []
    for task, own in results.tasks.items():
        for set_ in results.sets_of(task):
            for view, row in results.rows(task, set_).iterrows():
                measures = {f"{name}{end}": row[f"{name}{end}"] for name in (*RATES, "auc") for end in ENDS}
                rows.append(
                    {"task": task, "view": view, "set": set_, "positive": own.positive or "", "classes": len(own.names),
                     "in_paper": int(not beyond(str(view), results.run)), "n": row["n"], "cases": row["cases"],
                     "patients": row["patients"], "events": row["events"], "majority": row["majority"],
                     "threshold": row["threshold"], **measures}
                )  # fmt: skip
    return pd.DataFrame(rows)


def _title(results: TaskResults, task: str, set_: str) -> str:
    rows = results.rows(task, set_)
    return (
        f"{task} ({classes(results.tasks[task])}): n = {ranges(rows['cases'])} tumours of {ranges(rows['patients'])} "
        f"patients, {SETS[set_]}"
    )


def _rows(results: TaskResults, task: str, set_: str) -> Rows:
    rows = [shown(results, str(view), row) for view, row in results.rows(task, set_).iterrows()]
    made = any(beyond(str(view), results.run) for view in results.rows(task, set_).index)
    note = f"{BEYOND} several sequences, radiomics or clinical variables: beyond Kaba 2025." if made else ""
    return Rows.of(pd.DataFrame(rows), mark=marked(results.best(task, set_), results), note=note)


def shown(results: TaskResults, view: str, row: "pd.Series[float]") -> dict[str, str]:
    """A row of the page's table."""
    plain = {RATES[name]: number(row[name]) for name in ("sensitivity", "specificity", "ppv", "f1")}
    return {
        "Model": marked(view, results), "n": f"{row['n']:.0f}", "Patients": f"{row['patients']:.0f}",
        "Accuracy": spanned(row, "accuracy"), "Majority": number(row["majority"]), **plain,
        "AUC": spanned(row, "auc"),
    }  # fmt: skip
