"""The words of a sweep: ``section.field=value,value``, taken apart and judged by themselves."""

import json
from collections.abc import Sequence
from typing import Any

import yaml

from fusion.config.read import COMMAND_LINE
from fusion.errors import Fault

UNSWEPT = ("name", "output", "cache", "jobs", "compute", "bundle", "may_lose")
"""Fields of which a sweep has one value: they change no number of a run, or name its folder."""
OPENS, CLOSES, QUOTES = "[{(", "]})", "'\""


def typed_values(words: Sequence[str]) -> tuple[dict[str, list[str]], list[Fault]]:
    """Values by field, and what is wrong with the words.

    >>> typed_values(["split.folds=2,3", "seed=1"])
    ({'split.folds': ['2', '3'], 'seed': ['1']}, [])
    """
    typed: dict[str, list[str]] = {}
    faults: list[Fault] = []
    for word in words:
        field, equals, text = word.partition("=")
        values = values_of(text)
        if not equals or not all(field.split(".")):
            found, expected, remedy = repr(word), "section.field=value,value", "write the field's full name"
        elif field in typed:
            found, expected, remedy = f"{field} twice", "each field once", "write all its values in one word"
        elif not all(values):
            found, expected, remedy = f"an empty value in {word!r}", "values between commas", "write null for no value"
        elif len(values) > 1 and field.split(".")[0] in UNSWEPT:
            found, remedy = f"{len(values)} values of {field}", "give it one value"
            expected = f"one, as it does not tell cells apart ({', '.join(UNSWEPT)})"
        elif twice := _twice(values):
            found, expected, remedy = f"{twice} twice in {word!r}", "each value once", "delete one"
        else:
            typed[field] = values
            continue
        typed.setdefault(field, values)
        faults.append(Fault(found, expected, remedy, file=COMMAND_LINE))
    return typed, faults


def several(words: Sequence[str]) -> list[str]:
    """The words that sweep a field."""
    return [word for word in words if len(values_of(word.partition("=")[2])) > 1]


def values_of(text: str) -> list[str]:
    """The values that commas part, but not within brackets, braces or quotes.

    >>> values_of("1,2"), values_of("[1, 2],[3]"), values_of("{kind: lasso},{kind: mrmr}"), values_of("'a,b'")
    (['1', '2'], ['[1, 2]', '[3]'], ['{kind: lasso}', '{kind: mrmr}'], ["'a,b'"])
    """
    found, depth, quote, before = [""], 0, "", ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in QUOTES and before in ("", ",", ":", *OPENS):  # elsewhere it is an apostrophe
            quote = letter
        else:
            depth += (letter in OPENS) - (letter in CLOSES)
        if letter == "," and depth == 0 and not quote:
            found.append("")
            before = ""
            continue
        found[-1] += letter
        before = before if letter == " " else letter
    return [value.strip() for value in found]


def _twice(values: Sequence[str]) -> str | None:
    """The first value that stands twice, however it is written."""
    known = set()
    for value in values:
        try:
            meant: Any = json.dumps(yaml.safe_load(value), default=str, sort_keys=True)
        except yaml.YAMLError:  # told of its cell, with the field's name
            meant = value
        if meant in known:
            return value
        known.add(meant)
    return None
