"""The way into the cohort: from the table over the rules of eligibility and the cases that could not be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fusion.config.cohort import Cohort, Level
from fusion.data.cohort import level_word
from fusion.report.alike import alike
from fusion.report.blocks import Block, Folded, Rows
from fusion.report.words import UNKNOWN

RULES, EXCLUDED, LOST = "eligibility.csv", "excluded.csv", "lost.csv"
"""In the run folder, each where there is something to tell."""


@dataclass(frozen=True)
class Step:
    """One reason to leave, in the chart's words, and who left."""

    name: str
    left: pd.DataFrame
    """A row a case: case, and where it is known patient and outcome."""


@dataclass(frozen=True)
class Way:
    """Everything before the cohort."""

    table: int
    """Cases in the table."""
    steps: Sequence[Step]

    @property
    def left(self) -> int:
        """Cases that are in the table and not in the cohort."""
        return sum(len(step.left) for step in self.steps)


def read(folder: Path, cohort: Cohort, cases: int) -> Way | None:
    """How ``cases`` came to be the cohort; None in a run without rules that lost no case."""
    steps = [*_by_rule(folder, cohort), *_lost(folder)]
    return Way(cases + sum(len(step.left) for step in steps), steps) if steps else None


def rows(way: Way | None, cohort: Cohort) -> pd.DataFrame:
    """A row for the table and for every step: Part, Cases, Patients and, for one question, each class, as far as known.

    Classes are those of the table; a case that left keeps no check of its outcome, so one may be of neither.
    """
    classes = {} if cohort.tasks else {cohort.positive_name: cohort.positive, cohort.negative_name: cohort.negative}
    made = [] if way is None else [{"Part": "Table", "Cases": way.table}, *(_row(step, classes) for step in way.steps)]
    return pd.DataFrame(made, columns=["Part", "Cases", "Patients", *classes]).astype(
        dict.fromkeys(["Cases", "Patients", *classes], "Int64")
    )


def says(way: Way | None, noun: str = "cases") -> str:
    """The way in one sentence; empty without one."""
    if way is None:
        return ""
    told = "; ".join(f"{len(step.left)} {step.name[0].lower()}{step.name[1:]}" for step in way.steps if len(step.left))
    return f"Of {way.table} {noun} in the table {way.left} are not in the cohort{f' ({told})' if told else ''}. "


def reasons(folder: Path) -> list[Block]:
    """Why cases were lost, by stage, folded; nothing where none was."""
    table = _table(folder / LOST)
    if table is None or table.empty:
        return []
    told = [(str(stage), *own) for stage, part in table.groupby("stage", sort=False)
            for own in alike(zip(part["case"], part["reason"], strict=True))]  # fmt: skip
    shown = pd.DataFrame(told, columns=["Stage", "What was found", "Cases"])
    note = f"Which cases they are, the run folder tells: {LOST}."
    return [Folded("Why cases could not be used", [Rows.of(shown, words=2, note=note)])]


def printed(table: pd.DataFrame) -> pd.DataFrame:
    """Counts as words, a dash where one is not known."""
    return table.astype(object).where(table.notna(), UNKNOWN).astype(str)


def _by_rule(folder: Path, cohort: Cohort) -> list[Step]:
    rules, excluded = _table(folder / RULES), _table(folder / EXCLUDED)
    if rules is None or excluded is None:
        return []
    met = {rule.name for rule in cohort.eligibility if rule.include is not None}
    names = rules["rule"].tolist()[1:]  # the first row is the table
    return [
        Step(f"{'Not met' if name in met else 'Excluded'}: {name}", excluded[excluded["rule"] == name])
        for name in names
    ]


def _lost(folder: Path) -> list[Step]:
    table = _table(folder / LOST)
    if table is None or table.empty:
        return []
    return [Step("Could not be read or measured", table.drop_duplicates("case").reset_index(drop=True))]


def _row(step: Step, classes: Mapping[str, Level]) -> dict[str, object]:
    left = step.left
    patients = left["patient"].nunique() if "patient" in left else pd.NA
    counts = {
        name: int((left["outcome"] == level_word(value)).sum()) if "outcome" in left else pd.NA
        for name, value in classes.items()
    }
    return {"Part": step.name, "Cases": len(left), "Patients": patients, **counts}


def _table(path: Path) -> pd.DataFrame | None:
    return pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else None
