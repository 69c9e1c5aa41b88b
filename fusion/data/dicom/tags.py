"""Values of DICOM tags as plain words and numbers; what is missing or of no sense is None, 0 or empty."""

from typing import Any

import numpy as np
import pydicom

Numbers = tuple[float, ...]


def numbers(value: Any, count: int) -> Numbers | None:
    """``count`` finite numbers; None where the header has no such thing."""
    given = [float(one) for one in many(value)]
    return tuple(given) if len(given) == count and np.isfinite(given).all() else None


def number(value: Any) -> float | None:
    """One finite number; None where there is none, or several."""
    given = numbers(value, 1)
    return given[0] if given else None


def many(value: Any) -> list[Any]:
    """The values of a tag, be they none, one or several."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]


def count(value: Any) -> int:
    """A whole number that is not negative; 0 where there is none."""
    return max(0, int(number(value) or 0))


def word(own: pydicom.Dataset, name: str) -> str:
    """The value of a tag as text; empty where there is none."""
    value = own.get(name)
    return "" if value is None else str(value)


def words(own: pydicom.Dataset, name: str) -> tuple[str, ...]:
    """The values of a tag as texts in upper case."""
    return tuple(str(one).upper() for one in many(own.get(name)))


def first(own: pydicom.Dataset, name: str) -> pydicom.Dataset:
    """The first item of a sequence; an empty one where there is none."""
    return (own.get(name) or [pydicom.Dataset()])[0]
