"""Rows whose class counts are not told: the smallest that agree with every printed value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from fusion.evaluate.audit.confusion import Counts, possible
from fusion.evaluate.audit.printed import Printed

LIMIT = 400
"""Cases beyond which no smaller solution is sought."""
TOTALS = 5
"""How many totals are named."""
TABLES = 20
WORK = 100_000
"""How many splits into classes are tried before the search ends short of its limit (some seconds)."""


@dataclass(frozen=True)
class Solution:
    """Class counts that agree with a row, and at most ``TABLES`` of their confusion tables."""

    positive: int
    negative: int
    tables: tuple[Counts, ...]
    count: int


@dataclass(frozen=True)
class Smallest:
    """The fewest cases that agree with a row, in every split into classes, and the next totals that do.

    ``totals`` has at most ``TOTALS`` numbers; ``reached`` is the last total that was tried.
    """

    solutions: tuple[Solution, ...]
    totals: tuple[int, ...]
    reached: int

    @property
    def unique(self) -> bool:
        """Whether one split, one table is the smallest."""
        return len(self.solutions) == 1 and self.solutions[0].count == 1


def smallest(metrics: Mapping[str, Printed], limit: int = LIMIT, total: int | None = None) -> Smallest:
    """Class counts and confusion tables with the fewest cases that agree with all printed metrics.

    Args:
        metrics: as printed.
        limit: the most cases to try.
        total: the number of cases, where that is printed.

    >>> from fusion.evaluate.audit.printed import number
    >>> found = smallest({"accuracy": number("95.37%"), "f1": number("94.74%")})
    >>> [(one.positive, one.negative, one.tables) for one in found.solutions][-1]
    (50, 58, ((45, 5, 0, 58),))
    """
    found: dict[int, tuple[Solution, ...]] = {}
    reached, work = 0, 0
    for n in [total] if total is not None else range(2, limit + 1):
        if "accuracy" not in metrics or shares_of(metrics["accuracy"], n):
            work += n // 10 if "sensitivity" in metrics else n
            if (work > WORK and total is None) or len(found) == TOTALS:
                break
            if own := tuple(_solutions(metrics, n)):
                found[n] = own
        reached = n
    return Smallest(next(iter(found.values()), ()), tuple(found), reached)


def counts_of(printed: Printed, limit: int = LIMIT) -> list[tuple[int, int]]:
    """All (k, n) up to ``limit`` cases whose share k/n may have been printed so.

    >>> from fusion.evaluate.audit.printed import number
    >>> counts_of(number("95.37%"))[0]
    (103, 108)
    """
    return [(k, n) for n in range(1, limit + 1) for k in shares_of(printed, n)]


def shares_of(printed: Printed, n: int) -> list[int]:
    """The counts k of ``n`` whose share may have been printed so."""
    first, last = max(int(printed.low * n) - 1, 0), min(int(printed.high * n) + 1, n)
    return [k for k in range(first, last + 1) if Fraction(k, n) in printed]


def at_any_size(metrics: Mapping[str, Printed]) -> str | None:
    """Why no number of cases could give a row; None where these two rules do not tell.

    Accuracy is a weighted mean of sensitivity and specificity; F1 is the harmonic mean of sensitivity and PPV, and
    at most 2x/(1 + x) where one of the two is x.
    """
    for name in ("sensitivity", "ppv"):
        if {"f1", name} <= metrics.keys() and metrics["f1"].low > 2 * (x := metrics[name].high) / (1 + x):
            return f"f1 {metrics['f1'].text} is more than {name} {metrics[name].text} allows, with any number of cases"
    for name, between in (("accuracy", ("sensitivity", "specificity")), ("f1", ("sensitivity", "ppv"))):
        if not {name, *between} <= metrics.keys():
            continue
        own, ends = metrics[name], [metrics[other] for other in between]
        if own.high < min(end.low for end in ends) or own.low > max(end.high for end in ends):
            words = f"{between[0]} {ends[0].text} and {between[1]} {ends[1].text}"
            return f"{name} {own.text} does not lie between {words}, with any number of cases"
    return None


def _solutions(metrics: Mapping[str, Printed], n: int) -> Iterator[Solution]:
    for positive in range(1, n):
        negative = n - positive
        sides = {"sensitivity": positive, "specificity": negative}
        if any(name in metrics and not shares_of(metrics[name], whole) for name, whole in sides.items()):
            continue
        found = possible(metrics, positive, negative)
        if found.runs:
            yield Solution(positive, negative, tuple(found.first(TABLES)), found.count)
