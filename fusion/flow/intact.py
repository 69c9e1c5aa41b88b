"""Whether the files that a run left are as they were written: a resumed run reads them, a report shows them."""

import json
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path

from fusion.errors import Fault, RunError

OTHERS = ("features/cases", "checkpoints/logs", "bundle")
"""Folders of a run with files that carry a digest, or that nothing reads."""
REMEDY = (
    "delete it, and predictions.csv and features/deep_scores*.parquet if they are there: all are made again, with the "
    "same numbers"
)


def refuse_damaged(folder: Path, sound: Collection[Path] = ()) -> None:
    """Read every table, array and checkpoint of the run in ``folder`` that is there, but for those known to be sound.

    Noticed are a CSV or JSON that ends too early or holds zeros, as after a power cut, and any changed byte of a
    Parquet's columns or an npz; of safetensors whatever its header tells.

    Raises:
        RunError: every file that is cut off or damaged.
    """
    others, known = [folder / name for name in OTHERS], set(sound)
    faults = []
    for path in sorted(folder.rglob("*")):
        look = LOOKS.get(path.suffix)
        if look is None or not path.is_file() or path.name.startswith(".") or any(map(path.is_relative_to, others)):
            continue
        if path in known:
            continue
        if reason := look(path):
            faults.append(Fault(f"a damaged file ({reason})", "one as it was written", REMEDY, file=str(path)))
    if faults:
        raise RunError(faults)


def _text(path: Path) -> str:
    content = path.read_bytes()
    if b"\0" in content:
        return "zeros instead of text"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return str(error)
    return "" if content.endswith(b"\n") else "its last line does not end"


def _json(path: Path) -> str:
    try:
        json.loads(path.read_bytes())
    except ValueError as error:
        return str(error)
    return ""


def _lines(path: Path) -> str:
    try:
        for line in path.read_bytes().splitlines():
            json.loads(line)
    except ValueError as error:
        return str(error)
    return ""


def _parquet(path: Path) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_table(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        return _of_library(error)
    return ""


def _arrays(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as file:
            bad = file.testzip()
    except (zipfile.BadZipFile, EOFError) as error:
        return _of_library(error)
    return f"{bad} has changed" if bad else ""


def _tensors(path: Path) -> str:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np"):
            return ""
    except SafetensorError as error:
        return _of_library(error)


def _of_library(error: Exception) -> str:
    """A library's words for damage; an error of the machine is none.

    Raises:
        OSError: the machine's.
    """
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


LOOKS: dict[str, Callable[[Path], str]] = {
    ".csv": _text, ".json": _json, ".jsonl": _lines, ".parquet": _parquet, ".npz": _arrays, ".safetensors": _tensors,
}  # fmt: skip
"""By suffix: what is wrong with a file, in words; empty where nothing is."""
