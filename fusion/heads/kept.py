"""What a fitted head found, kept in files: folds are fitted on several machines, and nothing is fitted twice."""

from pathlib import Path

import pandas as pd

from fusion.heads.parts import Fitted
from fusion.store import write_parquet

PARTS = ("selection", "errors", "path", "rows")
"""Tables of a head, a file each; the rows come last, so that where they are, all is there."""
MADE_OF = "made_of"


def write(stem: Path, found: Fitted, made_of: str) -> None:
    """``stem``_rows.parquet and the other tables of ``PARTS`` that are not empty.

    Args:
        stem: folder and the beginning of the files' names.
        found: what the head found.
        made_of: names all that the head learned from, so that nobody reads it as another one's.
    """
    for name in PARTS:
        table: pd.DataFrame = getattr(found, name)
        if len(table.columns):
            write_parquet(_file(stem, name), table.reset_index(drop=True), {MADE_OF: made_of})


def there(stem: Path, made_of: str) -> bool:
    """Whether ``write`` left all that a head of ``made_of`` found."""
    return _is(_file(stem, "rows"), made_of)


def read(stem: Path, made_of: str) -> Fitted:
    """What ``write`` left."""
    files = {name: _file(stem, name) for name in PARTS}
    tables = {name: pd.read_parquet(file) for name, file in files.items() if _is(file, made_of)}
    return Fitted(**{"selection": pd.DataFrame(), **tables})


def _file(stem: Path, name: str) -> Path:
    return stem.with_name(f"{stem.name}_{name}.parquet")


def _is(file: Path, made_of: str) -> bool:
    import pyarrow.parquet as pq

    return file.is_file() and (pq.read_schema(file).metadata or {}).get(MADE_OF.encode()) == made_of.encode()
