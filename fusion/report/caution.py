"""A word of caution where a set has too few cases of a class for an interval to be believed."""

from fusion.report.blocks import Prose
from fusion.report.findings import TESTABLE
from fusion.report.results import Results
from fusion.report.words import SETS


def few(results: Results, set_: str) -> list[Prose]:
    """Nothing, or that the smaller class has under ``TESTABLE`` cases."""
    row, cohort = results.rows(set_).iloc[0], results.run.cohort
    smaller = int(min(row["events"], row["n"] - row["events"]))
    if smaller >= TESTABLE:
        return []
    name = cohort.positive_name if row["events"] == smaller else cohort.negative_name
    text = f"With {smaller} {name} cases in the {SETS[set_]} no interval or P here is to be leaned on."
    return [Prose(text, faint=False)]
