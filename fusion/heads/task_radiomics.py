"""A task's radiomics score: the features of all sequences together, whichever of them a case has."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.heads import Heads
from fusion.errors import Fault, HeadError
from fusion.heads.classes import judged_classes, long, together
from fusion.heads.combine import vectors_of
from fusion.heads.parts import Fitted, pairs
from fusion.heads.vectors import Vectors, scores

RAD = "RAD"
"""Source and model of all sequences' radiomics together."""
INNER = ("case", "source", "fold", "without")
ROWS = ("case", "source", "set", "fold")


def rad_scores(
    tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame, classes: tuple[str, ...], heads: Heads, seed: int,
    jobs: int = 0, keep: Path | None = None,
) -> Fitted:  # fmt: skip
    """Scores of one task's cases by the radiomics of all sequences, their columns side by side, named SEQUENCE:FEATURE.

    Where a case lacks a sequence, its cells are filled with the medians of the cases that a head is fitted on. Of two
    classes there is one head (``combine.radiomics_scores``); of more one a class against all others, each with its own
    selection, and their probabilities are made to sum to 1. `heads.regions: union` selects in every sequence.

    Args:
        tables: radiomics by sequence, index case; a case that lacks the sequence has no row.
        rows: the task's cases: case, set, fold, label (number of the class).
        classes: names in the order of ``label``; of two the second is the positive one.
        heads: selection and penalty.
        seed: of LASSO's folds.
        jobs: worker processes; does not change a number.
        keep: folder of what heads found that were fitted before, and are fitted now.

    Returns:
        Rows case, source, set, fold, class, score: log-odds of the second of two classes, or a row a class with
        log-probabilities less their mean; ``inner`` as ``predict_task`` wants it; selection, LASSO errors and path as
        in ``combine.radiomics_scores``, of several classes with a column ``class``.

    Raises:
        HeadError: nothing varies, too few cases of a class for LASSO's folds, or ``heads.harmonise``.
    """
    judged, every = judged_classes(classes), rad_vectors(tables, rows, classes, heads, seed)
    fitted = {
        name: scores(own, jobs, title(name), None if keep is None else keep / place(name, classes))
        for name, own in every.items()
    }
    return _as_task(fitted, judged)


def rad_vectors(
    tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame, classes: tuple[str, ...], heads: Heads, seed: int
) -> dict[str, Vectors]:
    """By class that is told from the others, what the heads of ``rad_scores`` are fitted on."""
    if heads.harmonise is not None:
        found = "heads.harmonise, with radiomics of sequences, of which cases may lack some"
        raise HeadError(Fault(found, "no harmonisation for tasks", "set heads.harmonise=null"))
    own = rows.sort_values("case", ignore_index=True)
    joined = side_by_side(tables, own)
    widths = tuple(table.shape[1] for table in tables.values())
    events = {name: own.assign(event=(own["label"] == classes.index(name)).astype(int))
              for name in judged_classes(classes)}  # fmt: skip
    twice = all(pairs(cohort, heads.fewest) for cohort in events.values())
    return {name: _one(cohort, joined, widths, heads, seed, twice) for name, cohort in events.items()}


def title(name: str) -> str:
    """What fitting the heads of a class is called."""
    return f"radiomics scores, {name}"


def place(name: str, classes: tuple[str, ...]) -> str:
    """The folder of a class's heads."""
    return f"class_{classes.index(name)}"


def side_by_side(tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of all sequences, named SEQUENCE:FEATURE, of the cases of ``rows``; empty where one is lacking."""
    return pd.concat([table.reindex(rows["case"]).add_prefix(f"{name}:") for name, table in tables.items()], axis=1)


def _one(
    cohort: pd.DataFrame, table: pd.DataFrame, widths: tuple[int, ...], heads: Heads, seed: int, twice: bool
) -> Vectors:
    """One class against all others; ``twice`` asks for the scores by heads that saw neither of two folds."""
    reading, read = {RAD: (RAD,), "Combined": (RAD,)}, (RAD, "Combined") if twice else (RAD,)
    return vectors_of({RAD: table}, cohort, heads, seed, {RAD: widths}, None, read, reading,
                      bool(table.isna().to_numpy().any()))  # fmt: skip


def _as_task(fitted: Mapping[str, Fitted], judged: tuple[str, ...]) -> Fitted:
    rows = _joined([own.rows for own in fitted.values()], list(ROWS), judged)
    inner = [own.inner for own in fitted.values()]
    told = {
        part: pd.concat([_named(getattr(own, part), name, judged) for name, own in fitted.items()], ignore_index=True)
        for part in ("selection", "errors", "path")
    }
    first = next(iter(fitted.values()))
    return replace(first, rows=rows, inner=inner[0] if inner[0].empty else _joined(inner, list(INNER), judged), **told)


def _joined(parts: list[pd.DataFrame], columns: list[str], judged: tuple[str, ...]) -> pd.DataFrame:
    """The classes' log-odds of the same cases in the same order as a task's scores."""
    odds = np.column_stack([part["score"].to_numpy() for part in parts])
    return long(parts[0][columns], together(odds) if len(judged) > 1 else odds, judged)


def _named(table: pd.DataFrame, name: str, judged: tuple[str, ...]) -> pd.DataFrame:
    if len(judged) > 1 and not table.empty:
        table.insert(1, "class", name)
    return table
