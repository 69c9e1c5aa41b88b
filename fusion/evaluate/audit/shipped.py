"""What is to be audited: a file, or one of the printed tables that come with fusion."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from fusion.errors import Fault
from fusion.evaluate.audit.sheet import AuditError
from fusion.evaluate.audit.whole import Request, Text

FOLDER = Path(__file__).parent / "cases"
FILES = ("odds", "baseline", "counts")


def asked(table: str, options: dict[str, Any]) -> Request:
    """The request for a file, or else for the shipped case of that name, with the options that are not None.

    Raises:
        AuditError: neither a file nor a shipped case.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if Path(table).is_file():
        return Request(Path(table), **given)
    if table in names():
        return replace(case(table), **given)
    expected = f"a CSV, or one of {', '.join(names())}"
    raise AuditError(Fault(f"no file and no shipped case {table}", expected, "check the path", file=table))


def names() -> list[str]:
    """The names of the shipped cases.

    >>> names()
    ['kaba2025', 'shen2026']
    """
    return sorted(path.parent.name for path in FOLDER.glob("*/case.yaml"))


def case(name: str) -> Request:
    """A shipped case as a request.

    Args:
        name: one of ``names()``.
    """
    folder = FOLDER / name
    told = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    files = {kind: folder / f"{kind}.csv" for kind in FILES if (folder / f"{kind}.csv").is_file()}
    texts = tuple(Text(**text) for text in told.pop("texts", ()))
    told |= files | {"texts": texts, "notes": tuple(told.get("notes", ()))}
    return Request(folder / "table.csv", **told)
