"""From the cohort to its sets and folds, in counts."""

import pandas as pd

from fusion.report.blocks import Rows, Section
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import SETS


def topic(results: Results) -> Topic:
    """Cases, patients and events of the cohort and of each set."""
    table = counts(results)
    return Topic(Section("flow", "Flow of cases", [Rows.of(table)], "Flow"), {"flow": table})


def counts(results: Results) -> pd.DataFrame:
    """The whole cohort, then each set: cases, patients, events, the other class, folds."""
    rows, cohort = results.cohort, results.run.cohort
    names = sorted(rows["set"].unique(), key=["train", "test", "external"].index)
    parts = {"Cohort": rows, **{SETS[name].capitalize(): rows[rows["set"] == name] for name in names}}
    return pd.DataFrame(
        {"": title, "Cases": len(own), "Patients": own["patient"].nunique(),
         cohort.positive_name: int(own["event"].sum()), cohort.negative_name: int((own["event"] == 0).sum())}
        for title, own in parts.items()
    )  # fmt: skip
