"""The case table: read as words, checked whole, then typed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.cohort import Category, Cohort, Level, Number
from fusion.data.case import Files
from fusion.errors import CohortError, Fault

SETS = ("train", "test", "external")
MISSING = {"", "na", "n/a", "nan", "nat", "<na>"}
WHOLE = re.compile(r"(-?\d+)\.0+")
READER = "reader:"
"""What the name of a reader's column begins with in the rows of a cohort."""
SAFE_NAME = re.compile(r"[^\W_][\w .+=@-]*")


@dataclass(frozen=True)
class Table:
    """A cohort: ``rows`` has case, patient, event, clinical columns, and set, scanner and readers' calls where given.

    ``files`` has an entry for every row with paths. Only a table without ``faults`` may be used further.
    """

    rows: pd.DataFrame
    files: tuple[Files, ...]
    faults: tuple[Fault, ...]


def read(cohort: Cohort, seed: int) -> Table:
    """The cohort behind ``cohort.table``, with every fault of its cells: ids, outcome, readers, sets, clinical, paths.

    Args:
        cohort: names of the columns.
        seed: of the permutation that ``cohort.shuffle_outcome`` asks for.

    Raises:
        CohortError: the table cannot be read, or columns are missing.
    """
    words = _words(cohort.table)
    faults = _missing_columns(words, cohort)
    if faults:
        raise CohortError(faults)
    faults = _ids(words, cohort) + _outcomes(words, cohort) + _sets(words, cohort) + _clinical(words, cohort)
    faults += _readers(words, cohort) + _paths(words, cohort)
    files = tuple(own for _, row in words.iterrows() if (own := _files(row, cohort)) is not None)
    return Table(_typed(words, cohort, seed), files, tuple(faults))


def _typed(words: pd.DataFrame, cohort: Cohort, seed: int) -> pd.DataFrame:
    rows = pd.DataFrame({"case": words[cohort.case], "patient": words[_patient(words, cohort)]})
    rows["event"] = (words[cohort.outcome] == _word(cohort.positive)).astype(int)
    if cohort.shuffle_outcome:
        rows["event"] = np.random.default_rng(seed).permutation(rows["event"])
    for optional, name in (("set", cohort.set), ("scanner", cohort.scanner)):
        if name in words:
            rows[optional] = words[name]
    for name, kind in cohort.clinical.items():
        rows[name] = pd.to_numeric(words[name], errors="coerce") if isinstance(kind, Number) else words[name]
    calls = {_word(cohort.positive): 1, _word(cohort.negative): 0}
    for name, column in cohort.readers.items():
        rows[f"{READER}{name}"] = words[column].map(calls).astype("Int64")
    return rows


def _words(path: Path) -> pd.DataFrame:
    """Every cell as a stripped word; an empty word where nothing is known."""
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {".csv": _csv, ".xlsx": _excel, ".parquet": pd.read_parquet}
    if path.suffix.lower() not in readers:
        raise CohortError(Fault("an unknown table format", ".csv, .xlsx or .parquet", "convert it", file=str(path)))
    if not path.is_file():
        remedy = "check cohort.table, or set cohort.phantom to make a synthetic cohort there"
        raise CohortError(Fault("no such file", "the cohort table", remedy, file=str(path)))
    try:
        raw = readers[path.suffix.lower()](path)
    except (
        OSError,
        ValueError,
        ImportError,
        KeyError,
        pd.errors.ParserError,
    ) as error:  # zip and Arrow errors are OSError, ValueError
        remedy = "save it again"
        raise CohortError(
            Fault(f"an unreadable table ({error})", "rows and columns", remedy, file=str(path))
        ) from error
    if raw.empty:
        raise CohortError(Fault("no rows", "one row a case", "fill the table", file=str(path)))
    return pd.DataFrame({str(name).strip(): [_word(value) for value in raw[name]] for name in raw.columns})


def _excel(path: Path) -> pd.DataFrame:
    """Cells as words, so that 001 stays 001."""
    return pd.read_excel(path, dtype=str, keep_default_na=False)


def _csv(path: Path) -> pd.DataFrame:
    """Comma, semicolon or tab, whichever the header uses; a byte-order mark is dropped."""
    header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
    separator = max(",;\t", key=header.count)
    names = [name.strip().strip('"') for name in header.strip().split(separator)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"column {', '.join(twice)} twice")
    return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def _word(value: object) -> str:
    """A cell or a config value as a word: 1, 1.0 and "1" are the same, and so are all ways to say nothing."""
    word = "" if value is None else str(value).strip()
    whole = WHOLE.fullmatch(word)
    return whole[1] if whole else "" if word.lower() in MISSING else word


def _missing_columns(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
    needed = {
        "case": cohort.case, "image": cohort.image, "tumour": cohort.tumour, "outcome": cohort.outcome,
        **{f"clinical.{name}": name for name in cohort.clinical},
        **{f"readers.{name}": column for name, column in cohort.readers.items()},
    }  # fmt: skip
    optional = {name: getattr(cohort, name) for name in ("patient", "external2", "set", "scanner", "second_reader")}
    needed |= {field: name for field, name in optional.items() if name != Cohort.model_fields[field].default}
    return [
        Fault(f"no column {name!r} (columns: {', '.join(words.columns)})", f"the column of cohort.{field}",
              f"add it or set cohort.{field}", file=str(cohort.table))
        for field, name in needed.items()
        if name not in words
    ]  # fmt: skip


def _ids(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
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


def _outcomes(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
    table, known = str(cohort.table), (_word(cohort.positive), _word(cohort.negative))
    faults = [
        Fault(f"{cohort.outcome} = {value!r}", f"{known[0]!r} or {known[1]!r}",
              "mend the cell or set cohort.positive and cohort.negative", case, table)
        for case, value in zip(words[cohort.case], words[cohort.outcome], strict=True)
        if value not in known
    ]  # fmt: skip
    if not faults and words[cohort.outcome].nunique() < 2:
        found = f"one class only ({cohort.outcome} = {words[cohort.outcome].iloc[0]!r} in all {len(words)} rows)"
        faults.append(Fault(found, "cases of both classes", "add cases or set cohort.outcome", file=table))
    return faults


def _readers(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
    known = (_word(cohort.positive), _word(cohort.negative))
    return [
        Fault(f"{column} = {value!r}", f"{known[0]!r}, {known[1]!r} or an empty cell, as reader {name}'s call",
              f"mend the cell or cohort.readers.{name}", case, str(cohort.table))
        for name, column in cohort.readers.items()
        for case, value in zip(words[cohort.case], words[column], strict=True)
        if value not in (*known, "")
    ]  # fmt: skip


def _sets(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
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
    for name in SETS:
        classes = words[cohort.outcome][sets == name].nunique()
        if classes == 1 or (classes == 0 and name == "train"):
            found = f"{'no case' if classes == 0 else 'one class only'} in set {name}"
            faults.append(Fault(found, "cases of both classes", "mend the set column", file=table))
    return faults


def _clinical(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
    return [
        Fault(f"{name} = {value!r}", expected, f"mend the cell or cohort.clinical.{name}", case, str(cohort.table))
        for name, kind in cohort.clinical.items()
        for case, value in zip(words[cohort.case], words[name], strict=True)
        if (expected := _expected(value, kind))
    ]


def _expected(value: str, kind: Number | Category) -> str:
    """What should stand in a clinical cell; empty when ``value`` is fine."""
    if isinstance(kind, Category):
        levels = [_word(level) for level in kind.values]
        return "" if value in levels else f"one of {', '.join(levels)}"
    try:
        number = float(value)
    except ValueError:
        return "a number"
    low, high = (-float("inf") if kind.low is None else kind.low), (float("inf") if kind.high is None else kind.high)
    return "" if low <= number <= high and abs(number) != float("inf") else f"a number from {low:g} to {high:g}"


def _paths(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
    return [
        Fault(f"no path in column {name}", "the path of a file", "fill the cell or delete the row", case,
              str(cohort.table))
        for name in (cohort.image, cohort.tumour)
        for case in words[cohort.case][words[name] == ""]
    ]  # fmt: skip


def _files(row: "pd.Series[str]", cohort: Cohort) -> Files | None:
    def path(column: str) -> Path | None:
        return cohort.table.parent / row[column] if row.get(column) else None

    optional = {role: path(getattr(cohort, role)) for role in ("external2", "second_reader", "repeat")}
    image, tumour = path(cohort.image), path(cohort.tumour)
    if image is None or tumour is None:
        return None
    return Files(row[cohort.case], image, tumour, **optional)


def level_word(level: Level) -> str:
    """A level of a category as the cohort's rows hold it."""
    return _word(level)
