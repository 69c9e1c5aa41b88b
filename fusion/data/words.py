"""The case table as words: every cell stripped, and one way to say nothing."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from fusion.errors import CohortError, Fault

MISSING = {"", "na", "n/a", "nan", "nat", "<na>"}
WHOLE = re.compile(r"(-?\d+)\.0+")


def read_words(path: Path) -> pd.DataFrame:
    """Every cell as a stripped word; an empty word where nothing is known."""
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {".csv": _csv, ".xlsx": _excel, ".parquet": pd.read_parquet}
    if path.suffix.lower() not in readers:
        raise CohortError(Fault("an unknown table format", ".csv, .xlsx or .parquet", "convert it", file=str(path)))
    if not path.is_file():
        remedy = "check cohort.table, or set cohort.phantom to make a synthetic cohort there"
        raise CohortError(Fault("no such file", "the cohort table", remedy, file=str(path)))
    try:
        raw = readers[path.suffix.lower()](path)
    except (
        OSError,
        ValueError,
        ImportError,
        KeyError,
        pd.errors.ParserError,
    ) as error:  # zip and Arrow errors are OSError, ValueError
        remedy = "save it again"
        raise CohortError(
            Fault(f"an unreadable table ({str(error).strip()})", "rows and columns", remedy, file=str(path))
        ) from error
    if raw.empty:
        raise CohortError(Fault("no rows", "one row a case", "fill the table", file=str(path)))
    return pd.DataFrame({str(name).strip(): [word(value) for value in raw[name]] for name in raw.columns})


def _excel(path: Path) -> pd.DataFrame:
    """Cells as words, so that 001 stays 001."""
    return pd.read_excel(path, dtype=str, keep_default_na=False)


def _csv(path: Path) -> pd.DataFrame:
    """Comma, semicolon or tab, whichever the header uses; a byte-order mark is dropped."""
    header = path.read_text(encoding="utf-8-sig").partition("\n")[0]
    separator = max(",;\t", key=header.count)
    names = [name.strip().strip('"') for name in header.strip().split(separator)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"column {', '.join(twice)} twice")
    return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def word(value: object) -> str:
    """A cell or a config value as a word: 1, 1.0 and "1" are the same, and so are all ways to say nothing."""
    word = "" if value is None else str(value).strip()
    whole = WHOLE.fullmatch(word)
    return whole[1] if whole else "" if word.lower() in MISSING else word
