"""All confusion tables that could have been printed as a row of results: integers and fractions, no rounding error."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from fusion.evaluate.audit.printed import Printed

Counts = tuple[int, int, int, int]
"""True positives, false negatives, false positives, true negatives."""
Span = tuple[int, int]
"""First and last integer; empty where the last is smaller."""
Form = Callable[[int, int, int], tuple[int, int, int, int]]
"""(tp, n+, n-) to (a, b, c, d): the metric is (a + b fp) / (c + d fp)."""

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
    first, last = _true_positives(metrics.get("sensitivity"), positive)
    rest = [(FORMS[name], name, printed) for name, printed in metrics.items() if name != "sensitivity"]
    runs = []
    for tp in range(first, last + 1):
        span = (0, negative)
        for form, name, printed in rest:
            span = _common(span, _span(name, form, printed, tp, positive, negative))
            if span[0] > span[1]:
                break
        else:
            runs.append((tp, span))
    return Possible(positive, negative, tuple(runs))


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


def _true_positives(printed: Printed | None, positive: int) -> Span:
    if printed is None:
        return 0, positive
    low, high = printed.low * positive, printed.high * positive
    first, last = -(-low // 1), high // 1
    if printed.slack:
        first, last = low // 1 + 1, -(-high // 1) - 1
    return _common((0, positive), (int(first), int(last)))


def _common(one: Span, two: Span) -> Span:
    return max(one[0], two[0]), min(one[1], two[1])


def _span(name: str, form: Form, printed: Printed, tp: int, positive: int, negative: int) -> Span:
    """The fp at which a metric may have been printed so, with tp fixed."""
    if name == "ppv" and tp == 0:
        return (0, negative) if 0 in printed else (0, 0) if 1 in printed else (1, 0)
    if name == "npv" and tp == positive:
        return (0, negative) if 1 in printed else (negative, negative) if 0 in printed else (1, 0)
    a, b, c, d = form(tp, positive, negative)
    low, under, high, over = printed.ratios
    above = _at_least(under * b - low * d, under * a - low * c - printed.slack)
    below = _at_least(high * d - over * b, high * c - over * a - printed.slack)
    return _common(_common((0, negative), above), below)


def _at_least(slope: int, start: int) -> Span:
    """The integers at which start + slope * fp is not negative; ``EVERY`` stands for no end."""
    if slope > 0:
        return -(start // slope), EVERY
    if slope < 0:
        return -EVERY, start // -slope
    return (-EVERY, EVERY) if start >= 0 else (1, 0)


EVERY = 10**18
