"""YAML values with the line of every name, and no name twice."""

from typing import Any

import yaml

from fusion.errors import ConfigError, Fault

Where = dict[tuple[str, ...], str]
"""File and line of a name, by its path."""


def values_of(text: str, source: str, expected: str, where: Where) -> dict[str, Any]:
    """The mapping that ``text`` holds; the place of each name goes into ``where``.

    >>> where = {}
    >>> values_of("a: 1\\nb: {c: 2}", "x.yaml", "a mapping", where), where["b", "c"]
    ({'a': 1, 'b': {'c': 2}}, 'x.yaml line 2')

    Raises:
        ConfigError: no YAML, no mapping, or every name that stands twice.
    """
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except RecursionError as error:
        raise ConfigError(Fault("lists in lists without end", "YAML values", "mend it", file=source)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"{source} line {mark.line + 1}" if mark else source
        problem = getattr(error, "problem", None) or "characters that YAML does not allow"
        raise ConfigError(Fault(f"no YAML ({problem})", "YAML values", "mend that line", file=line)) from error
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(Fault("no names", expected, "write NAME: VALUE lines", file=source))
    faults: list[Fault] = []
    _places(node, (), source, where, faults)
    if faults:  # a duplicate key hides a value, so what follows would be about another config
        raise ConfigError(faults)
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(Fault(f"no plain value ({error})", "plain YAML values", "mend it", file=source)) from error


def _places(node: yaml.Node, path: tuple[str, ...], source: str, where: Where, faults: list[Fault]) -> None:
    """Note the line of every name, and refuse a name that stands twice."""
    where[path] = f"{source} line {node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        name = (*path, str(key.value))
        line = f"{source} line {key.start_mark.line + 1}"
        if name in where:
            faults.append(Fault(f"{'.'.join(name)} twice ({where[name]})", "each name once", "delete one", file=line))
        _places(value, name, source, where, faults)
        where[name] = line
