"""A table of features: one row a region or case, a column a feature, warnings, and how it was made."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.store import whole, write_json, write_parquet

WARNINGS = "warnings"
"""Name of the last column of a table's frame."""
ROWS = 5
"""Fewest rows that tell a constant column from a small table."""


@dataclass(frozen=True)
class FeatureTable:
    """Features as float64 columns, a warning a row ("" where there is none), and how both were made."""

    values: pd.DataFrame
    warnings: pd.Series
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Values and warnings belong to the same rows, and every feature is a float64."""
        if not self.values.index.equals(self.warnings.index):
            raise ValueError("values and warnings must have the same index")
        if other := [name for name, kind in self.values.dtypes.items() if kind != np.float64]:
            raise ValueError(f"features must be float64, not so: {other[:3]}")

    def frame(self) -> pd.DataFrame:
        """The features with a last column ``warnings``.

        >>> values = pd.DataFrame({"original_glcm_Contrast": [0.5]}, pd.Index(["tumour"], name="region"))
        >>> FeatureTable(values, pd.Series([""], values.index)).frame().columns.tolist()
        ['original_glcm_Contrast', 'warnings']
        """
        return pd.concat([self.values, self.warnings.rename(WARNINGS).astype("str")], axis="columns")

    def write(self, path: Path) -> None:
        """Write the frame; a .parquet keeps the metadata inside, a .csv has them in a .json beside it.

        Raises:
            ValueError: another suffix.
        """
        path = Path(path)
        if _suffix(path) == ".parquet":
            write_parquet(path, self.frame(), self.metadata)
            return
        with whole(path) as part:
            self.frame().to_csv(part)
        write_json(path.with_suffix(".json"), self.metadata)

    @classmethod
    def read(cls, path: Path) -> "FeatureTable":
        """The table that ``write`` left at ``path``.

        Raises:
            ValueError: a suffix that is neither .parquet nor .csv.
        """
        path = Path(path)
        frame, metadata = _read_parquet(path) if _suffix(path) == ".parquet" else _read_csv(path)
        return cls(frame.drop(columns=WARNINGS), frame[WARNINGS].rename(None), metadata)


def remarks(values: pd.DataFrame) -> dict[str, str]:
    """Columns that carry nothing new: one value in every row, or a linear copy of an earlier column.

    Both are lists in JSON; a table of fewer than five rows has no remarks.

    >>> values = pd.DataFrame({"a": [1.0, 2, 3, 4, 6], "b": [2.0, 4, 6, 8, 12], "c": [1.0] * 5})
    >>> remarks(values)
    {'constant_columns': '["c"]', 'duplicate_columns': '["b"]'}
    """
    if len(values) < ROWS:
        return {}
    constant = values.nunique(dropna=False) <= 1
    names = values.columns[~constant]
    standard = values[names].to_numpy()
    standard = standard - standard.mean(axis=0)
    standard /= np.linalg.norm(standard, axis=0)
    copies = np.triu(np.abs(standard.T @ standard) > 1 - 1e-10, k=1).any(axis=0)
    return {
        "constant_columns": json.dumps(values.columns[constant].tolist()),
        "duplicate_columns": json.dumps(names[copies].tolist()),
    }


def _suffix(path: Path) -> str:
    if path.suffix not in (".parquet", ".csv"):
        raise ValueError(f"a feature table is written as .parquet or .csv, not {path.suffix or 'without a suffix'}")
    return path.suffix


def _read_parquet(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    kept = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items() if key != b"pandas"}
    return table.to_pandas(), kept


def _read_csv(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    index, *features, last = pd.read_csv(path, nrows=0).columns
    kinds = {index: "str", last: "str", **dict.fromkeys(features, "float64")}
    empty = dict.fromkeys(features, "")
    frame = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=empty, index_col=0)
    beside = path.with_suffix(".json")
    return frame, json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
