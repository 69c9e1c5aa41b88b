"""Is a printed AUC possible: its interval, its steps, the operating point beside it, the width of its interval."""

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

from scipy.stats import norm

from fusion.evaluate.audit.confusion import possible
from fusion.evaluate.audit.printed import Printed
from fusion.evaluate.audit.table import Row

Z95 = float(norm.isf(0.025))


@dataclass(frozen=True)
class Area:
    """What a row's AUC was checked against.

    Attributes:
        model: the row.
        outside: the AUC and its interval contradict each other, in words; empty where they do not.
        faults: why the AUC cannot be that of one set of cases with this operating point, in words.
        bounds: the least and the largest AUC of a curve through the operating point; None where none is printed.
        error: standard error read off the 95 % interval's width; None where there is none.
        expected_error: Hanley & McNeil's standard error at this AUC; None where the class counts are not known.
        asymmetry: the interval's middle less the AUC; None without an interval.
    """

    model: str
    outside: str
    faults: tuple[str, ...]
    bounds: tuple[float, float] | None
    error: float | None
    expected_error: float | None
    asymmetry: float | None


def area(row: Row) -> Area | None:
    """The checks of a row's AUC; None where none is printed.

    They hold for the AUC of one set of cases, counted over pairs, and for an operating point of the same scores; an AUC
    that is a mean over folds or a fitted binormal curve's need not keep to them.
    """
    own = row.areas.get("auc")
    if own is None:
        return None
    low, high = row.areas.get("auc_low"), row.areas.get("auc_high")
    bounds = _bounds(row)
    known = row.positive is not None and row.negative is not None
    expected = hanley_mcneil(float(own.value), row.positive or 1, row.negative or 1) if known else None
    return Area(
        row.model, _outside(own, low, high), (*_steps(row, own), *_point(own, bounds)),
        (float(bounds[0]), float(bounds[1])) if bounds else None,
        float(high.value - low.value) / (2 * Z95) if low and high and high.value > low.value else None, expected,
        float((low.value + high.value) / 2 - own.value) if low and high else None,
    )  # fmt: skip


def hanley_mcneil(auc: float, positive: int, negative: int) -> float:
    """Standard error of an AUC from its size alone: Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747.

    >>> round(hanley_mcneil(0.836, 27, 81), 3)
    0.051
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (positive - 1) * (q1 - auc**2) + (negative - 1) * (q2 - auc**2)
    return sqrt(max(variance, 0.0) / (positive * negative))


def _outside(own: Printed, low: Printed | None, high: Printed | None) -> str:
    if low and high and low.low > high.high:
        return f"the interval ends before it begins ({low.text} to {high.text})"
    if (low and own.high < low.low) or (high and own.low > high.high):
        return f"AUC {own.text} lies outside its interval ({low.text if low else '?'} to {high.text if high else '?'})"
    return ""


def _steps(row: Row, own: Printed) -> list[str]:
    """Over pairs the AUC is a multiple of 1/(2 n+ n-), ties counting one half."""
    if row.positive is None or row.negative is None:
        return []
    steps = 2 * row.positive * row.negative
    if any(Fraction(k, steps) in own for k in range(int(own.low * steps) - 1, int(own.high * steps) + 2)):
        return []
    return [f"AUC {own.text} is no multiple of 1/{steps}, the step of {row.positive} x {row.negative} pairs"]


def _bounds(row: Row) -> tuple[Fraction, Fraction] | None:
    """Least and largest AUC of a curve through (1 - specificity, sensitivity), over all tables of the row.

    Pairs with the positive above and the negative below the threshold are won, those the other way lost, the rest may
    fall either way: sen * spe to 1 - (1 - sen)(1 - spe).
    """
    sensitivity, specificity = row.metrics.get("sensitivity"), row.metrics.get("specificity")
    if row.positive is not None and row.negative is not None and len(row.metrics) > 1:
        runs = possible(row.metrics, row.positive, row.negative).runs
        pairs = row.positive * row.negative
        if runs:
            won = min(tp * (row.negative - last) for tp, (_, last) in runs)
            lost = min((row.positive - tp) * first for tp, (first, _) in runs)
            return Fraction(won, pairs), 1 - Fraction(lost, pairs)
    if sensitivity is None or specificity is None:
        return None
    low = max(sensitivity.low, Fraction(0)) * max(specificity.low, Fraction(0))
    return low, 1 - max(1 - sensitivity.high, Fraction(0)) * max(1 - specificity.high, Fraction(0))


def _point(own: Printed, bounds: tuple[Fraction, Fraction] | None) -> list[str]:
    if bounds is None or (own.high >= bounds[0] and own.low <= bounds[1]):
        return []
    least, most = (own.show(end) for end in bounds)
    return [f"AUC {own.text}, but a curve through the printed sensitivity and specificity has {least} to {most}"]
