"""Table one: do groups of cases differ in a clinical variable, and by how much."""

from typing import Literal

from jaxtyping import Int
from numpy import ndarray
from scipy.stats import chi2_contingency, ttest_ind_from_stats

from fusion.evaluate.freeman_halton import exact_p

Counts = Int[ndarray, "group level"]
CountsTest = Literal["chi2", "yates", "g", "exact"]


def counts_p(counts: Counts, test: CountsTest) -> float:
    """P of a table of counts under independence, also from counts as they are printed.

    Empty rows and columns say nothing and are left out.

    Args:
        counts: groups x levels.
        test: Pearson's chi-square (1900); the same with Yates's correction (1934; 2 x 2 tables only, others have
            none); the likelihood ratio G; Fisher's exact test (1922), for larger tables Freeman & Halton 1951.

    >>> round(counts_p(np.array([[96, 153], [48, 60]]), "chi2"), 3)
    0.297
    """
    table = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
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
