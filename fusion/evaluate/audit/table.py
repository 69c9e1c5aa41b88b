"""A printed table of results: one model a row, every cell with the exact values that it may stand for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from fusion.errors import Fault
from fusion.evaluate.audit import sheet
from fusion.evaluate.audit.printed import Printed, PrintedP, Rounding, is_nothing, number, p_value
from fusion.evaluate.audit.sheet import AuditError, Line, Sheet

METRICS = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1")
AREAS = ("auc", "auc_low", "auc_high")
COUNTS = ("n", "positive", "negative", "classes")
MOST = 1_000_000
"""Cases of a class beyond which tables are not listed."""
T = TypeVar("T")
COLUMNS = ("model", *AREAS, *METRICS, "p", *COUNTS)


@dataclass(frozen=True)
class Row:
    """One printed row; ``positive`` and ``negative`` are the cases of each class where they are known.

    ``classes`` above two: sensitivity and the like are means over classes, so only the accuracy is a count.
    """

    model: str
    metrics: Mapping[str, Printed]
    areas: Mapping[str, Printed]
    p: PrintedP | None = None
    n: int | None = None
    positive: int | None = None
    negative: int | None = None
    classes: int = 2

    def counted(self, positive: int | None, negative: int | None) -> "Row":
        """The row with its own class counts, or else with these."""
        if self.positive is not None or self.classes > 2 or positive is None:
            return self
        return replace(self, positive=positive, negative=negative)


@dataclass(frozen=True)
class Results:
    """The rows of a table and the columns that were read as percentages."""

    rows: tuple[Row, ...]
    percentages: tuple[str, ...]


def read(path: Path, rounding: Rounding = "nearest") -> Results:
    """The printed table in a CSV.

    A column of numbers above 1, or a cell with a % sign, is read as percentages.

    Raises:
        AuditError: every fault found: an unknown or missing column, a model twice, a cell that is no number or out
            of range, fractions and percentages in one column.
    """
    own = sheet.read(path)
    faults = sheet.of_columns(own, COLUMNS, ("model",))
    percentages = tuple(name for name in (*AREAS, *METRICS) if _is_percentage(own, name))
    rows = [_row(own, line, percentages, rounding, faults) for line in own.lines]
    faults += _names(own) + [fault for name in (*AREAS, *METRICS) for fault in _scale(own, name)]
    if faults:
        raise AuditError(faults)
    return Results(tuple(rows), percentages)


def _row(own: Sheet, line: Line, percentages: tuple[str, ...], rounding: Rounding, faults: list[Fault]) -> Row:
    def printed(name: str) -> Printed | None:
        return number(line[name], name in percentages, rounding)

    shares = {name: _cell(own, line, name, printed, "a number from 0 to 1, or a percentage", faults)
              for name in (*AREAS, *METRICS)}  # fmt: skip
    for name, share in shares.items():
        if share is not None and not 0 <= share.value <= 1:
            faults.append(_fault(own, line, name, "a number from 0 to 1, or a percentage up to 100"))
    whole = f"a whole number from 1 to {MOST:,}"
    counts = {name: _cell(own, line, name, lambda name: _whole(line[name]), whole, faults) for name in COUNTS}
    if (counts["positive"] is None) != (counts["negative"] is None):
        faults.append(_fault(own, line, "positive" if counts["negative"] is None else "negative", "both or neither"))
    return Row(
        line["model"],
        {name: share for name in METRICS if (share := shares[name]) is not None},
        {name: share for name in AREAS if (share := shares[name]) is not None},
        _cell(own, line, "p", lambda name: p_value(line[name]), "a P value, such as 0.032 or <0.001", faults),
        counts["n"], counts["positive"], counts["negative"], counts["classes"] or 2,
    )  # fmt: skip


def _cell(
    own: Sheet, line: Line, name: str, of: Callable[[str], T | None], expected: str, faults: list[Fault]
) -> T | None:
    if is_nothing(line[name]):
        return None
    found = of(name)
    if found is None:
        faults.append(_fault(own, line, name, expected))
    return found


def _fault(own: Sheet, line: Line, name: str, expected: str) -> Fault:
    row = f"{line.place} ({line['model']})" if line["model"] else line.place
    return Fault(f"{name} = {line[name]!r} in {row}", expected, "write it as it is printed", file=own.file)


def _whole(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and 0 < int(word[:9]) <= MOST else None


def _names(own: Sheet) -> list[Fault]:
    names = [line["model"] for line in own.lines]
    faults = [Fault(f"no model in {line.place}", "a name a row", "name it", file=own.file)
              for line in own.lines if "model" in own.columns and not line["model"]]  # fmt: skip
    twice = sorted({name for name in names if name and names.count(name) > 1})
    remedy = "give every row its own name, such as 'A test'"
    return faults + [Fault(f"model {name} in {names.count(name)} rows", "one", remedy, file=own.file) for name in twice]


def _unsigned(own: Sheet, name: str) -> dict[str, Printed]:
    """The numbers of a column without a % sign, by the text of the cell."""
    found = {line[name]: number(line[name]) for line in own.lines if "%" not in line[name]}
    return {text: printed for text, printed in found.items() if printed is not None}


def _is_percentage(own: Sheet, name: str) -> bool:
    return any(printed.value > 1 for printed in _unsigned(own, name).values())


def _scale(own: Sheet, name: str) -> list[Fault]:
    """Fractions and percentages in one column, or a number above 1 that is too small for a percentage."""
    found = _unsigned(own, name)
    above = [text for text, printed in found.items() if printed.value > 1]
    below = [text for text, printed in found.items() if 0 < printed.value <= 1]
    signed = [line[name] for line in own.lines if "%" in line[name]]
    if below and (above or signed):
        words = f"{name} = {', '.join(below)} beside {', '.join(above + signed)}"
        return [Fault(words, "fractions or percentages, not both", "add a % sign to percentages", file=own.file)]
    if above and all(found[text].value <= 2 for text in above):
        words = f"{name} = {', '.join(above)}"
        return [Fault(words, "a number from 0 to 1, or a percentage", "add a % sign if it is one", file=own.file)]
    return []
