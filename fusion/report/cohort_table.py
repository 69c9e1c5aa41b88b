"""Clinical variables by set and outcome, with the tests between them: the rows of tables/cohort.csv."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.config.cohort import Category, Number
from fusion.data.cohort import level_word
from fusion.evaluate.cohort_tests import Difference, counts_differ, numbers_differ
from fusion.report.results import Results
from fusion.report.words import UNKNOWN, number, p_value, share

SETS = ("train", "test", "external")
MEAN, MEDIAN = "mean ± SD", "median (IQR)"


@dataclass(frozen=True)
class Comparison:
    """Two groups of cases, called as in the column heads, and how they differ in each variable."""

    name: str
    first: str
    second: str
    groups: Mapping[str, pd.DataFrame]
    differences: Mapping[str, Difference]


def comparisons(results: Results) -> list[Comparison]:
    """Training against test and external set; in the training set the positive class against the other.

    The classes are compared in training cases alone: what is read here may guide a choice of variables, and the test
    set must have no part in one.
    """
    rows, names = results.cohort, results.run.cohort
    sets = {name: rows[rows["set"] == name] for name in SETS if (rows["set"] == name).any()}
    found = [_compared(results, f"train vs {name}", {"train": sets["train"], name: own})
             for name, own in sets.items() if name != "train" and "train" in sets]  # fmt: skip
    if "train" not in sets:
        return found
    classes = {names.positive_name: 1, names.negative_name: 0}
    parts = {name: sets["train"][sets["train"]["event"] == event] for name, event in classes.items()}
    return [*found, _compared(results, f"{names.positive_name} vs {names.negative_name}, train", parts)]


def cohort(results: Results, compared: list[Comparison]) -> pd.DataFrame:
    """Cases, patients and clinical variables by set and outcome, by set, and P, test and standardised difference.

    A number has a row for mean ± SD and one for median (IQR); its P stands in the row that suits the test.
    """
    groups = {**_by_outcome(results), **_by_set(results)}
    rows = [
        {"Variable": "Cases", "Level": "", **{name: str(len(group)) for name, group in groups.items()}},
        {"Variable": "Patients", "Level": "", **{name: str(own["patient"].nunique()) for name, own in groups.items()}},
    ]
    for name, kind in results.run.cohort.clinical.items():
        for place, (level, cells) in enumerate(described(name, kind, groups).items()):
            found = {key: cell for own in compared for key, cell in _tested(own, name, level, place).items()}
            rows.append({"Variable": name, "Level": level, **cells, **found})
    return pd.DataFrame(rows).fillna("")


def shown(results: Results, own: Comparison) -> pd.DataFrame:
    """The rows of one comparison as a paper prints them: each number by the summary that suits its test."""
    rows = []
    for name, kind in results.run.cohort.clinical.items():
        difference = own.differences[name]
        hidden = {"mean": MEDIAN, "median": MEAN}.get(difference.summary)
        cells = {level: row for level, row in described(name, kind, own.groups).items() if level != hidden}
        for place, (level, row) in enumerate(cells.items()):
            tests = (p_value(difference.p), difference.test, distance(difference.smd)) if place == 0 else ("", "", "")
            heads = {f"{group} (n = {len(own.groups[group])})": cell for group, cell in row.items()}
            told = dict(zip(("P", "Test", "SMD"), tests, strict=True))
            rows.append({"Variable": name if place == 0 else "", "Level": level, **heads, **told})
    return pd.DataFrame(rows)


def described(name: str, kind: Number | Category, groups: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, str]]:
    """A variable's rows by level, each with a cell a group: counts with percentage, or both summaries of a number."""
    if isinstance(kind, Number):
        values = {group: own[name].astype(float) for group, own in groups.items()}
        return {MEAN: {group: _mean(own) for group, own in values.items()},
                MEDIAN: {group: _median(own) for group, own in values.items()}}  # fmt: skip
    return {
        level: {group: share(int((own[name] == level).sum()), len(own)) for group, own in groups.items()}
        for level in (level_word(value) for value in kind.values)
    }


def distance(smd: float) -> str:
    """A standardised mean difference in print; infinite where a level parts the groups."""
    return "∞" if np.isinf(smd) else number(smd)


def repeated(cases: pd.DataFrame) -> list[str]:
    """A caution where patients have several cases, which tests take for independent; else nothing."""
    again = len(cases) - cases["patient"].nunique()
    told = (
        f"{again} of {len(cases)} cases are of a patient who has another; tests and intervals take them for independent"
    )
    return [f"{told}, and are then too sure."] if again else []


def _compared(results: Results, name: str, groups: Mapping[str, pd.DataFrame]) -> Comparison:
    first, second = groups
    differences = {
        variable: _difference(groups[first][variable], groups[second][variable], kind, results.run.seed)
        for variable, kind in results.run.cohort.clinical.items()
    }
    return Comparison(name, first, second, groups, differences)


def _difference(first: pd.Series, second: pd.Series, kind: Number | Category, seed: int) -> Difference:
    if isinstance(kind, Number):
        return numbers_differ(first.to_numpy(float), second.to_numpy(float))
    levels = [level_word(value) for value in kind.values]
    return counts_differ(
        np.array([[int((own == level).sum()) for level in levels] for own in (first, second)]), seed=seed
    )


def _tested(own: Comparison, name: str, level: str, place: int) -> dict[str, str]:
    """P, test and SMD of a comparison, in the one row of the variable where they belong."""
    difference = own.differences[name]
    here = level == {"mean": MEAN, "median": MEDIAN}.get(difference.summary, level if place == 0 else None)
    cells = (p_value(difference.p), difference.test, distance(difference.smd)) if here else ("", "", "")
    return {f"{word} ({own.name})": cell for word, cell in zip(("P", "Test", "SMD"), cells, strict=True)}


def _by_outcome(results: Results) -> dict[str, pd.DataFrame]:
    """Cases by set and outcome, in the order of the flow, named as a column head."""
    names = {1: results.run.cohort.positive_name, 0: results.run.cohort.negative_name}
    return {
        f"{set_}: {names[event]}": own[own["event"] == event]
        for set_, own in _by_set(results).items()
        for event in (1, 0)
    }


def _by_set(results: Results) -> dict[str, pd.DataFrame]:
    rows = results.cohort
    return {name: rows[rows["set"] == name] for name in SETS if (rows["set"] == name).any()}


def _mean(values: "pd.Series[float]") -> str:
    return f"{number(values.mean(), 2)} ± {number(values.std(), 2)}"


def _median(values: "pd.Series[float]") -> str:
    low, middle, high = (number(float(values.quantile(share)), 2) for share in (0.25, 0.5, 0.75))
    return UNKNOWN if values.empty else f"{middle} ({low}–{high})"
