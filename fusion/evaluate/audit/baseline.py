"""Printed patient characteristics as they stand in a CSV: counts, means or medians by group, and P."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from fusion.errors import Fault
from fusion.evaluate.audit import sheet
from fusion.evaluate.audit.printed import Printed, PrintedP, is_nothing, number, p_value
from fusion.evaluate.audit.sheet import AuditError, Line, Sheet

SIZE = "n"
"""The variable whose row holds the number of cases of each group."""
COUNT = re.compile(r"(\d+)(?:\s*\(\s*([\d.,·]+)\s*(%?)\s*\))?")
MEAN = re.compile(r"([-−]?[\d.,·]+)\s*(?:±|\+-|\+/-|\()\s*([\d.,·]+)\)?")
MEDIAN = re.compile(r"[-−]?[\d.,·]+\s*[(\[]\s*[-−]?[\d.,·]+\s*(?:-|–|—|,|;|to)\s*[-−]?[\d.,·]+\s*[)\]]")


@dataclass(frozen=True)
class Variable:
    """One printed variable: counts by group and level, or a mean and SD by group; and the groups' sizes."""

    name: str
    levels: tuple[str, ...]
    groups: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    percentages: tuple[tuple[Printed | None, ...], ...]
    means: tuple[tuple[Printed, Printed], ...]
    sizes: tuple[int, ...]
    p: PrintedP | None


def read(path: Path) -> list[Variable]:
    """The variables in a CSV with columns variable, level, one a group, and p.

    A cell is a count ("96", "96 (38.6%)"), a mean and SD ("53.181±14.351") or a median and quartiles ("53 (40-61)",
    whose P cannot be checked); the rows of a variable stand together, its P in any of them. A row of the variable ``n``
    holds the sizes of the groups; without it they are sums of counts.

    Raises:
        AuditError: every fault found.
    """
    own = sheet.read(path)
    faults = sheet.of_columns(own, ("variable", "level", "p"), ("variable", "p"), open_=True)
    groups = tuple(name for name in own.columns if name not in ("variable", "level", "p"))
    if len(groups) < 2:
        faults.append(Fault(f"{len(groups)} columns of groups", "two or more", "add one a group", file=own.file))
    runs = [(name, list(lines)) for name, lines in groupby(own.lines, key=lambda line: line["variable"])]
    names = [name for name, _ in runs]
    faults += [Fault(f"variable {name} in two places", "its rows together", "move or rename them", file=own.file)
               for name in sorted({name for name in names if names.count(name) > 1})]  # fmt: skip
    sizes = _sizes(own, runs, groups, faults)
    found = [_variable(own, name, lines, groups, sizes, faults) for name, lines in runs if name.lower() != SIZE]
    if faults:
        raise AuditError(faults)
    return [variable for variable in found if variable is not None]


def _sizes(
    own: Sheet, runs: Sequence[tuple[str, list[Line]]], groups: tuple[str, ...], faults: list[Fault]
) -> tuple[int, ...] | None:
    line = next((lines[0] for name, lines in runs if name.lower() == SIZE), None)
    if line is None:
        return None
    wrong = [group for group in groups if not line[group].isdigit() or int(line[group]) < 1]
    faults += [Fault(f"n = {line[group]!r} in {group}", "a whole number above 0", "mend it", file=own.file)
               for group in wrong]  # fmt: skip
    return None if wrong else tuple(int(line[group]) for group in groups)


def _variable(
    own: Sheet, name: str, lines: list[Line], groups: tuple[str, ...], sizes: tuple[int, ...] | None,
    faults: list[Fault],
) -> Variable | None:  # fmt: skip
    words = [line["p"] for line in lines if not is_nothing(line["p"])]
    p = p_value(words[0]) if words else None
    if len(words) > 1 or (words and p is None):
        faults.append(_fault(own, lines[0], f"p = {', '.join(words)}", "one P value a variable"))
    cells = [[line[group] for line in lines] for group in groups]
    counts = [[COUNT.fullmatch(cell) for cell in group] for group in cells]
    if len(lines) == 1 and not lines[0]["level"] and any(match and match[2] and not match[3] for group in counts
                                                         for match in group):  # fmt: skip
        faults.append(
            _fault(own, lines[0], "; ".join(group[0] for group in cells), "96 (38.6%) for a count, 53±14 for a mean")
        )
        return None
    if all(match for group in counts for match in group):
        numbers = tuple(tuple(int(match[1]) for match in group if match) for group in counts)
        shares = tuple(tuple(_share(match) for match in group if match) for group in counts)
        totals = sizes or tuple(map(sum, numbers))
        return Variable(name, tuple(line["level"] for line in lines), groups, numbers, shares, (), totals, p)
    means = [_mean(group[0]) for group in cells if len(group) == 1]
    if len(means) == len(groups) and all(means):
        if sizes is None:
            faults.append(_fault(own, lines[0], "means without group sizes", "a row with variable n"))
            return None
        return Variable(name, (), groups, (), (), tuple(mean for mean in means if mean), sizes, p)
    if all(MEDIAN.fullmatch(group[0]) for group in cells if len(group) == 1) and len(lines) == 1:
        return Variable(name, (), groups, (), (), (), sizes or (), p)
    shown = "; ".join(cell for group in cells for cell in group)
    faults.append(_fault(own, lines[0], shown, "counts as 96 (38.6%), means as 53.2±14.4, medians as 53 (40-61)"))
    return None


def _fault(own: Sheet, line: Line, found: str, expected: str) -> Fault:
    return Fault(f"{found} in {line.place} ({line['variable']})", expected, "write it as printed", file=own.file)


def _share(match: re.Match[str]) -> Printed | None:
    return number(match[2], percent=True) if match[2] else None


def _mean(cell: str) -> tuple[Printed, Printed] | None:
    match = MEAN.fullmatch(cell.replace("−", "-"))
    mean, sd = (number(match[1]), number(match[2])) if match else (None, None)
    return (mean, sd) if mean is not None and sd is not None and sd.value > 0 else None
