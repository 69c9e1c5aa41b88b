"""How many features differ between scanners beyond what chance explains."""

import numpy as np
from jaxtyping import Float, Shaped
from numpy import ndarray
from scipy.stats import chi2, false_discovery_control, rankdata

Table = Float[ndarray, "case feature"]
PerFeature = Float[ndarray, " feature"]


def kruskal_wallis(values: Table, groups: Shaped[ndarray, " case"]) -> PerFeature:
    """P of each feature's Kruskal-Wallis test, ties counted; nan for a feature that does not vary.

    Kruskal & Wallis 1952, doi:10.1080/01621459.1952.10483441, on all features at once: H is the share of the ranks'
    spread that lies between groups, times one less than the cases.

    >>> values = np.array([[1.0], [2.0], [3.0], [11.0], [12.0], [13.0]])
    >>> kruskal_wallis(values, np.array(list("aaabbb"))).round(4)
    array([0.0495])
    """
    names = np.unique(groups)
    ranks = rankdata(values, axis=0) - (len(values) + 1) / 2
    between = sum((groups == name).sum() * ranks[groups == name].mean(axis=0) ** 2 for name in names)
    spread = (ranks**2).sum(axis=0)
    h = (len(values) - 1) * between / np.where(spread > 0, spread, np.nan)
    return chi2.sf(h, len(names) - 1)


def discovered(p: PerFeature) -> PerFeature:
    """P adjusted so that a cut at q lets about a share q of the differences be false; nan stays nan.

    Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    adjusted, tested = np.full(len(p), np.nan), ~np.isnan(p)
    adjusted[tested] = false_discovery_control(p[tested])
    return adjusted
