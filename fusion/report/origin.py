"""Where a run's sets come from: its own draw, the cohort table, or a column of it that the split goes by."""

import pandas as pd

from fusion.config.split import External, Holdout, Split, Temporal
from fusion.data.moment import moments
from fusion.data.split import split as parted
from fusion.data.split_column import ON
from fusion.errors import CohortError
from fusion.report.results import Results


def origin(results: Results) -> str:
    """Whether the sets are those that the run's own draw gives; else a column, or the cohort table named them."""
    run, rows = results.run, results.cohort
    if set(rows["set"]) == {"train"}:
        return "no test set"
    if isinstance(run.split, Temporal):
        return by_column(run.split, rows)
    if isinstance(run.split, External):
        return "; ".join(part for part in (by_column(run.split, rows), _drawn(results, run.split)) if part)
    return _drawn(results, run.split)


def by_column(split: Split, cohort: pd.DataFrame) -> str:
    """How a column of the cohort table parts the sets, in words; empty where none does.

    Args:
        split: of the run.
        cohort: case, patient, set, and what the split goes by.
    """
    if isinstance(split, External):
        return f"external set by column {split.column!r} ({', '.join(map(str, split.values))})"
    if not isinstance(split, Temporal):
        return ""
    older = _older(split, cohort)
    tested = f"test set by time, patients with a case from {_since(split, cohort)} on (column {split.column!r})"
    return f"{tested}; {older} earlier case{'' if older == 1 else 's'} of theirs tested with them" if older else tested


def _drawn(results: Results, split: Split) -> str:
    run, rows = results.run, results.cohort
    if isinstance(split, External) and not (rows["set"] == "test").any():
        return ""
    known = rows[[name for name in ("case", "patient", "event", ON) if name in rows]]
    try:
        again = parted(known.astype({ON: str} if ON in known else {}), split, run.seed).set_index("case")["set"]
    except CohortError:  # too few patients for the draw, so the sets cannot come from it
        again = pd.Series(dtype=str)
    if again.to_dict() != rows.set_index("case")["set"].to_dict():
        return "sets as the cohort table names them"
    assert isinstance(split, Holdout | External)
    others = "other " if isinstance(split, External) else ""
    return f"test set of {split.test_fraction:.0%} of the {others}patients drawn the same way"


def _when(split: Temporal, cohort: pd.DataFrame) -> "pd.Series[float]":
    return moments(cohort[ON].astype(str), split.since)[0]


def _since(split: Temporal, cohort: pd.DataFrame) -> str:
    """The first date of the test set, as it is written."""
    if split.since is not None:
        return str(split.since)
    newest = _when(split, cohort).groupby(cohort["patient"]).idxmax()
    tested = newest[cohort["set"].loc[newest].to_numpy() == "test"]
    return str(cohort[ON].loc[_when(split, cohort).loc[tested].idxmin()])


def _older(split: Temporal, cohort: pd.DataFrame) -> int:
    """Tested cases from before the first date of the test set."""
    test = cohort["set"] == "test"
    when = _when(split, cohort)
    first = when.groupby(cohort["patient"]).transform("max")[test].min()
    if split.since is not None:
        first = moments(cohort[ON].astype(str), split.since)[1]
    return int((when[test] < first).sum())
