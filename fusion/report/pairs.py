"""Two runs over the same cases: which those are, and DeLong's paired test of every model that both have."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from fusion.evaluate import predictions
from fusion.evaluate.discrimination import Comparison, delong_test, holm
from fusion.report.results import Results

OWN = {"case", "set", "fold"}
"""Columns of cohort.csv that a run may choose for itself."""


@dataclass(frozen=True)
class Pair:
    """One model of two runs over the cases that both have in a set: first minus second."""

    model: str
    set: str
    first: str
    second: str
    n: int
    events: int
    test: Comparison


def paired(runs: Mapping[str, Results]) -> list[Pair]:
    """Every model and set that two runs have over the same cases; cases that only one has there are left out."""
    return [
        pair
        for one, two in combinations(runs, 2)
        if same_cases(runs[one], runs[two])
        for set_ in predictions.SETS
        for model in runs[one].models
        if model in runs[two].models and (pair := _pair(runs, one, two, model, set_)) is not None
    ]


def corrected(pairs: list[Pair]) -> list[float]:
    """Holm's adjusted p of each pair, over the pairs of its set."""
    sets = {pair.set for pair in pairs}
    adjusted = {set_: iter(holm(np.array([own.test.p for own in pairs if own.set == set_]))) for set_ in sets}
    return [float(next(adjusted[pair.set])) for pair in pairs]


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


def _pair(runs: Mapping[str, Results], one: str, two: str, model: str, set_: str) -> Pair | None:
    """None where fewer than two cases of a class are in both."""
    mine, its = (predictions.of(runs[name].predictions, model, set_) for name in (one, two))
    both = mine.index.intersection(its.index)
    events = mine.loc[both, "event"].to_numpy()
    if len(both) == 0 or np.bincount(events, minlength=2).min() < 2:
        return None
    first, second = (own.loc[both, "probability"].to_numpy() for own in (mine, its))
    test = delong_test(first, second, events, runs[one].run.evaluate.confidence)
    return Pair(model, set_, one, two, len(both), int(events.sum()), test)
