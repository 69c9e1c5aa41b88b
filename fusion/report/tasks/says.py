"""What was asked, what was found, and how far to trust it."""

import pandas as pd

from fusion.report.blocks import Block, Listing, Prose, Section, Terms, Tiles
from fusion.report.findings import CASES_A_CLASS
from fusion.report.tasks.call import rule
from fusion.report.tasks.inflation import inflation
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import counted, largest, listed, question
from fusion.report.topic import Topic
from fusion.report.words import SETS, interval, minus, number, percent


def topic(results: TaskResults) -> Topic:
    """The first thing a reader sees."""
    blocks: list[Block] = [
        *(Prose(_found(results, task), faint=False) for task in results.tasks),
        *(Prose(text, faint=False) for text in _inflated(results)),
        _tiles(results),
        Listing(cautions(results), "How far to trust it"),
        Terms(_asked(results)),
    ]
    return Topic(Section("says", "What this run says", blocks, "What it says"))


def cautions(results: TaskResults) -> list[str]:
    """Reasons not to lean on the numbers, the gravest first."""
    told = ["Research use only: not a medical device, and not for decisions about patients."]
    if results.sets == ["train_oof"]:
        folds = int(results.cohort["fold"].max()) + 1
        told.append(
            f"There is no test set: all figures are out-of-fold predictions of {folds} folds by patient; there is no "
            "external set either."
        )
    elif "external" not in results.sets:
        told.append("There is no external set: other scanners and other hospitals may score lower.")
    if small := [text for task in results.tasks if (text := _few(results, task))]:
        told.append(f"Small classes: {'; '.join(small)} tumours; with under {CASES_A_CLASS} a class, all is imprecise.")
    counts = [len(results.rows(task, results.sets_of(task)[0])) for task in results.tasks]
    if max(counts) > 1:
        told.append(f"{sum(counts)} models are compared in the same cases: the best of them is a little flattered.")
    return told


def _found(results: TaskResults, task: str) -> str:
    """The best sequence of a task, its scores, and what always naming the largest class would give."""
    set_ = results.sets_of(task)[0]
    view, rows = results.best(task, set_), results.rows(task, set_)
    row = results.row(task, set_, view)
    level, common = percent(results.run.evaluate.confidence), largest(results, task, set_, view)
    single = [name for name in rows.index if name in results.run.used_sequences]
    among = f"of {len(single)} sequences {view} ranks best" if len(single) > 1 else f"{view}"
    kind = "AUC" if results.tasks[task].positive else "mean one-against-rest AUC"
    over = "no better than" if row["accuracy"] <= row["majority"] else "above" if row["accuracy_low"] > row[
        "majority"] else "not clearly above"  # fmt: skip
    chance = "; the AUC's interval reaches 0.5, so this may be chance" if row["auc_low"] <= 0.5 else ""
    return (
        f"{task} ({_named(results, task, row)}): {among}, {kind} {number(row['auc'])} ({level} interval "
        f"{interval(row['auc_low'], row['auc_high'], ' to ')}), accuracy {number(row['accuracy'])} "
        f"({interval(row['accuracy_low'], row['accuracy_high'], ' to ')}), {over} the {number(row['majority'])} of "
        f"always saying {common}{chance}."
    )


def _named(results: TaskResults, task: str, row: "pd.Series[float]") -> str:
    own = results.tasks[task]
    part = f"{row['events']:.0f} {own.positive}, the positive class" if own.positive else f"{len(own.names)} classes"
    return f"{counted(row)}, {part}"


def _inflated(results: TaskResults) -> list[str]:
    table = inflation(results)
    if table is None or table.empty:
        return []
    apart = table[table["measure"] == "accuracy"]["difference"]
    mean, ends = number(apart.mean()), minus(f"{number(apart.min())} to {number(apart.max())}")
    return [
        f"On the very same data the leaking protocol (rotate first, then split images) reports an accuracy {mean} "
        f"higher on average over {len(apart)} models ({ends}): inflation, not performance."
        if apart.mean() >= 0
        else f"On the very same data the leaking protocol (rotate first, then split images) changes the accuracy by "
        f"{minus(mean)} on average over {len(apart)} models ({ends}); here it does not inflate."
    ]


def _tiles(results: TaskResults) -> Tiles:
    numbers = []
    for task in results.tasks:
        set_ = results.sets_of(task)[0]
        view = results.best(task, set_)
        row = results.row(task, set_, view)
        note = f"{interval(row['auc_low'], row['auc_high'])}; {view}; accuracy {number(row['accuracy'])}, majority"
        numbers.append((task, number(row["auc"]), f"{note} {number(row['majority'])}"))
    level = percent(results.run.evaluate.confidence)
    return Tiles(f"AUC of each task's best sequence with {level} interval, {SETS[results.sets[0]]}", numbers)


def _few(results: TaskResults, task: str) -> str:
    set_ = results.sets_of(task)[0]
    own = results.judged(task, results.best(task, set_), set_)
    counts = pd.Series(own.label).value_counts().reindex(range(len(own.names)), fill_value=0)
    small = [f"{counts[place]} {name}" for place, name in enumerate(own.names) if counts[place] < CASES_A_CLASS]
    return f"{task} {listed(small)}" if small else ""


def _asked(results: TaskResults) -> list[tuple[str, str]]:
    rows = results.cohort
    return [
        *((task, f"{question(own)}.") for task, own in results.tasks.items()),
        ("Cases", f"{len(rows)} tumours of {rows['patient'].nunique()} patients"),
        ("Sequences", listed(results.run.used_sequences)),
        ("Judged in", f"the {SETS[results.sets[0]]}"),
        ("Call", rule(results)),
    ]
