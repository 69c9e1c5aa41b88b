"""Do printed characteristics add up, do percentages fit, and which test gives the printed P."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import sqrt

import numpy as np
from jaxtyping import Int
from numpy import ndarray
from scipy.stats import norm

from fusion.evaluate.audit.baseline import Variable
from fusion.evaluate.audit.printed import PrintedP
from fusion.evaluate.cohort_tests import counts_p, summary_t_p

TESTS = {
    "chi2": "Pearson chi-square without Yates", "yates": "chi-square with Yates", "g": "likelihood ratio G",
    "exact": "Fisher / Freeman-Halton exact", "t": "Student t", "welch": "Welch t",
}  # fmt: skip
DRAWS = 10_000
"""Tables in a Monte Carlo estimate of an exact P, as statistics packages draw them."""


@dataclass(frozen=True)
class Compared:
    """A variable's printed P beside those of the tests.

    Attributes:
        variable: the row.
        p: the P of every test; for means the least and the largest that rounding leaves open.
        by: the tests that give the printed P.
        near_exact: whether a Monte Carlo estimate of the exact P could print it though the exact P does not.
        least_expected: the smallest expected count; None for means.
        missing: groups whose counts leave cases out, in words.
        faults: counts of more cases than there are, percentages that do not fit, in words.
    """

    variable: Variable
    p: dict[str, tuple[float, float]]
    by: tuple[str, ...]
    near_exact: bool
    least_expected: float | None
    missing: tuple[str, ...]
    faults: tuple[str, ...]


def compare(variable: Variable) -> Compared:
    """Which test reproduces the printed P of a variable, and what does not add up."""
    ps = _of_means(variable) if variable.means else _of_counts(variable) if variable.counts else {}
    printed = variable.p
    by = tuple(test for test, (low, high) in ps.items() if printed and low <= printed.high and printed.low <= high)
    near = _near_exact(printed, ps) and "exact" not in by
    least, missing = _least_expected(variable), tuple(_missing(variable))
    return Compared(variable, ps, by, near, least, missing, tuple(_faults(variable)))


def spread(variable: Variable, group: str) -> float | None:
    """Standard deviation of a variable in a group: as printed, or of levels counted 0, 1, 2, ... in their order."""
    place = variable.groups.index(group)
    if variable.means:
        return float(variable.means[place][1].value)
    if not variable.counts:
        return None
    counts = _counts(variable)[place]
    if counts.min() < 0 or not counts.sum():
        return None
    scores, share = np.arange(len(counts)), counts / counts.sum()
    sd = sqrt(max(float(share @ scores**2 - (share @ scores) ** 2), 0.0))
    return sd or None


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


def _missing(variable: Variable) -> list[str]:
    """Groups whose counts add up to fewer cases than the group has."""
    return [
        f"{group}: {' + '.join(map(str, counts))} = {sum(counts)} of {size}"
        for group, counts, size in zip(variable.groups, variable.counts, variable.sizes, strict=False)
        if len(counts) > 1 and sum(counts) < size
    ]


def _faults(variable: Variable) -> list[str]:
    """Counts of more cases than there are, and percentages of neither group, answered cases nor level."""
    levels = [sum(counts) for counts in zip(*variable.counts, strict=True)]
    words = []
    for group, counts, shares, size in zip(
        variable.groups, variable.counts, variable.percentages, variable.sizes, strict=False
    ):
        if sum(counts) > size:
            words.append(f"{group}: {' + '.join(map(str, counts))} = {sum(counts)}, more than {size}")
        words += [
            f"{group}: {count} of {size} is {share.show(Fraction(count, size))} %, printed {share.text}"
            for count, share, level in zip(counts, shares, levels, strict=True)
            if share is not None
            and size
            and not any(whole and Fraction(count, whole) in share for whole in (size, sum(counts), level))
        ]
    return words
