"""A sweep: words with several values each, and the cells that they span, every one a run of its own."""

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fusion.config.read import COMMAND_LINE, load
from fusion.config.run import Run
from fusion.errors import ConfigError, Fault

UNSWEPT = ("name", "output", "cache", "jobs", "compute", "bundle", "may_lose")
"""Fields of which a sweep has one value: they change no number of a run, or name its folder."""
OPENS, CLOSES, QUOTES = "[{(", "]})", "'\""


@dataclass(frozen=True)
class Cell:
    """One combination of values; ``values`` are as typed, by field."""

    name: str
    values: Mapping[str, str]

    @property
    def words(self) -> str:
        """Its values in one line."""
        return " ".join(f"{field}={value}" for field, value in self.values.items())


@dataclass(frozen=True)
class Sweep:
    """What was typed: words, swept fields, cells, and the run of every cell whose config has no fault."""

    words: tuple[str, ...]
    fields: tuple[str, ...]
    cells: tuple[Cell, ...]
    runs: Mapping[str, Run]
    faults: Mapping[str, Sequence[Fault]]
    """By cell."""

    @property
    def base(self) -> Run:
        """The run of the first cell; what is not swept is the same in all."""
        return next(iter(self.runs.values()))

    @property
    def folder(self) -> Path:
        """The sweep's folder: `output`, or runs/NAME_sweep."""
        return self.base.output or Path("runs") / f"{self.base.name}_sweep"


def read(path: Path, words: Sequence[str]) -> Sweep:
    """The sweep that a config and words describe.

    Args:
        path: a YAML config.
        words: ``section.field=value`` for all cells, or ``section.field=value,value`` to sweep; a comma within
            brackets, braces or quotes parts nothing. Cells are in the order typed, the first field varies slowest.

    Raises:
        ConfigError: every fault of the words; or no cell describes a run.
    """
    typed, faults = _typed(words)
    swept = {field: values for field, values in typed.items() if len(values) > 1}
    if not faults and not swept:
        remedy = "write section.field=value,value (a list as one value is [a, b])"
        faults.append(Fault("no field with several values", "at least one", remedy, file=COMMAND_LINE))
    if faults:
        raise ConfigError(faults)
    cells = spanned(swept)
    runs: dict[str, Run] = {}
    wrong: dict[str, Sequence[Fault]] = {}
    for cell in cells:
        try:
            runs[cell.name] = load(path, [f"{field}={cell.values.get(field, own[0])}" for field, own in typed.items()])
        except ConfigError as error:
            wrong[cell.name] = error.faults
    wrong |= _alike(cells, runs)
    if not runs:
        raise ConfigError(together(cells, wrong))
    return Sweep(tuple(words), tuple(swept), cells, runs, wrong)


def spanned(swept: Mapping[str, Sequence[str]]) -> tuple[Cell, ...]:
    """Every combination of values, the first field varying slowest.

    >>> [f"{cell.name} {cell.words}" for cell in spanned({"a": ["1", "2"], "b": ["x", "y"]})]
    ['c01 a=1 b=x', 'c02 a=1 b=y', 'c03 a=2 b=x', 'c04 a=2 b=y']
    """
    every = list(itertools.product(*swept.values()))
    digits = max(2, len(str(len(every))))
    return tuple(
        Cell(f"c{number:0{digits}}", dict(zip(swept, values, strict=True))) for number, values in enumerate(every, 1)
    )


def together(cells: Sequence[Cell], found: Mapping[str, Iterable[Fault]]) -> list[Fault]:
    """The faults of all cells, each once: first common ones as they are, then others with the cells that have them."""
    having: dict[Fault, list[Cell]] = {}
    for cell in cells:
        for fault in dict.fromkeys(found.get(cell.name, ())):
            having.setdefault(fault, []).append(cell)
    return [
        fault if len(own) == len(cells) else
        Fault(f"{fault.found}, in {named(own, cells)}", fault.expected, fault.remedy, fault.case, fault.file)
        for fault, own in sorted(having.items(), key=lambda item: -len(item[1]))
    ]  # fmt: skip


def named(own: Sequence[Cell], cells: Sequence[Cell]) -> str:
    """Some cells in words: by the one value that all of them and no others have, or one by one."""
    for field, value in own[0].values.items():
        if [cell for cell in cells if cell.values[field] == value] == list(own) and len(own) > 1:
            return f"every cell with {field}={value}"
    return ", ".join(f"cell {cell.name} ({cell.words})" for cell in own)


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


def _typed(words: Sequence[str]) -> tuple[dict[str, list[str]], list[Fault]]:
    """Values by field, and what is wrong with the words."""
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


def _alike(cells: Sequence[Cell], runs: Mapping[str, Run]) -> dict[str, Sequence[Fault]]:
    """Cells whose values are written otherwise, and mean the same run."""
    first: dict[str, Cell] = {}
    faults: dict[str, Sequence[Fault]] = {}
    for cell in (own for own in cells if own.name in runs):
        other = first.setdefault(runs[cell.name].model_dump_json(), cell)
        if other is not cell:
            found = f"the same run as in cell {other.name} ({other.words})"
            faults[cell.name] = [Fault(found, "cells that differ", "delete a value", file=COMMAND_LINE)]
    return faults
