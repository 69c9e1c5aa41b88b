"""The cases of a table whose outcome nobody knows yet: paths and clinical words, as a cohort's table has them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from fusion.config.cohort import Cohort
from fusion.data.case import Files
from fusion.data.cohort import ids
from fusion.data.one_image import OneImage
from fusion.data.sequences import Sequences
from fusion.data.study import Study
from fusion.data.words import read_words
from fusion.errors import CohortError, Fault


@dataclass(frozen=True)
class NewCase:
    """One row; it has the files of its images, or a fault."""

    case: str
    files: Files | Study | None
    clinical: dict[str, str]
    """Words by clinical variable; an empty word where nothing is known."""


def read_new(table: Path, cohort: Cohort, sequences: Iterable[str]) -> list[NewCase]:
    """The rows of ``table``; neither outcome, sets, readers nor clinical columns have to be there.

    Args:
        table: CSV, Excel or Parquet with the columns of ``cohort``; paths are relative to it.
        cohort: names of the columns.
        sequences: those in use; a table may lack some of them.

    Raises:
        CohortError: the table cannot be read, no column of ids or images, ids that cannot be used.
    """
    if not table.is_file():
        raise CohortError(Fault("no such file", "a table of cases", "check the path", file=str(table)))
    words, own = read_words(table), cohort.model_copy(update={"table": table})
    used = tuple(name for name in sequences if name in cohort.sequences)
    images = [own.sequences[name].column for name in used] or [own.image, own.tumour]
    faults = [_no_column(own.case, words, table)] if own.case not in words else []
    if used and not set(images) & set(words):
        faults.append(_no_column(" or ".join(images), words, table))
    elif not used:
        faults += [_no_column(name, words, table) for name in images if name not in words]
    if faults or (faults := ids(words, own)):
        raise CohortError(faults)
    masks = [mask for name in used if (mask := own.sequences[name].mask) is not None]
    full = words.reindex(columns=list(dict.fromkeys([*words.columns, *images, *masks])), fill_value="")
    kind = Sequences(own, used, {}) if used else OneImage(own)
    files = {found.case: found for found in kind.files(full)}
    known = [name for name in own.clinical if name in words]
    return [
        NewCase(row[own.case], _plain(files.get(row[own.case])), {name: row[name] for name in known})
        for _, row in words.iterrows()
    ]


def _plain(files: Files | Study | None) -> Files | Study | None:
    """Without second readings, which nobody asks about; None for slices where no sequence is there."""
    if isinstance(files, Study):
        return files if files.scans else None
    return files and replace(files, second_reader=None, repeat=None)


def _no_column(name: str, words: pd.DataFrame, table: Path) -> Fault:
    found = f"no column {name} (columns: {', '.join(map(str, words.columns))})"
    return Fault(found, "the columns of the bundle's cohort", "add it, or rename one", file=str(table))
