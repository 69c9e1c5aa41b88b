"""Choosing a cell in the inner loop: in every round by out-of-fold AUC alone, never by the cases that judge it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.evaluate.sweep.alike import apart
from fusion.evaluate.sweep.cell import Cell

INNER = "train_oof"
JUDGES = ("test", "external")
"""Sets that can judge a choice; the first that is there does."""
COLUMNS = ("round", "cell", "inner_auc", "runner_up", "runner_up_auc", "candidates")


@dataclass(frozen=True)
class Choice:
    """Which cell was chosen in each round, of which, and by what."""

    by: str
    """The model whose out-of-fold AUC decides."""
    judge: str | None
    """The set whose cases no choice has seen; None where there is none."""
    candidates: tuple[Cell, ...]
    left_out: dict[str, str]
    """Finished cells that could not be chosen, and why."""
    table: pd.DataFrame
    """Columns ``COLUMNS``, a row a round."""

    @property
    def chosen(self) -> dict[str, Cell]:
        """The chosen cell by round."""
        cells = {own.name: own for own in self.candidates}
        return {round_: cells[name] for round_, name in zip(self.table["round"], self.table["cell"], strict=True)}


def choose(cells: Sequence[Cell], by: str) -> Choice:
    """In each round the cell with the largest out-of-fold AUC of model ``by``; of equal ones the earlier.

    Candidates are cells over the same cases in the same rounds, those of the cell with the most rounds (the earlier of
    equals): AUCs over other cases are no ground to prefer one, and a cell that lacks a round cannot be chosen there.
    Folds may differ. Of the judging set no probability is read, and outcomes only to see that all cells have the same.
    """
    able = [own for own in cells if own.scores(by, INNER)]
    if not able:
        return Choice(by, None, (), {own.name: f"no {by}" for own in cells}, pd.DataFrame(columns=list(COLUMNS)))
    usual = max(able, key=lambda own: len(own.scores(by, INNER)))
    judge = next((set_ for set_ in JUDGES if usual.scores(by, set_)), None)
    reasons = {own.name: _unfit(own, usual, by, judge) for own in cells}
    candidates = tuple(own for own in cells if not reasons[own.name])
    return Choice(by, judge, candidates, {name: why for name, why in reasons.items() if why}, _table(candidates, by))


def _unfit(own: Cell, usual: Cell, by: str, judge: str | None) -> str:
    """Why a cell is no candidate beside ``usual``; empty where it is one."""
    inner = own.scores(by, INNER)
    if not inner:
        return f"no {by}"
    lacking = [name for name in usual.scores(by, INNER) if name not in inner]
    if lacking and set(inner) <= set(usual.scores(by, INNER)):
        return f"no round {', '.join(lacking)}"
    for set_ in (INNER, judge):
        if set_ is not None and (why := apart(own, usual, by, set_, folds=False)):
            return f"{why} than {usual.name} ({set_})" if why.startswith("other") else why
    if any(np.isnan(scores.auc) for scores in inner.values()):
        return f"a round whose {INNER} cases lack a class"
    return ""


def _table(candidates: Sequence[Cell], by: str) -> pd.DataFrame:
    if not candidates:
        return pd.DataFrame(columns=list(COLUMNS))
    inner = pd.DataFrame(
        {own.name: {round_: scores.auc for round_, scores in own.scores(by, INNER).items()} for own in candidates}
    )
    inner = inner.loc[list(candidates[0].scores(by, INNER))]
    return pd.DataFrame([_best(str(round_), row) for round_, row in inner.iterrows()], columns=list(COLUMNS))


def _best(round_: str, inner: "pd.Series[float]") -> dict[str, object]:
    ranked = inner.round(12).sort_values(ascending=False, kind="stable")  # in whole figures, so that ties are ties
    second = len(ranked) > 1
    return {
        "round": round_, "cell": ranked.index[0], "inner_auc": ranked.iloc[0],
        "runner_up": ranked.index[1] if second else "", "runner_up_auc": ranked.iloc[1] if second else np.nan,
        "candidates": len(ranked),
    }  # fmt: skip
