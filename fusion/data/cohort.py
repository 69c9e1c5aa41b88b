"""The case table: read as words, checked whole, then typed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from fusion.config.cohort import Category, Cohort, Level, Number
from fusion.config.split import Holdout, Split
from fusion.data import eligibility, split_column
from fusion.data.eligibility import Left
from fusion.data.one_image import READER, OneImage
from fusion.data.sequences import Sequences
from fusion.data.words import read_words, word
from fusion.errors import CohortError, Fault

__all__ = ["READER", "SETS", "Table", "level_word", "read"]

SETS = ("train", "test", "external")
HOLDOUT = Holdout()
SAFE_NAME = re.compile(r"[^\W_][\w .+=@-]*")


@dataclass(frozen=True)
class Table:
    """A cohort: ``rows`` has case, patient, the outcome, clinical columns, and set and scanner where given.

    A split that goes by a column has its word in ``split_on``.

    Rows are those that the rules of ``cohort.eligibility`` on the table leave; ``left`` are the others.

    The outcome is ``event`` for one image a case, with a column a reader; it is ``outcome`` (a word) for sequences,
    with a column ``has_SEQUENCE`` a sequence. ``files`` has a ``case.Files`` for every row with paths, or a
    ``study.Study`` for every row. Only a table without ``faults`` may be used further.
    """

    rows: pd.DataFrame
    files: tuple[Any, ...]
    faults: tuple[Fault, ...]
    total: int
    """Rows before any rule."""
    left: tuple[Left, ...] = ()
    outcomes: dict[str, str] = field(default_factory=dict)
    """The outcome's word of every case in the file, also of those that left."""
    patients: dict[str, str] = field(default_factory=dict)
    """The patient of every case in the file."""


def read(
    cohort: Cohort,
    seed: int,
    sequences: Iterable[str] | None = None,
    tasks: Iterable[str] | None = None,
    split: Split = HOLDOUT,
) -> Table:
    """The cohort behind ``cohort.table``, with every fault of its cells: ids, outcome, readers, sets, clinical, paths.

    Args:
        cohort: names of the columns.
        seed: of the permutation that ``cohort.shuffle_outcome`` asks for.
        sequences: those of ``cohort.sequences`` in use; None for all.
        tasks: those of ``cohort.tasks`` in use, whose every class needs a case; None for all.
        split: may go by a column of the table.

    Raises:
        CohortError: the table cannot be read, columns are missing, or a rule cannot judge a case.
    """
    every, kind = read_words(cohort.table), _kind(cohort, sequences, tasks)
    faults = _missing_columns(every, cohort, kind) + eligibility.missing_columns(every, cohort)
    faults += split_column.missing(every, cohort, split)
    if faults:
        raise CohortError(faults)
    words, left = eligibility.by_table(every, cohort)
    faults = ids(words, cohort) + kind.outcome_faults(words) + _sets(words, cohort, kind) + _clinical(words, cohort)
    faults += kind.cell_faults(words) + split_column.faults(words, cohort, split, _patient(words, cohort))
    outcomes, patients = (
        dict(zip(every[cohort.case], every[name], strict=True)) for name in (cohort.outcome, _patient(every, cohort))
    )
    rows = _typed(words, cohort, kind, seed)
    if (column := split_column.column(cohort, split)) is not None:
        rows[split_column.ON] = words[column]
    return Table(rows, kind.files(words), tuple(faults), len(every), left, outcomes, patients)


def _kind(cohort: Cohort, sequences: Iterable[str] | None, tasks: Iterable[str] | None) -> OneImage | Sequences:
    if not cohort.sequences:
        return OneImage(cohort)
    names = set(cohort.sequences) if sequences is None else set(sequences)
    asked = set(cohort.tasks) if tasks is None else set(tasks)
    used = {name: task for name, task in cohort.tasks.items() if name in asked}
    return Sequences(cohort, tuple(name for name in cohort.sequences if name in names), used)


def _typed(words: pd.DataFrame, cohort: Cohort, kind: OneImage | Sequences, seed: int) -> pd.DataFrame:
    rows = pd.DataFrame({"case": words[cohort.case], "patient": words[_patient(words, cohort)]})
    outcome = kind.outcome(words)
    rows[outcome.name] = np.random.default_rng(seed).permutation(outcome) if cohort.shuffle_outcome else outcome
    for optional, name in (("set", cohort.set), ("scanner", cohort.scanner)):
        if name in words:
            rows[optional] = words[name]
    for name, own in cohort.clinical.items():
        rows[name] = pd.to_numeric(words[name], errors="coerce") if isinstance(own, Number) else words[name]
    return rows.assign(**kind.extra(words))


def _missing_columns(words: pd.DataFrame, cohort: Cohort, kind: OneImage | Sequences) -> list[Fault]:
    clinical = {f"clinical.{name}": name for name in cohort.clinical}
    needed = {"case": cohort.case, **kind.columns, **clinical, **kind.more_columns}
    optional = {name: getattr(cohort, name) for name in ("patient", "external2", "set", "scanner", "second_reader")}
    needed |= {field: name for field, name in optional.items() if name != Cohort.model_fields[field].default}
    return [
        Fault(f"no column {name!r} (columns: {', '.join(words.columns)})", f"the column of cohort.{field}",
              f"add it or set cohort.{field}", file=str(cohort.table))
        for field, name in needed.items()
        if name not in words
    ]  # fmt: skip


def ids(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
    """Case ids that are missing, twice, or no file names; cases without a patient."""
    table, faults = str(cohort.table), []
    counts = words[cohort.case].value_counts()
    for case, count in counts[counts > 1].items():
        if case:
            faults.append(Fault(f"{count} rows", "one row a case", "delete or rename the others", str(case), table))
    for row, case in enumerate(words[cohort.case], 2):
        if not SAFE_NAME.fullmatch(case):
            expected = "letters, digits and . _ - + = @, as file names are made of it"
            faults.append(Fault(f"case id {case!r} in row {row}", expected, "rename it", file=table))
    for case in words[cohort.case][words[_patient(words, cohort)] == ""]:
        faults.append(Fault("no patient", "a patient id in every row", "fill the cell", case, table))
    return faults


def _patient(words: pd.DataFrame, cohort: Cohort) -> str:
    return cohort.patient if cohort.patient in words else cohort.case


def _sets(words: pd.DataFrame, cohort: Cohort, kind: OneImage | Sequences) -> list[Fault]:
    if cohort.set not in words:
        return []
    table, sets, patients = str(cohort.table), words[cohort.set], words[_patient(words, cohort)]
    faults = [
        Fault(f"{cohort.set} = {value!r}", f"one of {', '.join(SETS)}", "mend the cell", case, table)
        for case, value in zip(words[cohort.case], sets, strict=True)
        if value not in SETS
    ]
    for patient, own in sets.groupby(patients):
        if own.nunique() > 1:
            cases = ", ".join(words[cohort.case][patients == patient])
            remedy = f"put all of the patient's cases in one set ({cases})"
            faults.append(
                Fault(f"patient {patient} in {' and '.join(sorted(set(own)))}", "one set", remedy, file=table)
            )
    return faults + [fault for name in SETS for fault in kind.set_faults(words[sets == name], name)]


def _clinical(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
    return [
        Fault(f"{name} = {value!r}", expected, f"mend the cell or cohort.clinical.{name}", case, str(cohort.table))
        for name, kind in cohort.clinical.items()
        for case, value in zip(words[cohort.case], words[name], strict=True)
        if (expected := expected_in_cell(value, kind))
    ]


def expected_in_cell(value: str, kind: Number | Category) -> str:
    """What should stand in a clinical cell; empty when ``value`` is fine."""
    if isinstance(kind, Category):
        return "" if value in map(level_word, kind.values) else allowed(kind)
    try:
        number = float(value)
    except ValueError:
        return allowed(kind)
    low, high = _ends(kind)
    return "" if low <= number <= high and abs(number) != float("inf") else allowed(kind)


def allowed(kind: Number | Category) -> str:
    """Every value that a clinical variable may have, in words.

    >>> allowed(Number(low=0, high=120)), allowed(Category(values=("clear", "unclear")))
    ('a number from 0 to 120', 'one of clear, unclear')
    """
    if isinstance(kind, Category):
        return f"one of {', '.join(map(level_word, kind.values))}"
    low, high = _ends(kind)
    return f"a number from {low:g} to {high:g}"


def _ends(kind: Number) -> tuple[float, float]:
    return (-float("inf") if kind.low is None else kind.low), (float("inf") if kind.high is None else kind.high)


def level_word(level: Level) -> str:
    """A level of a category as the cohort's rows hold it."""
    return word(level)
