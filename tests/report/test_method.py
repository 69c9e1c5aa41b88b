"""The method in words: what it says of the sets is what the run did."""

import pandas as pd

from fusion.data.split import split
from fusion.report.method import method
from fusion.report.results import read


def test_drawn_sets_and_sets_of_the_cohort_table_are_told_apart(make_run):
    folder, run = make_run("network=null")
    cohort = pd.read_csv(folder / "cohort.csv", dtype={"case": str, "patient": str})
    own = split(cohort[["case", "patient", "event"]], run.split, run.seed).set_index("case")
    drawn = cohort.assign(set=cohort["case"].map(own["set"]), fold=cohort["case"].map(own["fold"]))
    assert "30% of the patients drawn the same way, judged once" in _split(folder, run, drawn)
    named = drawn.assign(set=drawn["set"].replace({"test": "external"}))
    assert "sets as the cohort table names them" in _split(folder, run, named)


def _split(folder, run, cohort: pd.DataFrame) -> str:
    cohort.to_csv(folder / "cohort.csv", index=False)
    return dict(method(read(folder, run)))["Split"]
