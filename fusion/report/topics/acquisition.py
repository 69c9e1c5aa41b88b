"""How images were acquired, scanner by scanner (Shen 2026, Supplementary Table 1), from their headers."""

import pandas as pd

from fusion.report.blocks import Block, Prose, Rows, Section
from fusion.report.topic import Recorded, Topic
from fusion.report.words import UNKNOWN, share

FILE = "acquisition.csv"
NAMES = ("case", "scanner", "manufacturer", "model")
"""Columns that say whose images these are, not how they were acquired."""
UNITS = ("mm", "kv", "ma", "mas", "ms", "s", "ml", "ml_s", "mm_s", "bq", "mbq", "t", "degrees", "min", "deg")
NOT_GIVEN = "not given"
SPAN = r"^(-?\d+(?:\.\d+)?)(?:-(-?\d+(?:\.\d+)?))?$"
"""A number, or the lowest and highest of an image's slices."""


def topic(results: Recorded) -> Topic | None:
    """A row a scanner, with each parameter's value, range or most common value; None without DICOM images."""
    path = results.folder / FILE
    if not path.is_file():
        return None
    images = pd.read_csv(path, dtype=str)
    images = images[images["case"].isin(results.cohort["case"])]
    if images.empty:
        return None
    table = by_scanner(images)
    turned = table.set_index("Scanner").T.rename_axis("Parameter").reset_index()  # the longer side downwards
    shown = turned if len(turned) > len(table) else table
    blocks: list[Block] = [Prose(_says(images, table, results), faint=False), Rows.of(shown)]
    return Topic(Section("acquisition", "Acquisition by scanner", blocks, "Acquisition"), {"acquisition": table})


def by_scanner(images: pd.DataFrame) -> pd.DataFrame:
    """A row a scanner: Scanner, Cases, and a column a parameter that any image gives.

    Args:
        images: a row a case, as acquisition.csv.
    """
    parameters = [str(name) for name in images if name not in NAMES and images[name].notna().any()]
    rows = [
        {"Scanner": str(name), "Cases": str(len(own)), **{titled(key): _told(own[key]) for key in parameters}}
        for name, own in images.groupby(_scanner(images))
    ]
    return pd.DataFrame(rows)


def titled(column: str) -> str:
    """A column's name in words, its unit behind a comma.

    >>> titled("slice_thickness_mm"), titled("kernel"), titled("tube_voltage_kv")
    ('Slice thickness, mm', 'Kernel', 'Tube voltage, kV')
    """
    unit = next((own for own in sorted(UNITS, key=len, reverse=True) if column.endswith(f"_{own}")), "")
    words = column.removesuffix(f"_{unit}").replace("_", " ")
    proper = {"kv": "kV", "ma": "mA", "mas": "mAs", "ml": "mL", "ml_s": "mL/s", "mm_s": "mm/s", "bq": "Bq",
              "mbq": "MBq", "t": "T", "deg": "degrees"}  # fmt: skip
    return words[:1].upper() + words[1:] + (f", {proper.get(unit, unit)}" if unit else "")


def _scanner(images: pd.DataFrame) -> "pd.Series[str]":
    """The cohort's name of the scanner, else the maker's."""
    empty = pd.Series("", images.index)
    named, maker, model = (
        images[name].fillna("").str.strip() if name in images else empty
        for name in ("scanner", "manufacturer", "model")
    )
    found = (maker + " " + model).str.strip()
    return named.where(named != "", found).replace("", NOT_GIVEN)


def _told(values: "pd.Series[str]") -> str:
    """A value where there is one; of several the range of numbers with their median, or the most common word."""
    there = values.dropna()
    lacking = len(values) - len(there)
    more = f"; {lacking} {NOT_GIVEN}" if lacking and len(there) else ""
    if there.empty:
        return UNKNOWN
    ends = there.str.extract(SPAN).astype(float)
    if ends[0].notna().all():
        low, high = ends[0], ends[1].fillna(ends[0])
        if low.min() == high.max():
            return f"{low.min():.4g}{more}"
        return f"{low.min():.4g}–{high.max():.4g} (median {((low + high) / 2).median():.4g}){more}"
    common = there.value_counts()
    if len(common) == 1:
        return f"{common.index[0]}{more}"
    others = f"{len(common) - 1} other{'s' * (len(common) > 2)}"
    return f"{common.index[0]}, {share(int(common.iloc[0]), len(there))}; {others}{more}"


def _says(images: pd.DataFrame, table: pd.DataFrame, results: Recorded) -> str:
    without = len(results.cohort) - images["case"].nunique()
    rest = f" The other {without} are no DICOM images and tell nothing." if without else ""
    scanners = f"{len(table)} scanner{'s' * (len(table) > 1)}"
    return (
        f"{images['case'].nunique()} of {len(results.cohort)} cases tell in their headers how they were acquired, on "
        f"{scanners}. A range has its median in brackets, a word the share of images that have it.{rest}"
    )
