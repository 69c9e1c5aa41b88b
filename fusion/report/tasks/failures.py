"""What was lost or doubtful in a task run, and what to be careful about."""

from collections.abc import Iterator

import pandas as pd

from fusion.heads.combine import INNER
from fusion.report.blocks import Block, Listing, Prose, Section
from fusion.report.tasks.flow import by_sequence
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import listed
from fusion.report.topic import Topic
from fusion.report.topics.failures import lost
from fusion.report.words import number


def topic(results: TaskResults) -> Topic:
    """Absent models, lacking sequences, classes never called, models no better than the most frequent class."""
    doubts = [*lost(results), *_absent(results), *_lacking(results), *_silent(results), *_useless(results),
              *_chance(results), *_leaning(results)]  # fmt: skip
    nothing = "Nothing was lost or doubtful: every model is there, every class is called, every model beats chance."
    blocks: list[Block] = [Listing(doubts)] if doubts else [Prose(nothing, faint=False)]
    section = Section("failures", "What to be careful about", blocks, "Care")
    return Topic(section, {"failures": pd.DataFrame({"Doubt": doubts})})


def _absent(results: TaskResults) -> Iterator[str]:
    for task, _ in results.run.used_tasks.items():
        if absent := results.absent(task):
            yield f"{task}: the config asks for {listed(absent)}, which the run does not have."
    if not results.run.masked:
        yield "No radiomics, as not every sequence has a mask."


def _lacking(results: TaskResults) -> Iterator[str]:
    for row in by_sequence(results).to_dict("records"):
        lacks = {view: row[view] for view in results.run.used_sequences if row[view]}
        if lacks:
            told = listed([f"{count} lack {view}" for view, count in lacks.items()])
            yield f"{row['Task']}: of {row['Tumours']} tumours {told}; models of other sequences judge other tumours."


def _silent(results: TaskResults) -> Iterator[str]:
    for task in results.tasks:
        rows = results.rows(task, results.sets_of(task)[0])
        silent = [str(view) for view in rows.index[rows["never_called"] > 0]]
        if silent:
            yield f"{task}: {listed(silent)} never call one of the classes or more."


def _useless(results: TaskResults) -> Iterator[str]:
    for task in results.tasks:
        rows = results.rows(task, results.sets_of(task)[0])
        below = [f"{view} ({number(row['accuracy'])} against {number(row['majority'])})"
                 for view, row in rows.iterrows() if row["accuracy"] <= row["majority"]]  # fmt: skip
        if below:
            yield f"{task}: no more accurate than always calling the most frequent class: {listed(below)}."


def _chance(results: TaskResults) -> Iterator[str]:
    for task in results.tasks:
        rows = results.rows(task, results.sets_of(task)[0])
        if chance := [str(view) for view in rows.index[rows["auc_low"] <= 0.5]]:
            yield f"{task}: the AUC's interval reaches 0.5, chance, for {listed(chance)}."


def _leaning(results: TaskResults) -> Iterator[str]:
    """Regressions on scores that have seen the fold they judge: networks', and radiomics' where classes are rare."""
    path = results.folder / INNER
    apart = set(pd.read_parquet(path, columns=["task"])["task"]) if path.is_file() else set()
    for task in results.tasks:
        there = set(results.rows(task, results.sets_of(task)[0]).index)
        networks = results.joined(task, results.sets_of(task)[0]) is not None
        read = [name for name in ("RAD+DL", "Combined") if name in there]
        if read and (networks or (results.run.masked and task not in apart)):
            kinds = [name for name, own in (("networks", networks), ("radiomics", task not in apart)) if own]
            yield (
                f"{task}: {listed(read)} read out-of-fold scores of {listed(kinds)} that learned from the fold being "
                "judged, so their figures lean slightly upwards."
            )
