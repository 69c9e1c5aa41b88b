"""Files that appear whole or not at all: written beside, then renamed."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

HALF_DONE = re.compile(r"\.[0-9a-f]{8}-")
"""How the temporary names of ``whole`` begin."""


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` (same suffixes); renamed to ``path`` when the block ends without an error.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole(folder / "a.txt") as part:
    ...     _ = part.write_text("done")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder``, renamed to it when the block ends without an error.

    Raises:
        FileExistsError: ``folder`` is there and is not an empty folder.
    """
    with scratch(folder) as part:
        yield part
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise FileExistsError(folder)
        os.replace(part, folder)


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder`` that is gone when the block ends; ``sweep`` takes what a killed one left."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{uuid.uuid4().hex[:8]}-{folder.name}")
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Delete what killed writers left half done below ``folder``; nobody else may be writing there."""
    for part in list(folder.rglob(".*")):
        if HALF_DONE.match(part.name):
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, default=str) + "\n")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write ``table`` without its index; floats in their shortest exact form, so equal numbers give equal bytes."""
    with whole(path) as part:
        table.to_csv(part, index=False)


def write_parquet(path: Path, table: pd.DataFrame, metadata: dict[str, str] | None = None) -> None:
    """Write ``table`` with its index; ``metadata`` goes into the file's schema."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **(metadata or {})})
    with whole(path) as part:
        pq.write_table(arrow, part)


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
