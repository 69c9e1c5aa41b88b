"""Files that appear whole or not at all: written beside, brought to the disk, then renamed."""

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from fusion.machine_faults import errno_of

HALF_DONE = re.compile(r"\.[0-9a-f]{8}-")
"""How the temporary names of ``whole`` begin."""


@contextlib.contextmanager
def whole(path: Path, lasting: bool = True) -> Iterator[Path]:
    """A temporary path beside ``path`` (same suffixes); renamed to ``path`` when the block ends without an error.

    Args:
        path: the file to be.
        lasting: wait until the bytes are on the disk, so that a power cut leaves the file whole or none. It takes
            half a millisecond on a solid-state disk; a file that carries a digest of itself can do without.

    Raises:
        OSError: of the machine, with ``path`` as its file name, whichever library met it.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole(folder / "a.txt") as part:
    ...     _ = part.write_text("done")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    part = path.with_name(f".{uuid.uuid4().hex[:8]}-{path.name}")
    with _named(path, part):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            if lasting:
                to_disk(part)
            os.replace(part, path)
        finally:
            with contextlib.suppress(OSError):  # what went wrong before is told; ``sweep`` takes the rest
                part.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder``, renamed to it when the block ends without an error.

    Raises:
        FileExistsError: ``folder`` is there and is not an empty folder.
    """
    with scratch(folder) as part:
        yield part
        for file in part.rglob("*"):
            if file.is_file():
                to_disk(file)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))
        os.replace(part, folder)


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """An empty folder beside ``folder`` that is gone when the block ends; ``sweep`` takes what a killed one left."""
    part = folder.with_name(f".{uuid.uuid4().hex[:8]}-{folder.name}")
    with _named(folder, part):
        folder.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        try:
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


def sweep(folder: Path, idle_s: float = 0.0, besides: Path | None = None) -> None:
    """Delete what killed writers left half done below ``folder``.

    Args:
        folder: where nobody else is writing, unless ``idle_s`` is long enough to tell a dead writer from a live one.
        idle_s: how long nobody touched what is deleted.
        besides: a folder below, where others may be writing, that is left alone.
    """
    before = time.time() - idle_s
    for part in list(folder.rglob(".*")):
        if HALF_DONE.match(part.name) and (besides is None or not part.is_relative_to(besides)):
            with contextlib.suppress(FileNotFoundError):  # its writer has just finished
                if idle_s and part.stat().st_mtime > before:
                    continue
                shutil.rmtree(part) if part.is_dir() else part.unlink()


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
    """Write ``table`` with its index; ``metadata`` goes into the file's schema, a checksum into every page."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **(metadata or {})})
    with whole(path) as part:
        pq.write_table(arrow, part, write_page_checksum=True)


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _named(path: Path, part: Path) -> Iterator[None]:
    """An error of the machine in this block names ``path``, not the temporary ``part`` or nothing."""
    try:
        yield
    except Exception as error:
        number, told = errno_of(error), getattr(error, "filename", None)
        place = Path(os.fsdecode(told or part))
        if number is None or not place.is_relative_to(part):
            raise
        raise OSError(number, os.strerror(number), str(path / place.relative_to(part))) from error


def to_disk(part: Path) -> None:
    """Wait until the bytes of ``part`` are on the disk.

    Not its folder's entry, too: without it a power cut may take the rename back, and then the file is made again.
    """
    handle = os.open(part, os.O_RDWR)
    try:
        os.fsync(handle)  # a network drive may tell only here that it took no more
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):  # those of a drive that cannot be asked
            raise
    finally:
        os.close(handle)
