"""The tables of a sweep: what was swept, every cell of the choosing model, and the AUCs of all models."""

from collections.abc import Iterator

import pandas as pd
from pandas.api.typing import NAType

from fusion.evaluate.sweep.cell import common_models
from fusion.evaluate.sweep.paired import NONE
from fusion.report.blocks import Block, Folded, Heading, Listing, Plot, Prose, Rows, Section
from fusion.report.sweep.chosen import positive, times
from fusion.report.sweep.read import Swept
from fusion.report.sweep.words import counted, few, short
from fusion.report.words import SETS, interval, number, p_value, percent

FIGURE = "cells"
MANY = 30
"""Cells beyond which the table of all models is folded."""
PLACES = ("output", "cache")
"""Words that name folders of a machine, and no number."""
READ = (
    "AUC as each cell judged itself, with its {level} interval. Difference: AUC minus that of {first}, by the paired "
    "test named in comparison.csv (DeLong's where each case has one probability, else patients drawn again); P (Holm) "
    "is corrected over the cells of this table."
)


def swept_fields(swept: Swept) -> Section:
    """What was swept, over which values, and how the cells stand."""
    names = short(swept.fields)
    rows = [
        {"Field": field, "Called": names[field], "Values": ", ".join(dict.fromkeys(swept.cells[field]))}
        for field in swept.fields
    ]
    states = swept.cells["state"].value_counts()
    stand = ", ".join(f"{states[name]} {name}" for name in ("done", "failed", "waiting") if name in states)
    told = f"{counted(len(swept.cells), 'cell')} ({stand}), every combination of these values; all else is the same."
    blocks: list[Block] = [Prose(told), Rows.of(pd.DataFrame(rows, columns=["Field", "Called", "Values"]), words=3)]
    if words := [word for word in swept.words if word.partition("=")[0] not in PLACES]:
        blocks.append(Prose(f"As typed: {' '.join(words)}"))
    return Section("swept", "What was swept", blocks, "Swept")


def every_cell(swept: Swept) -> Section:
    """The figure, then a table a set: the one that counts most in sight."""
    level = percent(swept.done[0].run.evaluate.confidence)
    blocks: list[Block] = [
        Plot(FIGURE, f"AUC of {swept.by} in every cell, {SETS[swept.sets[0]]}"),
        Prose(READ.format(level=level, first=swept.done[0].name)),
    ]
    for place, set_ in enumerate(swept.sets):
        own = list(_of_set(swept, set_))
        title = f"{SETS[set_][0].upper()}{SETS[set_][1:]}"
        blocks += [Heading(title), *own] if place == 0 else [Folded(title, own)]
    return Section("cells", f"Every cell: {swept.by}", blocks, "Cells")


def every_model(swept: Swept) -> Section:
    """AUCs of all models, a row a cell and a column a model."""
    text = "AUCs alone; intervals, tests and calibration are in comparison.csv."
    sets = [name for name in ("test", "external", "train_oof") if (swept.comparison["set"] == name).any()]
    sets.sort(key=lambda name: name != swept.sets[0])
    blocks: list[Block] = [Prose(text)]
    for place, set_ in enumerate(sets):
        title, shown = f"{SETS[set_][0].upper()}{SETS[set_][1:]}", Rows.of(models(swept, set_))
        blocks += [Heading(title), shown] if place == 0 and len(swept.done) <= MANY else [Folded(title, [shown])]
    return Section("models", "Every model of every cell", blocks, "Models")


def cells(swept: Swept, set_: str) -> pd.DataFrame:
    """A row a finished cell, as typed: values, how often chosen, n and events where they differ, AUC, difference."""
    names, level = short(swept.fields), percent(swept.done[0].run.evaluate.confidence)
    rows = swept.of_choice[swept.of_choice["set"] == set_]
    counts = len(rows[["n", "events"]].drop_duplicates()) > 1
    often, rounds = times(swept), len(swept.choice.table)
    return pd.DataFrame(
        [
            {"Cell": row["cell"], **{names[field]: row[field] for field in swept.fields},
             "Chosen": _chosen(often[row["cell"]], rounds),
             **({"n": _count(row["n"]), "Events": _count(row["events"])} if counts else {}),
             "AUC": number(row["auc"]), f"{level} CI": interval(row["auc_low"], row["auc_high"]),
             "Difference": number(row["difference"]),
             f"{level} CI of it": interval(row["difference_low"], row["difference_high"], " to "),
             "P": p_value(row["p"]), "P (Holm)": p_value(row["p_holm"])}
            for row in rows.to_dict("records")
        ]
    )  # fmt: skip


def models(swept: Swept, set_: str) -> pd.DataFrame:
    """A row a finished cell, a column a model: AUCs."""
    rows = swept.comparison[swept.comparison["set"] == set_]
    table = rows.pivot(index="cell", columns="model", values="auc").reindex([own.name for own in swept.done])
    order = [name for name in common_models(list(swept.done)) if name in table]
    printed = pd.DataFrame({"Cell": table.index})
    return printed.assign(**{name: [number(value) for value in table[name]] for name in order})


def _of_set(swept: Swept, set_: str) -> Iterator[Block]:
    rows = swept.of_choice[swept.of_choice["set"] == set_]
    n, events = rows["n"].iloc[0], rows["events"].iloc[0]
    same = len(rows[["n", "events"]].drop_duplicates()) == 1
    if same:
        yield Prose(f"n = {n}" + ("" if pd.isna(events) else f", {events} {positive(swept)}") + ", in every cell.")
    yield Rows.of(cells(swept, set_), words=1 + len(swept.fields), mark=_most(swept))
    if untested := list(_untested(rows)):
        yield Listing(untested)


def _untested(rows: pd.DataFrame) -> Iterator[str]:
    """Cells that have no test, by the reason."""
    for reason, own in rows[rows["test"].str.startswith(NONE)].groupby("test", sort=False):
        why = str(reason).removeprefix(NONE)
        yield f"No test of {few(list(own['cell']))}: {why}, so that a difference is not one of the method alone."


def _most(swept: Swept) -> str | None:
    """The cell that was chosen more often than any other; None where there is none."""
    first = times(swept).most_common(2)
    return first[0][0] if first and (len(first) == 1 or first[0][1] > first[1][1]) else None


def _chosen(count: int, rounds: int) -> str:
    if not count:
        return ""
    return "yes" if rounds == 1 else f"{count} of {rounds}"


def _count(value: int | NAType) -> str:
    return "–" if value is pd.NA else str(value)
