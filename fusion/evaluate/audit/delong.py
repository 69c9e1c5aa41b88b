"""Can a printed P be DeLong's: the correlation that P, AUCs and intervals imply; what the test could have shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import inf, log, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from fusion.evaluate.audit.area import Z95, hanley_mcneil
from fusion.evaluate.audit.printed import Printed, PrintedP
from fusion.evaluate.audit.table import Row
from fusion.evaluate.discrimination import holm

UNLIKELY = 0.3
"""Below it two models of the same patients are hard to believe in."""
ORDINARY = 0.5
"""Nested models ordinarily correlate above it; a P whose digits leave that open is not doubted."""
CORRELATIONS = (0.5, 0.7)
Interval = tuple[Printed, Printed, Printed]
"""An AUC with both ends."""


@dataclass(frozen=True)
class Implied:
    """A row against the reference row.

    Attributes:
        model: the row.
        p: as printed.
        p_holm: after Holm's correction for all rows with a P.
        correlation: of the two AUC estimates, standard errors from the interval widths (Wald); None without intervals,
            or where P is a bound.
        low: its least value that rounding leaves open; minus infinity where P may be 1.
        high: its largest.
        correlation_logit: with standard errors from the intervals' width on the log-odds.
        p_at: the P that these AUCs and intervals give when the estimates correlate so.
    """

    model: str
    p: str
    p_holm: float
    correlation: float | None
    low: float | None
    high: float | None
    correlation_logit: float | None
    p_at: dict[float, float]

    @property
    def impossible(self) -> bool:
        """Whether no correlation from -1 to 1 gives the P."""
        return self.low is not None and self.high is not None and (self.low > 1 or self.high < -1)

    @property
    def unlikely(self) -> bool:
        """Whether the correlation is impossible, or below ``UNLIKELY`` and after any rounding below ``ORDINARY``."""
        least = self.high if self.correlation is None else self.correlation
        below = least is not None and self.high is not None and least < UNLIKELY and self.high < ORDINARY
        return self.impossible or below


def implied(rows: Sequence[Row], reference: str) -> list[Implied]:
    """Every row with a P against the ``reference`` row: DeLong 1988, doi:10.2307/2531595, solved for the covariance.

    z = (A1 - A2) / sqrt(s1^2 + s2^2 - 2 r s1 s2), so P and two standard errors give r. The errors are read off
    95 % intervals, so r is approximate where those are not Wald's.
    """
    base = next(row for row in rows if row.model == reference)
    others = [row for row in rows if row.p is not None and row.model != reference]
    adjusted = holm(np.array([row.p.high if row.p.low == 0 else row.p.middle for row in others if row.p], dtype=float))
    return [_implied(row, base, float(p)) for row, p in zip(others, adjusted, strict=True)]


def reference_of(rows: Sequence[Row]) -> str | None:
    """The one row without a P where all others have one; None where that is not so."""
    bare = [row.model for row in rows if row.p is None and "auc" in row.areas]
    return bare[0] if len(bare) == 1 and len(rows) > 1 else None


def gap_needed(auc: float, positive: int, negative: int, correlation: float, power: float = 0.8) -> float | None:
    """How far below ``auc`` another AUC has to be for a two-sided test at 5 % to find it with this power.

    Standard errors after Hanley & McNeil 1982. None where no AUC above .5 is far enough below.

    >>> round(gap_needed(0.913, 27, 81, 0.5), 3)
    0.142
    """

    def short(gap: float) -> float:
        one, two = hanley_mcneil(auc, positive, negative), hanley_mcneil(auc - gap, positive, negative)
        error = sqrt(max(one**2 + two**2 - 2 * correlation * one * two, 0.0))
        return gap - (Z95 + float(norm.ppf(power))) * error

    most = auc - 0.5
    return float(brentq(short, 1e-9, most)) if most > 0 and short(1e-9) < 0 < short(most) else None


def _implied(row: Row, base: Row, p_holm: float) -> Implied:
    assert row.p is not None
    own, other = _ends(row), _ends(base)
    if own is None or other is None:
        return Implied(row.model, row.p.text, p_holm, None, None, None, None, {})
    gap = abs(float(own[0].value - other[0].value))
    wald, logit = (_wald(*own), _wald(*other)), (_logit(*own), _logit(*other))
    spread = None if row.p.bound or row.p.z == 0 else gap / row.p.z
    low, high = _range(row.p, own, other)
    return Implied(
        row.model, row.p.text, p_holm, _correlation(*wald, spread), low, high, _correlation(*logit, spread),
        {r: _p(gap, *wald, r) for r in (0.0, *CORRELATIONS)},
    )  # fmt: skip


def _ends(row: Row) -> Interval | None:
    own, low, high = (row.areas.get(name) for name in ("auc", "auc_low", "auc_high"))
    return (own, low, high) if own and low and high and low.value < high.value else None


def _wald(own: Printed, low: Printed, high: Printed) -> float:
    return float(high.value - low.value) / (2 * Z95)


def _logit(own: Printed, low: Printed, high: Printed) -> float | None:
    if not (low.value > 0 and high.value < 1 and 0 < own.value < 1):
        return None
    width = log(high.value / (1 - high.value)) - log(low.value / (1 - low.value))
    return width / (2 * Z95) * float(own.value * (1 - own.value))


def _correlation(one: float | None, two: float | None, spread: float | None) -> float | None:
    if one is None or two is None or spread is None:
        return None
    return (one**2 + two**2 - spread**2) / (2 * one * two)


def _p(gap: float, one: float, two: float, correlation: float) -> float:
    error = sqrt(one**2 + two**2 - 2 * correlation * one * two)
    return float(2 * norm.sf(gap / error))


def _range(p: PrintedP, own: Interval, other: Interval) -> tuple[float, float]:
    """The least and largest correlation over all exact values that may have been printed so.

    It falls with the spread; in one error it is least where one^2 = two^2 - spread^2, so that is tried beside the ends.
    """
    gap, reach = abs(float(own[0].value - other[0].value)), float(own[0].reach + other[0].reach)
    least, most = (float(norm.isf(end / 2)) if end > 0 else inf for end in (p.high, p.low))
    widest = (gap + reach) / least if least > 0 else inf
    narrowest = max(gap - reach, 0.0) / most if most > 0 else 0.0
    ones, twos = _errors(own), _errors(other)
    found = [
        (one**2 + two**2 - spread**2) / (2 * one * two)
        for spread in (narrowest, widest)
        for one, two in [*product(ones, twos), *_turns(ones, twos, spread), *_turns(twos, ones, spread)]
    ]
    return min(found), max(found)


def _errors(printed: Interval) -> tuple[float, float]:
    """The smallest and the largest standard error that an interval may stand for."""
    reach = float(printed[1].reach + printed[2].reach) / (2 * Z95)
    return max(_wald(*printed) - reach, 1e-9), _wald(*printed) + reach


def _turns(varying: tuple[float, float], fixed: tuple[float, float], spread: float) -> list[tuple[float, float]]:
    """Error pairs at which the correlation turns, inside the interval of the varying one (both play the same part)."""
    points = [(sqrt(end**2 - spread**2), end) for end in fixed if end > spread]
    return [(turn, end) for turn, end in points if varying[0] < turn < varying[1]]
