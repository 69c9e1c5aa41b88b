"""Dates and numbers in a column, as numbers that rise with time."""

import math
import re
from datetime import date

import pandas as pd

DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?|(\d{8})")
NAN = float("nan")


def moments(words: pd.Series, since: str | int | float | None = None) -> tuple[pd.Series, float | None]:
    """Each word and ``since`` as a number; nan where it cannot be read.

    Numbers are taken as they are where all words and ``since`` are numbers; otherwise all must be dates, written
    2019-03-01 or 20190301, and count in days. A time of the day is not looked at.

    >>> moments(pd.Series(["2019-03-01", "2019-03-03 12:30:00", "3.3.2019"]))[0].diff().tolist()
    [nan, 2.0, nan]
    """
    read = number if _numbers(words, since) else _days
    return words.map(read).astype(float), None if since is None else read(str(since))


def number(word: str) -> float:
    """A finite number, or nan."""
    try:
        found = float(word)
    except ValueError:
        return NAN
    return found if math.isfinite(found) else NAN


def _numbers(words: pd.Series, since: str | int | float | None) -> bool:
    asked = [*words[words != ""], *([] if since is None else [str(since)])]
    return not any(math.isnan(number(word)) for word in asked)


def _days(word: str) -> float:
    written = DATE.fullmatch(word)
    try:
        return float(date.fromisoformat(written[1] or written[2]).toordinal()) if written else NAN
    except ValueError:  # such as the 31st of February
        return NAN
