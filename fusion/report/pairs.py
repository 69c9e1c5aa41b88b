"""Two runs over the same cases: which those are, and DeLong's paired test of every model that both have."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from fusion.evaluate import predictions
from fusion.evaluate.discrimination import delong_test, holm
from fusion.report.results import Results

OWN = {"case", "set", "fold"}
"""Columns of cohort.csv that a run may choose for itself."""
COLUMNS = ["model", "set", "first", "second", "n", "events", "difference", "low", "high", "p", "p_holm"]


def paired(runs: Mapping[str, Results]) -> pd.DataFrame:
    """One row a model, set and pair of runs that have it over the same cases: first minus second, with p.

    Holm's correction runs over the rows of a set. Cases that only one of the two has in this set are left out.
    """
    rows = [
        {"model": model, "set": set_, "first": one, "second": two, **found}
        for one, two in combinations(runs, 2)
        if same_cases(runs[one], runs[two])
        for set_ in predictions.SETS
        for model in runs[one].models
        if model in runs[two].models and (found := _test(runs[one], runs[two], model, set_))
    ]
    table = pd.DataFrame(rows, columns=COLUMNS[:-1])
    table["p_holm"] = table.groupby("set")["p"].transform(lambda p: holm(p.to_numpy()))
    return table


def common(one: Results, two: Results) -> list[str]:
    """Names that occur in both cohorts."""
    return sorted(set(one.cohort["case"]) & set(two.cohort["case"]))


def same_cases(one: Results, two: Results) -> bool:
    """Whether the names that both cohorts have stand for the same cases: the same data, or every shared column equal.

    Synthetic cohorts and numbered tables share names without sharing patients.
    """
    names = common(one, two)
    if not names:
        return False
    if one.environment["data_sha256"] == two.environment["data_sha256"]:
        return one.run.cohort.positive_name == two.run.cohort.positive_name and _agree(one, two, names, ["event"])
    shared = [name for name in one.cohort.columns if name in two.cohort.columns and name not in OWN]
    return _agree(one, two, names, shared)


def _agree(one: Results, two: Results, names: list[str], columns: list[str]) -> bool:
    mine, its = (own.cohort.set_index("case").loc[names, columns].astype(str) for own in (one, two))
    return bool(mine.equals(its))


def _test(one: Results, two: Results, model: str, set_: str) -> dict[str, float | int]:
    """Nothing where fewer than two cases of a class are in both."""
    mine, its = (predictions.of(own.predictions, model, set_) for own in (one, two))
    both = mine.index.intersection(its.index)
    events = mine.loc[both, "event"].to_numpy()
    if len(both) == 0 or np.bincount(events, minlength=2).min() < 2:
        return {}
    first, second = (own.loc[both, "probability"].to_numpy() for own in (mine, its))
    test = delong_test(first, second, events, one.run.evaluate.confidence)
    return {"n": len(both), "events": int(events.sum()), "difference": test.difference, "low": test.low,
            "high": test.high, "p": test.p}  # fmt: skip
