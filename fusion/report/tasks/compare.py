"""Several finished task runs side by side: Table 1 of each, a row a model and run."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

import pandas as pd

from fusion.report.blocks import Block, Heading, Prose, Report, Rows, Section
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.table_one import shown
from fusion.report.tasks.words import classes
from fusion.report.words import SETS, percent


def compare(results: Sequence[TaskResults]) -> Report:
    """The page that sets the tables of the runs side by side."""
    runs = {f"{letter} {own.run.name}": own for letter, own in zip(ascii_uppercase, results, strict=False)}
    tasks = list(dict.fromkeys(task for own in runs.values() for task in own.tasks))
    level = percent(results[0].run.evaluate.confidence)
    read = (
        f"Each run judged as it judged itself, in its chief set; in brackets {level} intervals. Runs over other "
        "tumours are not to be compared by eye, and no test is made here."
    )
    blocks: list[Block] = [Prose(read)]
    for task in tasks:
        own = {name: run for name, run in runs.items() if task in run.tasks}
        blocks += [Heading(f"{task} ({_classes(own, task)})"), Rows.of(side_by_side(own, task), words=2)]
    folders = {name: str(own.folder.resolve().name) for name, own in runs.items()}
    return Report(
        title="Comparison of " + ", ".join(runs), eyebrow="fusion report",
        subtitle=f"{len(runs)} finished runs of tasks: " + ", ".join(f"{n} in {f}" for n, f in folders.items()),
        banners=_banners(runs), sections=[Section("models", "Table 1 side by side", blocks, "Models")],
    )  # fmt: skip


def side_by_side(runs: Mapping[str, TaskResults], task: str) -> pd.DataFrame:
    """A row a model and run of one task, as the page of each run prints it."""
    rows = []
    for view in dict.fromkeys(view for own in runs.values() for view in own.run.task_models(task)):
        for name, own in runs.items():
            table = own.rows(task, set_ := own.sets_of(task)[0])
            if view in table.index:
                cells = shown(own, view, own.row(task, set_, view))
                rows.append({"Model": cells.pop("Model"), "Run": name, "Set": SETS[set_], **cells})
    return pd.DataFrame(rows)


def _classes(runs: Mapping[str, TaskResults], task: str) -> str:
    return "; ".join(dict.fromkeys(classes(own.tasks[task]) for own in runs.values()))


def _banners(runs: Mapping[str, TaskResults]) -> list[str]:
    phantoms = [name for name, own in runs.items() if own.run.cohort.phantom]
    return [f"Synthetic cohort, a digital phantom and not patients: {', '.join(phantoms)}."] if phantoms else []
