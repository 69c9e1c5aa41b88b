"""Where a run's sets come from: its own draw, or the cohort table."""

import pandas as pd

from fusion.data.split import split as parted
from fusion.errors import CohortError
from fusion.report.results import Results


def origin(results: Results) -> str:
    """Whether the sets are those that the run's own draw gives; else the cohort table named them."""
    run, rows = results.run, results.cohort
    if set(rows["set"]) == {"train"}:
        return "no test set"
    try:
        again = parted(rows[["case", "patient", "event"]], run.split, run.seed).set_index("case")["set"]
    except CohortError:  # too few patients for the draw, so the sets cannot come from it
        again = pd.Series(dtype=str)
    if again.to_dict() != rows.set_index("case")["set"].to_dict():
        return "sets as the cohort table names them"
    return f"test set of {run.split.test_fraction:.0%} of the patients drawn the same way"
