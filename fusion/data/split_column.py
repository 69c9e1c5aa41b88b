"""The column of the cohort table that a split goes by: which it is, and every cell that it cannot go by."""

from collections.abc import Iterator

import pandas as pd

from fusion.config.cohort import Cohort
from fusion.config.split import External, Holdout, LeaveOneScannerOut, Split, Temporal
from fusion.data.moment import moments
from fusion.data.words import word
from fusion.errors import Fault

ON = "split_on"
"""The column of a cohort's rows with the word that the split goes by."""


def column(cohort: Cohort, split: Split) -> str | None:
    """The name of the column; None where the split goes by none."""
    if isinstance(split, LeaveOneScannerOut):
        return split.column or cohort.scanner
    return split.column if isinstance(split, Temporal | External) else None


def missing(words: pd.DataFrame, cohort: Cohort, split: Split) -> list[Fault]:
    """A fault where the table lacks the column."""
    name, table = column(cohort, split), str(cohort.table)
    if name is None or name in words:
        return []
    found = f"no column {name!r} (columns: {', '.join(words.columns)})"
    return [Fault(found, f"the column of split.kind={split.kind}", "add it or set split.column", file=table)]


def faults(words: pd.DataFrame, cohort: Cohort, split: Split, patient: str) -> list[Fault]:
    """Cells that are empty or no date, values that no case has, patients in two places, a second word on the sets.

    Args:
        words: the table, which has the column.
        cohort: names of its other columns.
        split: its kind.
        patient: the column with the patient.
    """
    found, table = list(_two_words(words, cohort, split)), str(cohort.table)
    if (name := column(cohort, split)) is None:
        return found
    for case in words[cohort.case][words[name] == ""]:
        found.append(Fault(f"nothing in column {name!r}", f"a value, as split.kind={split.kind} goes by it",
                           "fill the cell or delete the row", case, table))  # fmt: skip
    match split:
        case Temporal():
            return [*found, *_undated(words, cohort, split, name)]
        case External():
            found += _unknown(words, split, name, table)
    return [*found, *_parted(words, split, name, patient, table)]


def _two_words(words: pd.DataFrame, cohort: Cohort, split: Split) -> Iterator[Fault]:
    if cohort.set in words and not isinstance(split, Holdout | External):
        found = f"a column {cohort.set!r} and split.kind={split.kind}"
        remedy = "delete or rename the column, or set split.kind=holdout"
        yield Fault(found, "one of them to say who judges", remedy, file=str(cohort.table))


def _undated(words: pd.DataFrame, cohort: Cohort, split: Temporal, name: str) -> Iterator[Fault]:
    when, since = moments(words[name], split.since)
    expected = "dates such as 2019-03-01, or numbers in every row (and in split.since)"
    for case, value in zip(words[cohort.case][when.isna()], words[name][when.isna()], strict=True):
        if value:
            yield Fault(f"{name} = {value!r}", expected, "mend the cell", case, str(cohort.table))
    if since is not None and since != since:
        yield Fault(f"split.since = {split.since!r}", f"{expected}, as column {name!r} has", "change split.since")


def _unknown(words: pd.DataFrame, split: External, name: str, table: str) -> Iterator[Fault]:
    there = sorted(set(words[name]) - {""})
    for value in split.values:
        if word(value) not in there:
            yield Fault(f"no case with {name} = {word(value)!r}", f"one of {', '.join(there)}", "change split.values",
                        file=table)  # fmt: skip


def _parted(words: pd.DataFrame, split: Split, name: str, patient: str, table: str) -> Iterator[Fault]:
    """Patients whom the split would part."""
    values = [word(value) for value in split.values] if isinstance(split, External) else None
    place = words[name] if values is None else words[name].isin(values)
    for who, own in words[name][words[name] != ""].groupby(words[patient]):
        if place[own.index].nunique() > 1 and who:
            remedy = "name them alike if they are one place, or leave all but one place's cases of the patient out"
            yield Fault(f"patient {who} with {name} {' and '.join(sorted(set(own)))}", "one a patient, as patients "
                        "never part", remedy, file=table)  # fmt: skip
