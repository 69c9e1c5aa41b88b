"""How numbers and sets are written, the same in tables, figures and page."""

import math
import re

SETS = {
    "train": "training set",
    "train_oof": "training set, out-of-fold",
    "test": "test set",
    "external": "external set",
}
UNKNOWN = "–"


def number(value: float, decimals: int = 3) -> str:
    """A number with a fixed count of decimals; an en dash where it is unknown.

    >>> number(0.91349), number(float("nan")), number(-0.0001)
    ('0.913', '–', '0.000')
    """
    if math.isnan(value):
        return UNKNOWN
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def p_value(value: float) -> str:
    """A p value to three decimals, never as zero.

    >>> p_value(0.0273), p_value(0.00002)
    ('0.027', '<0.001')
    """
    return "<0.001" if value < 0.001 else number(value)


def interval(low: float, high: float, between: str = "–") -> str:
    """Two ends to three decimals for tables and legends; say `` to `` between ends that may be negative.

    >>> interval(0.842, 0.966)
    '0.842–0.966'
    """
    return UNKNOWN if math.isnan(low) or math.isnan(high) else f"{number(low)}{between}{number(high)}"


def share(part: int, whole: int) -> str:
    """A count with its percentage.

    >>> share(27, 108)
    '27 (25.0%)'
    """
    return f"{part} ({100 * part / whole:.1f}%)" if whole else "0"


def minus(text: str) -> str:
    """The text with a minus sign, not a hyphen, before its negative numbers.

    >>> minus("-0.37 to 3.38; log-sigma-1 of 2026-11-25")
    '−0.37 to 3.38; log-sigma-1 of 2026-11-25'
    """
    return re.sub(r"(?<![\w.)\]{–-])-(?=\.?\d)", "−", text)


def percent(confidence: float) -> str:
    """A confidence level as readers know it.

    >>> percent(0.95)
    '95%'
    """
    return f"{100 * confidence:g}%"
