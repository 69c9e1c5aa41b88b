"""A cohort table that came with its files: every row as a case, named by its number. Done in the worker's process."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from fusion.config.run import Run
from fusion.data.case import Files
from fusion.data.new_cases import NewCase, read_new
from fusion.data.words import read_words
from fusion.errors import CohortError, Fault
from fusion.serve.asked import Asked
from fusion.serve.given import TABLE, Given
from fusion.serve.limits import megabytes
from fusion.store import write_csv

TABLES = (".csv", ".xlsx", ".parquet")
MOST_BYTES = 16 * 2**20
MOST_ROWS = 500


@dataclass(frozen=True)
class Row:
    """A row of the table: what to ask of it, or why nothing can be asked."""

    name: str
    """row1, row2, ..."""
    case: str
    """As the table names it, for the table of answers alone."""
    asked: Asked | None
    faults: tuple[Fault, ...] = ()


def rows(given: Given, run: Run) -> list[Row]:
    """The cases of the table that was given, with the files beside it.

    Args:
        given: a table, or an archive that holds one, and an archive with the files that its cells name.
        run: whose cohort's columns the table has.

    Raises:
        CohortError: no table, several, one that cannot be read, too many rows, or columns that are missing.
    """
    name, table = _table(given)
    if (size := table.stat().st_size) > MOST_BYTES:
        raise CohortError(
            Fault(f"a table of {megabytes(size)}", f"{megabytes(MOST_BYTES)} at most", "split it", file=TABLE)
        )
    words = read_words(table)
    if len(words) > MOST_ROWS:
        raise CohortError(Fault(f"{len(words)} rows", f"{MOST_ROWS} at most", "split the table", file=TABLE))
    cases = words[run.cohort.case].tolist() if run.cohort.case in words else []
    faults = _place(words, run, given, PurePosixPath(name).parent)
    placed = given.folder / "rows.csv"  # its cells hold neither ids nor the archive's names
    write_csv(placed, words)
    new = read_new(placed, run.cohort, run.used_sequences)
    return [_row(own, case, faults, given) for own, case in zip(new, cases, strict=True)]


def _table(given: Given) -> tuple[str, Path]:
    """The table's path in its archive (or its own name), and where it lies."""
    found = [(name, path) for own in given.archives.values() for name, path in own.items() if path.suffix in TABLES]
    if TABLE in given.files:
        found.append((TABLE, given.files[TABLE]))
    if len(found) != 1:
        remedy = "upload one, or put one into the zip beside the files that it names"
        raise CohortError(Fault(f"{len(found) or 'no'} tables", "one cohort table", remedy, file=TABLE))
    return found[0]


def _place(words: pd.DataFrame, run: Run, given: Given, base: PurePosixPath) -> dict[str, list[Fault]]:
    """Write rows' numbers for cases and the stored files for paths into ``words``; faults by row."""
    cohort, names = run.cohort, [f"row{number}" for number in range(1, len(words) + 1)]
    for column in {cohort.case, cohort.patient} & set(words):
        words[column] = names
    sequences = [cohort.sequences[name] for name in run.used_sequences if name in cohort.sequences]
    columns: list[str | None] = [path for own in sequences for path in (own.column, own.mask)]
    columns = columns or [cohort.image, cohort.tumour, cohort.external2]
    there = {PurePosixPath(name): path for own in given.archives.values() for name, path in own.items()}
    faults: dict[str, list[Fault]] = {name: [] for name in names}
    named = [own for own in columns if own is not None and own in words]
    for number, column in enumerate(named):
        cells = []
        for name, cell in zip(names, words[column], strict=True):
            stored = _stored(base / cell, there, given.folder / f"{name}-{number}") if cell else None
            if cell and stored is None:
                remedy = "write the path as in the zip, beside the table"
                faults[name].append(Fault(f"no such file in column {column}", "a file in the zip", remedy, name))
            cells.append(str(stored.relative_to(given.folder)) if stored else "")
        words[column] = cells
    return faults


def _stored(path: PurePosixPath, there: Mapping[PurePosixPath, Path], own: Path) -> Path | None:
    """The stored file that ``path`` names; of a folder, its files in a folder of their own."""
    if path in there:
        return there[path]
    inside = [stored for name, stored in there.items() if path in name.parents]
    if not inside or path == PurePosixPath("."):
        return None
    own.mkdir(exist_ok=True)
    for stored in inside:
        if not (own / stored.name).exists():
            (own / stored.name).hardlink_to(stored)
    return own


def _row(new: NewCase, case: str, faults: Mapping[str, list[Fault]], given: Given) -> Row:
    own = list(faults[new.case])
    if not own and new.files is None:
        own.append(Fault("no path of an image", "an image and its mask", "fill the cells or delete the row", new.case))
    if own:
        return Row(new.case, case, None, tuple(own))
    files, study = (new.files, None) if isinstance(new.files, Files) else (None, new.files)
    return Row(new.case, case, Asked(files, study, new.clinical, given.models, given.explain))
