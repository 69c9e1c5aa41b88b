"""Printed patient characteristics: do counts add up, do percentages fit, and which test gives the printed P."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, product
from math import sqrt
from pathlib import Path

import numpy as np
from jaxtyping import Int
from numpy import ndarray
from scipy.stats import norm

from fusion.errors import Fault
from fusion.evaluate.audit import sheet
from fusion.evaluate.audit.printed import Printed, PrintedP, is_nothing, number, p_value
from fusion.evaluate.audit.sheet import AuditError, Line, Sheet
from fusion.evaluate.cohort_tests import counts_p, summary_t_p

SIZE = "n"
"""The variable whose row holds the number of cases of each group."""
COUNT = re.compile(r"(\d+)(?:\s*[(/]\s*([\d.,·]+)\s*(%?)\s*\)?)?")
MEAN = re.compile(r"([-−]?[\d.,·]+)\s*(?:±|\+-|\+/-|\()\s*([\d.,·]+)\)?")
TESTS = {
    "chi2": "Pearson chi-square without Yates", "yates": "chi-square with Yates", "g": "likelihood ratio G",
    "exact": "Fisher / Freeman-Halton exact", "t": "Student t", "welch": "Welch t",
}  # fmt: skip
DRAWS = 10_000
"""Tables in a Monte Carlo estimate of an exact P, as statistics packages draw them."""


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


@dataclass(frozen=True)
class Compared:
    """A variable's printed P beside those of the tests.

    Attributes:
        variable: the row.
        p: the P of every test; for means the least and the largest that rounding leaves open.
        by: the tests that give the printed P.
        near_exact: whether a Monte Carlo estimate of the exact P could print it though the exact P does not.
        least_expected: the smallest expected count; None for means.
        faults: counts that do not add up, percentages that do not fit, in words.
    """

    variable: Variable
    p: dict[str, tuple[float, float]]
    by: tuple[str, ...]
    near_exact: bool
    least_expected: float | None
    faults: tuple[str, ...]


def read(path: Path) -> list[Variable]:
    """The variables in a CSV with columns variable, level, one a group, and p.

    A cell is a count ("96", "96 (38.6%)") or a mean and SD ("53.181±14.351"); the rows of a variable stand together,
    its P in any of them. A row of the variable ``n`` holds the sizes of the groups; without it they are sums of counts.

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


def compare(variable: Variable) -> Compared:
    """Which test reproduces the printed P of a variable, and what does not add up."""
    ps = _of_means(variable) if variable.means else _of_counts(variable)
    printed = variable.p
    by = tuple(test for test, (low, high) in ps.items() if printed and low <= printed.high and printed.low <= high)
    near = _near_exact(printed, ps) and "exact" not in by
    return Compared(variable, ps, by, near, _least_expected(variable), tuple(_faults(variable)))


def spread(variable: Variable, group: str) -> float | None:
    """Standard deviation of a variable in a group: as printed, or of levels counted 0, 1, 2, ... in their order."""
    place = variable.groups.index(group)
    if variable.means:
        return float(variable.means[place][1].value)
    counts = np.array(variable.counts[place])
    scores = np.arange(len(counts))
    share = counts / counts.sum() if counts.sum() else counts
    sd = sqrt(float(share @ scores**2 - (share @ scores) ** 2))
    return sd or None


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
    shown = "; ".join(cell for group in cells for cell in group)
    faults.append(_fault(own, lines[0], shown, "counts such as 96 (38.6%), or a mean and SD such as 53.2±14.4"))
    return None


def _fault(own: Sheet, line: Line, found: str, expected: str) -> Fault:
    return Fault(f"{found} in {line.place} ({line['variable']})", expected, "write it as printed", file=own.file)


def _share(match: re.Match[str]) -> Printed | None:
    return number(match[2], percent=True) if match[2] else None


def _mean(cell: str) -> tuple[Printed, Printed] | None:
    match = MEAN.fullmatch(cell.replace("−", "-"))
    mean, sd = (number(match[1]), number(match[2])) if match else (None, None)
    return (mean, sd) if mean is not None and sd is not None and sd.value > 0 else None


def _of_counts(variable: Variable) -> dict[str, tuple[float, float]]:
    table = _counts(variable)
    if table.min() < 0 or min(table.shape) < 2:
        return {}
    found = {"chi2": counts_p(table, "chi2"), "g": counts_p(table, "g"), "exact": counts_p(table, "exact")}
    if table.shape == (2, 2):
        found["yates"] = counts_p(table, "yates")
    return {test: (found[test], found[test]) for test in TESTS if test in found and not np.isnan(found[test])}


def _counts(variable: Variable) -> Int[ndarray, "group level"]:
    """Groups x levels; a variable that is told by its "yes" alone gets its "no" from the groups' sizes."""
    table = np.array(variable.counts)
    if len(variable.levels) > 1:
        return table
    return np.column_stack([table[:, 0], np.array(variable.sizes) - table[:, 0]])


def _least_expected(variable: Variable) -> float | None:
    if not variable.counts or not (table := _counts(variable)).sum():
        return None
    return float((np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()).min())


def _of_means(variable: Variable) -> dict[str, tuple[float, float]]:
    """P over the corners of what the means and SDs may have been before rounding; two groups only."""
    if len(variable.groups) != 2:
        return {}
    (one, sd_one), (two, sd_two) = variable.means
    n = (variable.sizes[0], variable.sizes[1])
    gap, reach = abs(one.value - two.value), one.reach + two.reach
    gaps = [float(max(gap - reach, Fraction(0))), float(gap + reach)]
    sds = [[max(float(sd.low), 1e-12), float(sd.high)] for sd in (sd_one, sd_two)]
    found = {}
    for test, equal in (("t", True), ("welch", False)):
        ps = [summary_t_p(n, (apart, 0.0), (first, second), equal) for apart, first, second in product(gaps, *sds)]
        found[test] = (min(ps), max(ps))
    return found


def _near_exact(printed: PrintedP | None, ps: dict[str, tuple[float, float]]) -> bool:
    if printed is None or printed.bound or "exact" not in ps:
        return False
    p = ps["exact"][0]
    reach = float(norm.isf(0.005)) * sqrt(p * (1 - p) / DRAWS)
    return p - reach <= printed.high and printed.low <= p + reach


def _faults(variable: Variable) -> list[str]:
    words = []
    for group, counts, size in zip(variable.groups, variable.counts, variable.sizes, strict=False):
        if len(counts) > 1 and sum(counts) != size:
            words.append(f"{group}: {' + '.join(map(str, counts))} = {sum(counts)}, not {size}")
        elif sum(counts) > size:
            words.append(f"{group}: {sum(counts)} of {size}")
    for group, counts, shares, size in zip(
        variable.groups, variable.counts, variable.percentages, variable.sizes, strict=False
    ):
        words += [
            f"{group}: {count} of {size} is {share.show(Fraction(count, size))} %, printed {share.text}"
            for count, share in zip(counts, shares, strict=True)
            if share is not None and not any(whole and Fraction(count, whole) in share for whole in (size, sum(counts)))
        ]
    return words
