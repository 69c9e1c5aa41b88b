"""A value that may stand in a cohort's cell."""

from typing import Annotated

from pydantic import BeforeValidator


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a word or a number (YAML reads yes, no, on, off as booleans: quote them)")
    return value


Level = Annotated[str | int | float, BeforeValidator(_no_boolean)]
"""A value of an outcome or of a category; numbers and words that look like them are the same."""
