"""Table one: do two groups of cases differ in a clinical variable, and by how much."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.stats import chi2_contingency, levene, mannwhitneyu, normaltest, shapiro, ttest_ind, ttest_ind_from_stats
from scipy.stats.contingency import expected_freq

from fusion.evaluate import standardised
from fusion.evaluate.freeman_halton import exact_p

Numbers = Float[ndarray, " case"]
Counts = Int[ndarray, "group level"]
CountsTest = Literal["chi2", "yates", "g", "exact"]
ALPHA = 0.05
"""Below it a group is not normal, or variances differ."""
SHAPIRO_MOST = 5000
"""Cases beyond which Shapiro-Wilk's P is not accurate (Royston 1995, doi:10.2307/2986146)."""
EXPECTED = 5.0
"""Smallest expected count for which Pearson's chi-square is believed (Cochran 1954, doi:10.2307/3001616)."""


@dataclass(frozen=True)
class Difference:
    """P, the test it is from, the standardised mean difference, and the summary that suits the test."""

    p: float
    test: str
    smd: float
    summary: Literal["mean", "median", "count"]


def numbers_differ(first: Float[ndarray, " one"], second: Float[ndarray, " two"]) -> Difference:
    """Student's t where both groups pass for normal, Welch's where their variances differ, else Mann-Whitney's U.

    Normality by Shapiro-Wilk (D'Agostino-Pearson beyond 5000 cases), homogeneity by Levene's test about the median.
    """
    smd = standardised.of_numbers(first, second)
    if np.ptp(np.concatenate([first, second])) == 0:
        return Difference(float("nan"), "none: all values are equal", smd, "median")
    large = "; normality by D'Agostino-Pearson, n > 5000" if max(len(first), len(second)) > SHAPIRO_MOST else ""
    if not (_normal(first) and _normal(second)):
        p = mannwhitneyu(first, second, alternative="two-sided").pvalue
        return Difference(float(p), f"Mann-Whitney U{large}", smd, "median")
    equal = bool(levene(first, second, center="median").pvalue >= ALPHA)
    p = ttest_ind(first, second, equal_var=equal).pvalue
    return Difference(float(p), ("Student t" if equal else "Welch t") + large, smd, "mean")


def counts_differ(counts: Int[ndarray, "2 level"], expected: float = EXPECTED, seed: int = 0) -> Difference:
    """Pearson's chi-square without Yates's correction; an exact test where an expected count is below ``expected``.

    Args:
        counts: two groups x levels.
        expected: smallest expected count for the chi-square.
        seed: of the random tables, where there are too many to list.
    """
    smd, table = standardised.of_counts(counts), _filled(counts)
    if min(table.shape) < 2:
        return Difference(float("nan"), "none: one level only", smd, "count")
    if expected_freq(table).min() >= expected:
        return Difference(counts_p(table, "chi2"), "Pearson chi-square", smd, "count")
    found = exact_p(table, seed)
    name = "Fisher exact" if table.shape == (2, 2) else "Freeman-Halton exact"
    drawn = f", {found.draws} random tables (seed {seed}), standard error {found.error:.4f}" if found.draws else ""
    return Difference(found.p, name + drawn, smd, "count")


def counts_p(counts: Counts, test: CountsTest) -> float:
    """P of a table of counts under independence, also from counts as they are printed.

    Empty rows and columns say nothing and are left out.

    Args:
        counts: groups x levels.
        test: Pearson's chi-square (1900); the same with Yates's correction (1934; it alters 2 x 2 tables only); the
            likelihood ratio G; Fisher's exact test (1922), for larger tables Freeman & Halton 1951.

    >>> round(counts_p(np.array([[96, 153], [48, 60]]), "chi2"), 3)
    0.297
    """
    table = _filled(counts)
    if min(table.shape) < 2:
        return float("nan")
    if test == "exact":
        return exact_p(table).p
    kind = "log-likelihood" if test == "g" else "pearson"
    return float(chi2_contingency(table, correction=test == "yates", lambda_=kind).pvalue)


def summary_t_p(
    n: tuple[int, int], mean: tuple[float, float], sd: tuple[float, float], equal_variance: bool = True
) -> float:
    """P of the t test from two printed summaries: Student's, or Welch's where variances may differ.

    >>> round(summary_t_p((249, 108), (53.181, 51.574), (14.351, 15.248)), 3)
    0.341
    """
    first, second = ((mean[i], sd[i], n[i]) for i in (0, 1))
    return float(ttest_ind_from_stats(*first, *second, equal_var=equal_variance).pvalue)


def _filled(counts: Counts) -> Int[ndarray, "row column"]:
    """Without groups that have no case and levels that no case has."""
    return counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]


def _normal(values: Numbers) -> bool:
    """Not refused by the test; fewer than three values, or equal ones, cannot pass for normal."""
    if len(values) < 3 or np.ptp(values) == 0:
        return False
    test = normaltest if len(values) > SHAPIRO_MOST else shapiro
    return bool(test(values).pvalue >= ALPHA)
