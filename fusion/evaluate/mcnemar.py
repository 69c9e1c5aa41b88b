"""Two ways to call the same cases: does one err more often than the other."""

from dataclasses import dataclass

from scipy.stats import binom, chi2


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two paired proportions; every p is two-sided.

    ``first`` and ``second`` count the cases that only the first, only the second got right. ``exact`` is the binomial
    test's p, ``mid`` its mid-p, ``chi_square`` the asymptotic statistic and ``corrected`` the one with continuity
    correction. Without a discordant case every p is 1.
    """

    first: int
    second: int
    exact: float
    mid: float
    chi_square: float
    chi_square_p: float
    corrected: float
    corrected_p: float


def mcnemar(first: int, second: int) -> McNemar:
    """McNemar's test from the two discordant counts.

    McNemar 1947, doi:10.1007/BF02295996; mid-p: Fagerland 2013, doi:10.1186/1471-2288-13-91, who finds the exact test
    and the continuity correction too cautious, and the mid-p value fit for small samples.

    >>> round(mcnemar(1, 7).mid, 3)
    0.039
    """
    both = first + second
    if both == 0:
        return McNemar(0, 0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0)
    fewer = min(first, second)
    point = float(binom.pmf(fewer, both, 0.5))
    exact = min(1.0, 2 * float(binom.cdf(fewer, both, 0.5)))
    mid = 1 - point / 2 if first == second else exact - point
    plain, corrected = (max(abs(first - second) - less, 0) ** 2 / both for less in (0, 1))
    return McNemar(first, second, exact, mid, plain, float(chi2.sf(plain, 1)), corrected, float(chi2.sf(corrected, 1)))
