"""The cohort by set and outcome."""

import pandas as pd

from fusion.config.cohort import Category, Number
from fusion.data.cohort import level_word
from fusion.report.blocks import Rows, Section
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import number, share


def topic(results: Results) -> Topic:
    """Cases, patients and clinical variables by set and outcome."""
    table = cohort(results)
    named_once = table.assign(Variable=table["Variable"].mask(table["Variable"].duplicated(), ""))
    section = Section("table_one", "The cohort", [Rows.of(named_once, words=2)], "Cohort")
    return Topic(section, {"cohort": table})


def cohort(results: Results) -> pd.DataFrame:
    """Cases, patients and clinical variables by set and outcome: mean ± SD, or count and percentage."""
    groups = _groups(results)
    rows = [
        ["Cases", "", *(str(len(group)) for group in groups.values())],
        ["Patients", "", *(str(group["patient"].nunique()) for group in groups.values())],
    ]
    for name, kind in results.run.cohort.clinical.items():
        rows += _variable(name, kind, groups)
    return pd.DataFrame(rows, columns=["Variable", "Level", *groups])


def _groups(results: Results) -> dict[str, pd.DataFrame]:
    """Cases by set and outcome, in the order of the flow, named as a column head."""
    names = {1: results.run.cohort.positive_name, 0: results.run.cohort.negative_name}
    rows = results.cohort
    return {
        f"{set_}: {names[event]}": rows[(rows["set"] == set_) & (rows["event"] == event)]
        for set_ in ("train", "test", "external")
        if (rows["set"] == set_).any()
        for event in (1, 0)
    }


def _variable(name: str, kind: Number | Category, groups: dict[str, pd.DataFrame]) -> list[list[str]]:
    if isinstance(kind, Number):
        return [[name, "mean ± SD", *(_mean(group[name].astype(float)) for group in groups.values())]]
    levels = [level_word(value) for value in kind.values]
    return [
        [name, level, *(share(int((group[name] == level).sum()), len(group)) for group in groups.values())]
        for level in levels
    ]


def _mean(values: "pd.Series[float]") -> str:
    return f"{number(values.mean(), 2)} ± {number(values.std(), 2)}"
