"""A CSV of printed cells as words: separator, header, ragged lines, every fault at once."""

import csv
import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusion.errors import Fault, FusionError

ALIASES = {
    "acc": "accuracy", "sen": "sensitivity", "sens": "sensitivity", "recall": "sensitivity", "tpr": "sensitivity",
    "spe": "specificity", "spec": "specificity", "tnr": "specificity", "precision": "ppv", "f1_score": "f1",
    "f1-score": "f1", "ci_low": "auc_low", "ci_high": "auc_high", "p_value": "p", "name": "model", "method": "model",
    "or_ci_low": "or_low", "or_ci_high": "or_high",
}  # fmt: skip
"""Other names of the columns: offered in the message, not taken without asking."""


class AuditError(FusionError):
    """A printed table that cannot be read as one."""


@dataclass(frozen=True)
class Line:
    """One row of words by column, and where it stands in the file."""

    place: str
    words: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """The word in a column; empty where the table has no such column."""
        return self.words.get(column, "")


@dataclass(frozen=True)
class Sheet:
    """A file's columns and rows, and the faults of its shape."""

    file: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]


def read(path: Path) -> Sheet:
    """The words of a CSV with comma, semicolon or tab between them.

    Column names lose case and surrounding space; empty lines are skipped.

    Raises:
        AuditError: no such file, no text, no header or no row.
    """
    text = _text(path)
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise _unreadable(path, f"an unreadable table ({error})") from error
    filled = [(i, [word.strip() for word in row]) for i, row in enumerate(rows, 1) if any(map(str.strip, row))]
    if len(filled) < 2:
        raise _unreadable(path, "no rows under a header")
    return _sheet(str(path), filled)


def of_columns(sheet: Sheet, known: Sequence[str], needed: Sequence[str], open_: bool = False) -> list[Fault]:
    """Faults of a sheet's shape and of its column names.

    Args:
        sheet: as read.
        known: the columns that an audit can read.
        needed: those that it cannot do without.
        open_: other columns may stand there too (the groups of a baseline table).
    """
    faults = list(sheet.faults)
    faults += [
        Fault(f"no column {name}", f"columns {', '.join(needed)}", "add it", file=sheet.file)
        for name in needed
        if name not in sheet.columns
    ]
    if not open_:
        faults += [_unknown(name, known, sheet.file) for name in sheet.columns if name not in known]
    return faults


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise _unreadable(path, "no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, f"an unreadable file ({error})") from error


def _unreadable(path: Path, found: str) -> AuditError:
    return AuditError(Fault(found, "a CSV in UTF-8, a header and a row a line", "check the path", file=str(path)))


def _sheet(file: str, rows: list[tuple[int, list[str]]]) -> Sheet:
    header = [name.lower().replace(" ", "_") for name in rows[0][1]]
    while header and not header[-1] and all(len(row) < len(header) or not row[len(header) - 1] for _, row in rows[1:]):
        header.pop()
    twice = sorted({name for name in header if header.count(name) > 1})
    faults = [Fault(f"column {name or '(no name)'} twice", "each once", "rename one", file=file) for name in twice]
    lines = []
    for place, row in rows[1:]:
        extra = [word for word in row[len(header) :] if word]
        if len(row) < len(header) or extra:
            found = f"{len(row)} cells in line {place} under {len(header)} columns"
            faults.append(Fault(found, "a cell a column", "quote cells that hold the separator", file=file))
        lines.append(Line(f"line {place}", dict(zip(header, row, strict=False))))
    return Sheet(file, tuple(header), tuple(lines), tuple(faults))


def _unknown(name: str, known: Sequence[str], file: str) -> Fault:
    close = [ALIASES[name]] if ALIASES.get(name) in known else difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean {close[0]}?" if close else "delete it"
    return Fault(f"unknown column {name or '(no name)'}", f"any of {', '.join(known)}", remedy, file=file)
