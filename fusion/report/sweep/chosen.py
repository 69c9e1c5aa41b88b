"""What the choice is worth, in sentences, and which cell was chosen in which round."""

from collections import Counter
from typing import Any

import pandas as pd

from fusion.report.blocks import Block, Folded, Prose, Rows, Section
from fusion.report.sweep.read import Swept
from fusion.report.sweep.words import counted, few, short, values
from fusion.report.words import SETS, number, percent

MANY = 24
"""Rounds beyond which their table is folded."""
HOW_JUDGED = (
    "Sweep with split.kind=nested, where every case is tested once by models that did not see it, or keep a test set "
    "(split.test_fraction above 0)."
)


def sentences(swept: Swept) -> list[str]:
    """The honest figure first, then what the largest AUC would have promised, then which cell it is."""
    if swept.choice.table.empty:
        return ["No cell could be chosen: see below why."]
    return [*_worth(swept), _which(swept), *_verdict(swept)]


def times(swept: Swept) -> Counter[str]:
    """How often each cell was chosen, as the cells are typed."""
    return Counter(swept.choice.table["cell"])


def section(swept: Swept) -> Section:
    """The choice round by round."""
    text = (
        f"In each round the cell with the largest AUC of {swept.by} in the training cases, out-of-fold, is taken; of "
        "equal ones the earlier."
    )
    text += "" if swept.worth is None else " The cases that judge the choice play no part in it."
    table = rounds(swept)
    blocks: list[Block] = [Prose(text)]
    if table.empty:
        blocks.append(Prose("No cell could be chosen."))
    else:
        shown = Rows.of(table, words=3)
        blocks.append(Folded(f"All {len(table)} rounds", [shown]) if len(table) > MANY else shown)
    return Section("choice", "Which cell was chosen", blocks, "Choice")


def rounds(swept: Swept) -> pd.DataFrame:
    """A row a round: the chosen cell, its AUC out-of-fold, and the next best."""
    own, names = {cell.name: cell for cell in swept.done}, short(swept.fields)
    rows = [
        {"Round": row["round"] or "the only one", "Cell": row["cell"],
         "Values": values(own[row["cell"]].values, names), "AUC, out-of-fold": number(row["inner_auc"]),
         "Next best": row["runner_up"] or "–", "Its AUC": number(row["runner_up_auc"])}
        for row in swept.choice.table.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def positive(swept: Swept) -> str:
    """The name of the positive class that the choosing model tells."""
    cohort = swept.done[0].run.cohort
    return cohort.tasks[swept.by.partition("/")[0]].positive or "" if cohort.tasks else cohort.positive_name


def _worth(swept: Swept) -> list[str]:
    row, choice = swept.worth, swept.choice
    if row is None:
        largest = choice.table["inner_auc"].max()
        return [
            "What the chosen cell is worth is not known: no cases were set aside to judge the choice. " + HOW_JUDGED,
            f"Its out-of-fold AUC, {number(largest)} at most, is the largest of "
            f"{counted(len(choice.candidates), 'cell')} and flattered by that; it is no result.",
        ]
    level = percent(swept.done[0].run.evaluate.confidence)
    ends = "unknown" if pd.isna(row["auc_low"]) else f"{number(row['auc_low'])} to {number(row['auc_high'])}"
    area = f"AUC {number(row['auc'])} ({level} interval {ends})"
    together = f", mean of {row['repeats']} repeats" if row["repeats"] > 1 else ""
    together = together or (f", {row['rounds']} rounds together" if row["rounds"] > 1 else "")
    of_them = "" if pd.isna(row["events"]) else f", {row['events']} {positive(swept)}"
    where = f"{SETS[row['set']]}{together}: {row['n']} cases{of_them}"
    many = len(choice.candidates)
    honest = (
        f"Choosing the cell in the inner loop is worth {area} for {swept.by}, in cases that no choice has seen "
        f"({where}){_doubt(row)}."
    )
    if many == 1:
        return [honest, "Only one cell could be chosen, so there was no choice to make."]
    best = f"The largest AUC of the {many} cells in these cases is {number(row['best_auc'])} ({row['best_cell']})"
    if row["optimism"] < 0.0005:
        return [honest, f"{best}, no more than the choice is worth."]
    return [
        honest,
        f"{best}, {number(row['optimism'])} more. Do not report it as a result: it was found by looking at the cases "
        "that judge it.",
    ]


def _doubt(row: "pd.Series[Any]") -> str:
    if row["auc_low"] == 1:
        return "; no case is ranked wrong, so the interval has no width, which is not certainty"
    return "; the interval reaches 0.5, so this may be chance" if row["auc_low"] <= 0.5 else ""


def _which(swept: Swept) -> str:
    often, names = times(swept), short(swept.fields)
    own = {cell.name: cell for cell in swept.done}
    rounds_ = len(swept.choice.table)
    if rounds_ == 1:
        (name,) = often
        return f"The choice is {name} ({values(own[name].values, names)})."
    told = [f"{name} in {count} ({values(own[name].values, names)})" for name, count in often.most_common()]
    if len(told) == 1:
        return f"All {rounds_} rounds chose {next(iter(often))} ({values(own[next(iter(often))].values, names)})."
    rule = "" if swept.worth is None else " The figure is that of choosing by this rule, not of one cell."
    return f"The {rounds_} rounds did not all choose the same cell: {few(told, 6)}.{rule}"


def _verdict(swept: Swept) -> list[str]:
    """Whether cells differ from the first in the set that counts most."""
    set_ = swept.sets[0]
    rows = swept.of_choice[(swept.of_choice["set"] == set_) & swept.of_choice["p"].notna()]
    if rows.empty:
        return []
    first = rows["against"].iloc[0]
    clear = rows[rows["p_holm"] < 0.05]
    tested = f"Of {counted(len(rows), 'cell')} compared with {first} ({SETS[set_]})"
    if clear.empty:
        return [f"{tested} none differs at P < 0.05 after Holm's correction."]
    each = [
        f"{row['cell']} ({number(abs(row['difference']))} {'higher' if row['difference'] > 0 else 'lower'})"
        for row in clear.to_dict("records")
    ]
    are = "differs" if len(each) == 1 else "differ"
    return [f"{tested} {len(each)} {are} at P < 0.05 after Holm's correction: {few(each)}."]
