"""A sweep: words with several values each, and the cells that they span, every one a run of its own."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fusion.config.read import COMMAND_LINE, load
from fusion.config.run import Run
from fusion.config.sweep_words import typed_values
from fusion.errors import ConfigError, Fault


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
    typed, faults = typed_values(words)
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
