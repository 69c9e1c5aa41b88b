"""Printed odds ratios: do ratio, interval and P belong together, and to a model of one variable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf, log, sqrt
from pathlib import Path

from scipy.stats import norm

from fusion.errors import Fault
from fusion.evaluate.audit import sheet
from fusion.evaluate.audit.area import Z95
from fusion.evaluate.audit.printed import Printed, PrintedP, is_nothing, number, p_value
from fusion.evaluate.audit.sheet import AuditError, Line, Sheet

COLUMNS = ("variable", "model", "or", "or_low", "or_high", "p")


@dataclass(frozen=True)
class Odds:
    """One printed odds ratio with its 95 % interval; ``model`` tells columns such as univariable and multivariable."""

    variable: str
    model: str
    ratio: Printed
    low: Printed
    high: Printed
    p: PrintedP | None


@dataclass(frozen=True)
class Checked:
    """What an odds ratio's digits say.

    Attributes:
        odds: the row.
        centre: the ratio at the middle of its interval on the log scale.
        symmetric: whether ratio and interval can be a Wald interval's, whatever the rounding.
        slips: numbers with two neighbouring digits exchanged, or a decimal point moved, that make it symmetric.
        error: standard error of the log odds ratio, from the interval's width; from its upper half where the lower end
            is printed as 0.
        p: least and largest Wald P over all exact values that may have been printed so.
        p_agrees: whether the printed P is among them; None where none is printed.
        null_error: standard error in a model of this variable alone, without effect; None where its spread is unknown.
    """

    odds: Odds
    centre: float
    symmetric: bool
    slips: tuple[str, ...]
    error: float | None
    p: tuple[float, float]
    p_agrees: bool | None
    null_error: float | None = None


def read(path: Path) -> list[Odds]:
    """The odds ratios in a CSV with columns variable, or, or_low, or_high and, if printed, p and model.

    Raises:
        AuditError: every fault found.
    """
    own = sheet.read(path)
    faults = sheet.of_columns(own, COLUMNS, ("variable", "or", "or_low", "or_high"))
    rows = [_row(own, line, faults) for line in own.lines]
    names = [(line["model"], line["variable"]) for line in own.lines]
    faults += [Fault(f"{variable} {names.count((model, variable))} times", "once a model", "name the levels apart",
                     file=own.file)
               for model, variable in sorted({name for name in names if names.count(name) > 1})]  # fmt: skip
    if faults:
        raise AuditError(faults)
    return [row for row in rows if row is not None]


def check(odds: Odds, null_error: float | None = None) -> Checked:
    """Ratio against interval, and interval against P.

    A Wald interval is exp(b - 1.96 s) to exp(b + 1.96 s), so the ratio is the geometric mean of its ends.

    >>> node = Odds("nodes", "", *(number(word) for word in ("384.530", "16.560", "7335.452")), None)
    >>> check(node).symmetric, check(node).slips
    (False, ('or 348.530',))
    """
    low, high = float(odds.low.value), float(odds.high.value)
    symmetric = _symmetric(odds.ratio, odds.low, odds.high)
    p = _p_range(odds)
    return Checked(
        odds, sqrt(low * high), symmetric, () if symmetric else _slips(odds), _error(odds), p,
        None if odds.p is None else p[0] <= odds.p.high and odds.p.low <= p[1], null_error,
    )  # fmt: skip


def null_error(sd: float, n: int, events: int) -> float:
    """Standard error of a univariable log odds ratio without effect: 1 / sqrt(n q (1 - q)) / sd, with q events in n.

    The inverse of the logistic model's information at a slope of 0.

    >>> round(null_error(14.351, 249, 62), 3)
    0.01
    """
    share = events / n
    return 1 / (sd * sqrt(n * share * (1 - share)))


def flips(rows: Sequence[Odds]) -> dict[str, Mapping[str, str]]:
    """Variables whose odds ratio is above 1 in one model and below it in another, with the printed ratios."""
    found: dict[str, dict[str, Odds]] = {}
    for row in rows:
        found.setdefault(row.variable, {})[row.model] = row
    sides = {variable: {row.ratio.low > 1 for row in own.values() if 1 not in row.ratio}
             for variable, own in found.items()}  # fmt: skip
    return {variable: {model: row.ratio.text for model, row in own.items()}
            for variable, own in found.items() if len(sides[variable]) == 2}  # fmt: skip


def in_more_than_one(rows: Sequence[Odds]) -> int:
    """How many variables stand in more than one model."""
    names = [row.variable for row in rows]
    return len({name for name in names if names.count(name) > 1})


def _row(own: Sheet, line: Line, faults: list[Fault]) -> Odds | None:
    shown = f"{line.place} ({line['variable']})"
    numbers = {name: number(line[name]) for name in ("or", "or_low", "or_high")}
    for name, found in numbers.items():
        if name in own.columns and (found is None or found.value < 0):
            faults.append(Fault(f"{name} = {line[name]!r} in {shown}", "a number, 0 or more", "mend it", file=own.file))
    p = p_value(line["p"])
    if p is None and not is_nothing(line["p"]):
        faults.append(Fault(f"p = {line['p']!r} in {shown}", "a P value, such as <0.001", "mend it", file=own.file))
    ratio, low, high = numbers.values()
    if ratio is None or low is None or high is None or min(ratio.value, low.value, high.value) < 0:
        return None
    if low.value >= high.value:
        found_ = f"or_low {low.text} and or_high {high.text} in {shown}"
        faults.append(Fault(found_, "a lower end below the upper", "mend them", file=own.file))
    return Odds(line["variable"], line["model"], ratio, low, high, p)


def _symmetric(ratio: Printed, low: Printed, high: Printed) -> bool:
    """Whether some exact ratio, low and high that round to the printed ones have ratio^2 = low * high."""
    least = max(low.low, Fraction(0)) * max(high.low, Fraction(0))
    return max(ratio.low, Fraction(0)) ** 2 <= low.high * high.high and ratio.high**2 >= least


def _slips(odds: Odds) -> tuple[str, ...]:
    names = {"or": odds.ratio, "or_low": odds.low, "or_high": odds.high}
    found = []
    for name, printed in names.items():
        for word in _near(printed.text):
            other = number(word)
            assert other is not None
            changed = names | {name: other}
            if _symmetric(changed["or"], changed["or_low"], changed["or_high"]):
                found.append(f"{name} {word}")
    return tuple(found)


def _near(text: str) -> list[str]:
    """The number with two neighbouring digits exchanged, or its point moved by one place."""
    digits = [i for i, sign in enumerate(text) if sign.isdigit()]
    swapped = []
    for i, j in pairwise(digits):
        letters = list(text)
        letters[i], letters[j] = letters[j], letters[i]
        swapped.append("".join(letters))
    moved = []
    if "." in text:
        whole, part = text.split(".")
        moved = [f"{whole[:-1] or '0'}.{whole[-1:]}{part}", f"{whole}{part[:1]}.{part[1:]}"]
    return [word for word in dict.fromkeys([*swapped, *moved]) if word != text]


def _error(odds: Odds) -> float | None:
    ratio, low, high = (float(one.value) for one in (odds.ratio, odds.low, odds.high))
    if low > 0:
        return log(high / low) / (2 * Z95)
    return log(high / ratio) / Z95 if high > ratio > 0 else None


def _p_range(odds: Odds) -> tuple[float, float]:
    """P = 2 Phi(-|b| / s), with b from the ratio and s from the width; wider than need be, never narrower."""
    slopes = [_log(odds.ratio.low), _log(odds.ratio.high)]
    least = 0.0 if slopes[0] <= 0 <= slopes[1] else min(map(abs, slopes))
    most = max(map(abs, slopes))
    lows, highs = (_log(odds.low.low), _log(odds.low.high)), (_log(odds.high.low), _log(odds.high.high))
    narrow, wide = max(highs[0] - lows[1], 1e-12) / (2 * Z95), (highs[1] - lows[0]) / (2 * Z95)
    above = (highs[1] - slopes[0]) / Z95
    if wide == inf and above > narrow:  # a lower end printed as 0.000 says nothing; the upper end does
        wide = above
    return float(2 * norm.sf(most / narrow)), float(2 * norm.sf(least / wide if wide > 0 else 0.0))


def _log(value: Fraction) -> float:
    return log(value) if value > 0 else -inf
