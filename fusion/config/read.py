"""A config from a YAML file and ``section.field=value`` words; every fault at once, with the place it stands."""

import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from fusion.config.part import Part
from fusion.config.places import Where, values_of
from fusion.config.run import Run
from fusion.errors import ConfigError, Fault

COMMAND_LINE = "command line"
Section = TypeVar("Section", bound=Part)


def load(path: Path, overrides: Sequence[str] = ()) -> Run:
    """The run that ``path`` and ``overrides`` describe.

    Args:
        path: a YAML file; values only.
        overrides: ``section.field=value`` words; the value is read as YAML.

    Raises:
        ConfigError: with every fault found: unreadable file, duplicate or unknown name, value out of range.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise ConfigError(Fault(reason, "a YAML config", "check the path", file=str(path))) from error
    return parse(text, overrides, source=str(path))


def parse(text: str, overrides: Sequence[str] = (), source: str = "config") -> Run:
    """As ``load``, from the text of a config.

    >>> parse("{name: a, cohort: {table: t.csv}}", ["split.folds=3"]).split.folds
    3
    """
    faults: list[Fault] = []
    where: Where = {}
    values = values_of(text, source, "a mapping with name, cohort, ...", where)
    for word in overrides:
        _override(values, word, where, faults)
    try:
        run = Run.model_validate(values)
    except ValidationError as error:
        faults += [_fault(item, where, source, values) for item in error.errors()]
    except ConfigError as error:  # of a file that the config names
        faults += error.faults
    if faults:
        raise ConfigError(faults)
    return run


def checked(part: type[Section], values: dict[str, Any]) -> Section:
    """A section from values typed on the command line.

    Raises:
        ConfigError: every value out of its range.
    """
    try:
        return part.model_validate(values)
    except ValidationError as error:
        raise ConfigError([_fault(item, {}, COMMAND_LINE, values) for item in error.errors()]) from error


def dump(run: Run) -> str:
    """The resolved run as YAML; ``parse`` reads it back to an equal run."""
    return yaml.safe_dump(json.loads(run.model_dump_json()), sort_keys=False, allow_unicode=True)


def schema() -> str:
    """JSON schema of a run, with the docstrings as descriptions."""
    return json.dumps(Run.model_json_schema(), indent=2)


def _override(values: dict[str, Any], word: str, where: Where, faults: list[Fault]) -> None:
    name, equals, text = word.partition("=")
    path = tuple(name.split("."))
    if not equals or not all(path):
        faults.append(Fault(repr(word), "section.field=value", "write the field's full name", file=COMMAND_LINE))
        return
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        faults.append(Fault(f"{name}={text!r}", "a YAML value", "quote it", file=COMMAND_LINE))
        return
    section = values
    for part in path[:-1]:
        if not isinstance(section.get(part), dict):
            section[part] = {}
        section = section[part]
    section[path[-1]] = value
    where[path] = COMMAND_LINE


def _fault(item: Any, where: Where, source: str, values: dict[str, Any]) -> Fault:
    path = tuple(str(part) for part in item["loc"])
    typed = _typed(path, values)
    name = ".".join(typed) or "the run"
    if item["type"] == "extra_forbidden":
        known = _names(path[:-1])
        close = difflib.get_close_matches(path[-1], known, n=1)
        remedy = f"did you mean {'.'.join((*typed[:-1], close[0]))}?" if close else "delete it"
        return Fault(f"unknown name {name}", f"one of {', '.join(known)}", remedy, file=_place(path, where, source))
    if item["type"] == "missing":
        return Fault(f"no {name}", "a value", f"set {name}", file=_place(path, where, source))
    found = f"{name} = {item['input']!r}" if path else "an impossible combination"
    expected = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return Fault(found, expected, f"change {name}", file=_place(path, where, source))


def _typed(path: tuple[str, ...], values: Any) -> tuple[str, ...]:
    """The path as a user writes it: without the tags that pydantic adds for a `kind` that nobody wrote."""
    found = []
    for place, part in enumerate(path):
        if isinstance(values, dict) and part not in values and place < len(path) - 1 and "kind" not in values:
            continue
        found.append(part)
        if isinstance(values, dict) and part in values:
            values = values[part]
        elif isinstance(values, list | tuple) and part.isdecimal() and int(part) < len(values):
            values = values[int(part)]
    return tuple(found)


def _place(path: tuple[str, ...], where: Where, source: str) -> str:
    """The nearest noted place; pydantic puts union tags into paths, so a tag may have to be skipped."""
    for end in range(len(path), 0, -1):
        for kept in (path[:end], (*path[: end - 2], path[end - 1]) if end > 1 else path[:end]):
            if kept in where:
                return where[kept]
    return source


def _names(path: tuple[str, ...]) -> list[str]:
    """Field names of the section at ``path``."""
    models: list[type[BaseModel]] = [Run]
    for part in path:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        inner = [model for field in fields for model in _models(field.annotation)]
        tagged = [m for m in models if "kind" in m.model_fields and m.model_fields["kind"].default == part]
        models = inner or tagged or models
    return sorted({name for model in models for name in model.model_fields})


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models(argument)]
