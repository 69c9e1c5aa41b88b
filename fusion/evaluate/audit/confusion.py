"""All confusion tables that could have been printed as a row of results: integers and fractions, no rounding error."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped
from numpy import ndarray

from fusion.evaluate.audit.printed import Printed

Counts = tuple[int, int, int, int]
"""True positives, false negatives, false positives, true negatives."""
Span = tuple[int, int]
"""First and last integer; empty where the last is smaller."""
Integers = Shaped[ndarray, " tp"]
"""One integer a number of true positives, of 64 bits or of any size."""
EVERY = 10**18
Form = Callable[[Any, int, int], tuple[Any, int, Any, int]]
"""(tp, n+, n-) to (a, b, c, d): the metric is (a + b fp) / (c + d fp); tp may be an array."""

FORMS: dict[str, Form] = {
    "accuracy": lambda tp, positive, negative: (tp + negative, -1, positive + negative, 0),
    "sensitivity": lambda tp, positive, negative: (tp, 0, positive, 0),
    "specificity": lambda tp, positive, negative: (negative, -1, negative, 0),
    "ppv": lambda tp, positive, negative: (tp, 0, tp, 1),
    "npv": lambda tp, positive, negative: (negative, -1, negative + positive - tp, -1),
    "f1": lambda tp, positive, negative: (2 * tp, 0, positive + tp, 1),
}


@dataclass(frozen=True)
class Possible:
    """The tables that agree with a row: for every ``tp`` the first and last ``fp``."""

    positive: int
    negative: int
    runs: tuple[tuple[int, Span], ...]

    @property
    def count(self) -> int:
        """How many tables there are."""
        return sum(last - first + 1 for _, (first, last) in self.runs)

    def __iter__(self) -> Iterator[Counts]:
        """Every table, by tp, then by fp."""
        for tp, (first, last) in self.runs:
            for fp in range(first, last + 1):
                yield tp, self.positive - tp, fp, self.negative - fp

    def first(self, most: int) -> list[Counts]:
        """At most so many tables."""
        return list(islice(self, most))


def possible(metrics: Mapping[str, Printed], positive: int, negative: int) -> Possible:
    """Every confusion table of ``positive`` and ``negative`` cases whose metrics may have been printed so.

    With tp fixed each metric rises or falls steadily with fp, so the fp that agree are a run of integers. A
    predictive value of no case (0/0) may have been printed as 0 or as 1.

    >>> from fusion.evaluate.audit.printed import number
    >>> list(possible({"sensitivity": number(".741"), "specificity": number(".852")}, 27, 81))
    [(20, 7, 12, 69)]
    """
    first, last = _true_positives(metrics["sensitivity"], positive) if "sensitivity" in metrics else (0, positive)
    tp = np.arange(first, last + 1, dtype=np.int64 if _small(metrics, positive + negative) else object)
    low, high = np.zeros_like(tp), np.full_like(tp, negative)
    for name, printed in metrics.items():
        if name != "sensitivity":
            first_fp, last_fp = _span(name, printed, tp, positive, negative)
            low, high = np.maximum(low, first_fp), np.minimum(high, last_fp)
    keep = low <= high
    spans = zip(low[keep].tolist(), high[keep].tolist(), strict=True)
    return Possible(positive, negative, tuple(zip(tp[keep].tolist(), spans, strict=True)))


def value(name: str, tp: int, fp: int, positive: int, negative: int) -> Fraction | None:
    """A metric of a table, exactly; None where it is 0/0.

    >>> value("f1", 45, 0, 50, 58)
    Fraction(18, 19)
    """
    a, b, c, d = FORMS[name](tp, positive, negative)
    return Fraction(a + b * fp, c + d * fp) if c + d * fp else None


def metrics_of(counts: Counts) -> dict[str, float]:
    """All metrics of a table; one that is 0/0 is left out."""
    tp, fn, fp, tn = counts
    found = {name: value(name, tp, fp, tp + fn, fp + tn) for name in FORMS}
    return {name: float(exact) for name, exact in found.items() if exact is not None}


def _small(metrics: Mapping[str, Printed], n: int) -> bool:
    """Whether every product below fits into 64 bits; numbers of very many digits take Python's own integers."""
    return 8 * n * max((abs(end) for printed in metrics.values() for end in printed.ratios), default=1) < EVERY


def _true_positives(printed: Printed, positive: int) -> Span:
    low, high = printed.low * positive, printed.high * positive
    first, last = (low // 1 + 1, -(-high // 1) - 1) if printed.slack else (-(-low // 1), high // 1)
    return max(int(first), 0), min(int(last), positive)


def _span(name: str, printed: Printed, tp: Integers, positive: int, negative: int) -> tuple[Integers, Integers]:
    """The first and last fp at which a metric may have been printed so, for every tp."""
    a, b, c, d = FORMS[name](tp, positive, negative)
    low, under, high, over = printed.ratios
    above = _at_least(under * b - low * d, under * a - low * c - printed.slack + 0 * tp)
    below = _at_least(high * d - over * b, high * c - over * a - printed.slack + 0 * tp)
    first, last = np.maximum(above[0], below[0]), np.minimum(above[1], below[1])
    if name == "ppv":
        _corner(first, last, tp == 0, (0, negative) if 0 in printed else (0, 0) if 1 in printed else (1, 0))
    if name == "npv":
        here = (0, negative) if 1 in printed else (negative, negative) if 0 in printed else (1, 0)
        _corner(first, last, tp == positive, here)
    return first, last


def _corner(first: Integers, last: Integers, where: Bool[ndarray, " tp"], span: Span) -> None:
    """With no true positive PPV is 0, with no false negative NPV is 1, but for the 0/0 at one end."""
    first[where], last[where] = span


def _at_least(slope: int, start: Integers) -> tuple[Integers, Integers]:
    """The first and last integer x at which start + slope * x is not negative; ``EVERY`` stands for no end."""
    every = np.full_like(start, EVERY)
    if slope > 0:
        return -(start // slope), every
    if slope < 0:
        return -every, start // -slope
    return np.where(start >= 0, -every, 1), np.where(start >= 0, every, 0)
