"""Tasks of more than two classes, class by class."""

import pandas as pd

from fusion.report.blocks import Block, Folded, Heading, Prose, Rows, Section
from fusion.report.tasks.class_rows import of_all
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import marked, spanned
from fusion.report.topic import Topic
from fusion.report.words import SETS, percent

HEADS = {"sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "Precision", "f1": "F1",
         "auc": "AUC against the rest"}  # fmt: skip


def topic(results: TaskResults) -> Topic | None:
    """Sensitivity, specificity, precision, F1 and AUC of every class; None where every task has two."""
    several = [task for task, own in results.tasks.items() if own.positive is None]
    if not several:
        return None
    table = of_all(results)
    read = (
        f"Each class in turn is positive, all others negative; {percent(results.run.evaluate.confidence)} bootstrap "
        "intervals by patient. A class that is never called has no precision (–). n counts the class's tumours."
    )
    blocks: list[Block] = [Prose(read)]
    for task in several:
        for set_ in results.sets_of(task):
            blocks += _task(results, table, task, set_)
    return Topic(Section("classes", "Class by class", blocks, "Classes"), {"classes": table})


def _task(results: TaskResults, table: pd.DataFrame, task: str, set_: str) -> list[Block]:
    """Tables of the best sequence and of all together; those of the other models folded, as are those of other sets."""
    chief = [results.best(task, set_), results.joined(task, set_)] if set_ == results.sets_of(task)[0] else []
    views = [str(view) for view in results.rows(task, set_).index]
    shown = [block for view in views if view in chief for block in _model(results, table, task, view, set_)]
    others = [block for view in views if view not in chief for block in _model(results, table, task, view, set_)]
    title = f"{task}: {'the other' if chief else 'all'} models, {SETS[set_]}"
    return [*shown, Folded(title, others)] if others else shown


def _model(results: TaskResults, table: pd.DataFrame, task: str, view: str, set_: str) -> list[Block]:
    own = table[(table["model"] == f"{task}/{view}") & (table["set"] == set_)]
    rows = [
        {"Class": row["class"], "n": str(row["n"]), **{head: spanned(row, name) for name, head in HEADS.items()}}
        for _, row in own.iterrows()
    ]
    return [Heading(f"{task}/{marked(view, results)}, {SETS[set_]}"), Rows.of(pd.DataFrame(rows))]
