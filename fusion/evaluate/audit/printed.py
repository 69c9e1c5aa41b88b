"""A number as it stands in print, and the exact values that it may stand for."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

from scipy.stats import norm

Rounding = Literal["nearest", "any"]
"""``nearest``: rounded to the nearest, ties either way; ``any``: also cut off or rounded up."""

NUMBER = re.compile(r"(?P<sign>[-+−]?)(?P<whole>\d*)(?:[.,·](?P<part>\d*))?(?:[eE](?P<power>[-+]?\d{1,2}))?")
MARKS = "*†‡§ "
LONGEST = 40
NOTHING = {"", "-", "–", "—", "na", "n/a", "nan", "ref", "ref.", "reference"}
FINEST = Fraction(1, 10**12)
"""More decimals than these were written by a computer, whose last digits are noise."""


@dataclass(frozen=True)
class Printed:
    """A printed number: its text, its value, the count of its decimals, and how it may have been rounded."""

    text: str
    value: Fraction
    decimals: int
    percent: bool = False
    rounding: Rounding = "nearest"

    @property
    def reach(self) -> Fraction:
        """How far the exact value may lie from the printed one."""
        unit = Fraction(10) ** -(self.decimals + (2 if self.percent else 0))
        return max(unit, FINEST) / (2 if self.rounding == "nearest" else 1)

    @cached_property
    def low(self) -> Fraction:
        """The smallest exact value, itself included where rounding is to the nearest."""
        return self.value - self.reach

    @cached_property
    def high(self) -> Fraction:
        """The largest exact value, itself included where rounding is to the nearest."""
        return self.value + self.reach

    @cached_property
    def ratios(self) -> tuple[int, int, int, int]:
        """Numerator and denominator of both ends."""
        return *self.low.as_integer_ratio(), *self.high.as_integer_ratio()

    @cached_property
    def slack(self) -> int:
        """0 where the ends belong to the interval, 1 where they do not."""
        return 0 if self.rounding == "nearest" else 1

    def __contains__(self, exact: Fraction | int) -> bool:
        """Whether the exact number may have been printed so."""
        return self.low < exact < self.high if self.slack else self.low <= exact <= self.high

    def show(self, exact: Fraction) -> str:
        """An exact number as this one was printed, with a digit more where it would look the same but is not."""
        scaled = float(exact * (100 if self.percent else 1))
        decimals = max(self.decimals, 0)
        word = f"{scaled:.{decimals}f}"
        alike = exact not in self and abs(Fraction(word) / (100 if self.percent else 1) - self.value) < self.reach / 10
        return f"{scaled:.{decimals + 1}f}" if alike else word


@dataclass(frozen=True)
class PrintedP:
    """A printed P value: the exact one lies from ``low`` to ``high``."""

    text: str
    low: float
    high: float

    @property
    def bound(self) -> bool:
        """Whether only an end is printed, as in <0.001."""
        return self.text[:1] in "<>≤≥"

    @property
    def middle(self) -> float:
        """The P value that stands for it."""
        return (self.low + self.high) / 2

    @property
    def z(self) -> float:
        """The absolute normal deviate of a two-sided P."""
        return float(norm.isf(self.middle / 2))


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is no number."""
    return text.strip(MARKS).lower() in NOTHING


def number(text: str, percent: bool = False, rounding: Rounding = "nearest") -> Printed | None:
    """The number in a cell, or None where it holds something else.

    A comma or a raised dot may be the decimal point; marks of significance are dropped; a % sign or ``percent``
    divides by 100.

    >>> printed = number("95.37%")
    >>> printed.value, printed.low, Fraction(103, 108) in printed
    (Fraction(9537, 10000), Fraction(19073, 20000), True)
    """
    word = text.strip(MARKS)
    percent = percent or word.endswith("%")
    match = NUMBER.fullmatch(word.removesuffix("%").rstrip())
    if match is None or not (match["whole"] or match["part"]) or len(word) > LONGEST:
        return None
    part = match["part"] or ""
    decimals = len(part) - int(match["power"] or 0)
    digits = int(match["whole"] + part) * (-1 if match["sign"] in ("-", "−") else 1)
    return Printed(word, digits * Fraction(10) ** -(decimals + 2 * percent), decimals, percent, rounding)


def p_value(text: str) -> PrintedP | None:
    """The P value in a cell, also where it is a bound; None where it holds something else.

    >>> p_value("<0.001").high, round(p_value(".030*").low, 4)
    (0.001, 0.0295)
    """
    word = re.sub(r"^[pP]\s*(?=[<>=≤≥])", "", text.strip(MARKS)).strip()
    bound = word[:1] if word[:1] in "<>=≤≥" else ""
    found = number(word.removeprefix(bound))
    if found is None or not 0 <= found.value <= 1:
        return None
    if bound in ("<", "≤"):
        return PrintedP(word, 0.0, float(found.value))
    if bound in (">", "≥"):
        return PrintedP(word, float(found.value), 1.0)
    return PrintedP(word, float(max(found.low, Fraction(0))), float(min(found.high, Fraction(1))))
