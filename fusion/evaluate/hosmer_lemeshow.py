"""Do observed and predicted counts of events agree, group by group: the Hosmer-Lemeshow test."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from fusion.types import Events, Vector


@dataclass(frozen=True)
class HosmerLemeshow:
    """Statistic, degrees of freedom, P (small where predictions and observations part), groups formed."""

    chi2: float
    df: int
    p: float
    groups: int


def hosmer_lemeshow(probability: Vector, events: Events, groups: int = 10, development: bool = False) -> HosmerLemeshow:
    """Hosmer & Lemeshow 1980, doi:10.1080/03610928008827941: groups cut at quantiles of the probability.

    Equal probabilities stay together, so fewer groups may come out. Under agreement the statistic follows a chi-square
    with (groups - 2) degrees of freedom on the cases that the model was fitted on, and with as many as groups on
    others. Its power depends on n and its grouping is arbitrary: read it beside slope and intercept, never alone.
    nan with too few groups, or where a group's expected count is 0.

    Args:
        probability: one a case.
        events: 1 for an event, 0 otherwise.
        groups: wanted.
        development: True for the cases that the model was fitted on.
    """
    inner = np.unique(np.quantile(probability, np.linspace(0, 1, groups + 1)[1:-1]))
    place = np.searchsorted(inner, probability, side="left")
    _, place = np.unique(place, return_inverse=True)
    n, expected, observed = (np.bincount(place, weights) for weights in (None, probability, events))
    df = len(n) - 2 if development else len(n)
    spread = expected * (n - expected) / n
    if df < 1 or (spread <= 0).any():
        return HosmerLemeshow(float("nan"), df, float("nan"), len(n))
    statistic = float(((observed - expected) ** 2 / spread).sum())
    return HosmerLemeshow(statistic, df, float(chi2.sf(statistic, df)), len(n))
