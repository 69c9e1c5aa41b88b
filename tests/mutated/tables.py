"""The cohort's table and a results table with other cells, columns, encodings or bytes."""

from pathlib import Path

import numpy as np

from tests.mutated import Rng, Spoil, Words, one_of

CELLS = (
    "",
    " ",
    "nan",
    "NA",
    "-1",
    "1e400",
    "inf",
    "0,5",
    "=1+1",
    "=cmd|' /C calc'!A0",
    "c1",
    "../c1",
    "a/b",
    "x" * 300,
    "\u00e9\u4e2d\U0001f600",
    "\u202e",
    "\x07",
    "'; --",
    "0x1F",
    "01",
    "1.0",
    "True",
    "None",
    "2",
    "{}",
    "%s%n",
    "/",
    ".",
    "c3_ct.mha",
    "c1_tumour.nii",
    "c10_ct",
    "table.csv",
    "/dev/null",
    "http://example.org/a.nii",
    "~",
    "a\nb",
)


def cell(folder: Path, rng: Rng) -> Words:
    """One cell holds another word."""
    path, rows = _rows(folder)
    line, column = int(rng.integers(1, len(rows))), int(rng.integers(len(rows[0])))
    rows[line][column] = one_of(rng, *CELLS)
    return _written(folder, path, rows)


def columns(folder: Path, rng: Rng) -> Words:
    """A column gone, doubled, renamed, moved on by a row; a foreign one more."""
    path, rows = _rows(folder)
    at = int(rng.integers(len(rows[0])))
    name = rows[0][at]
    deed = int(rng.integers(7))
    if deed == 0:
        rows = [row[:at] + row[at + 1 :] for row in rows]
    elif deed == 1:
        rows = [[*row, row[at]] for row in rows]
    elif deed == 2:
        rows[0][at] = one_of(
            rng, "", name.upper(), f" {name}", f"{name} ", "case", "x" * 5000, "set", "age", "event", "fold", "0"
        )
    elif deed == 3:
        values = [row[at] for row in rows[1:]]
        for row, value in zip(rows[1:], values[1:] + values[:1], strict=True):
            row[at] = value
    elif deed == 4:
        extra = one_of(rng, "set", "scanner", "external2", "tumour_reader2", "tumour_repeat")
        value = one_of(rng, "train", "test", "c1_tumour.nii", "", "nonsense", "external")
        rows = [[*row, extra if n == 0 else value] for n, row in enumerate(rows)]
    elif deed == 5:
        for row in rows[1:]:
            row[at] = one_of(rng, *CELLS)
    else:
        rows = [row[::-1] for row in rows]
    return _written(folder, path, rows)


def rows_changed(folder: Path, rng: Rng) -> Words:
    """Rows gone, doubled, too long, too short, too few, none."""
    path, rows = _rows(folder)
    at = int(rng.integers(1, len(rows)))
    changed = one_of(
        rng,
        rows[:1],
        rows[:2],
        rows[:4],
        rows[1:],
        [*rows, rows[at]],
        [*rows[:at], [*rows[at], "more"], *rows[at + 1 :]],
        [*rows[:at], rows[at][:2], *rows[at + 1 :]],
        [*rows[:at], [], *rows[at:]],
        [*rows[::2]],
        rows * 2,
        [["", *row] for row in rows],
        [[], *rows],
        [rows[0], *rows],
    )
    return _written(folder, path, changed)


def encoding(folder: Path, rng: Rng) -> Words:
    """The same words in other bytes."""
    path = folder / "table.csv"
    text = path.read_text().replace("clear", "klar\u00e4") if one_of(rng, True, False) else path.read_text()
    deeds = {
        "utf-16": lambda: text.encode("utf-16"),
        "utf-32": lambda: text.encode("utf-32"),
        "bom": lambda: text.encode("utf-8-sig"),
        "latin-1": lambda: text.encode("latin-1"),
        "semicolon": lambda: text.replace(",", ";").encode(),
        "tab": lambda: text.replace(",", "\t").encode(),
        "pipe": lambda: text.replace(",", "|").encode(),
        "old mac": lambda: text.replace("\n", "\r").encode(),
        "dos": lambda: text.replace("\n", "\r\n").encode(),
        "nul": lambda: text.replace("c3", "c\0003").encode(),
        "two boms": lambda: b"\xef\xbb\xbf" * 2 + text.encode(),
        "quoted": lambda: text.replace("p4", '"p4').encode(),
        "huge": lambda: text.encode() + b"x" * 2_000_000,
        "zip": lambda: b"PK\3\4" + text.encode(),
        "cut": lambda: text.encode()[: int(rng.integers(len(text)))],
        "bytes": lambda: _noisy(text.encode(), rng),
        "empty": lambda: b"",
        "blank": lambda: b"\n\n \n",
    }
    path.write_bytes(deeds[one_of(rng, *deeds)]())
    return ["check", str(folder / "a.yaml")]


def renamed(folder: Path, rng: Rng) -> Words:
    """A table with another suffix than its kind."""
    suffix = one_of(rng, ".xlsx", ".parquet", ".xls", ".json", "", ".csv.gz", ".txt")
    other = folder / f"other{suffix}"
    (folder / "table.csv").rename(other)
    return ["check", str(folder / "a.yaml"), f"cohort.table={other}"]


def audited(folder: Path, rng: Rng) -> Words:
    """A results table with another cell, line or byte."""
    path = folder / "results.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    deed = int(rng.integers(5))
    if deed < 3:
        at = int(rng.integers(len(rows))), int(rng.integers(len(rows[0])))
        rows[at[0]][at[1]] = one_of(rng, *CELLS, "120", "-3", "88.9999999999", "auc", "model")
    elif deed == 3:
        rows = one_of(rng, rows[:1], rows[1:], [*rows, rows[1]], [row[1:] for row in rows], [row + row for row in rows])
    content = "\n".join(",".join(row) for row in rows).encode()
    path.write_bytes(_noisy(content, rng) if deed == 4 else content)
    options = one_of(
        rng,
        ["--positive", "27", "--negative", "81"],
        [],
        ["--positive", "27"],
        ["--reference", "nobody"],
        ["--odds", str(path)],
        ["--baseline", str(path)],
        ["--counts", str(path)],
    )
    return ["audit", str(path), *options, "--limit", "60"]


def _rows(folder: Path) -> tuple[Path, list[list[str]]]:
    path = folder / "table.csv"
    return path, [line.split(",") for line in path.read_text().splitlines()]


def _written(folder: Path, path: Path, rows: list[list[str]]) -> Words:
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    return ["check", str(folder / "a.yaml")]


def _noisy(content: bytes, rng: Rng) -> bytes:
    own = np.frombuffer(content, np.uint8).copy()
    own[rng.integers(0, len(own), 5)] = rng.integers(0, 256, 5, dtype=np.uint8)
    return own.tobytes()


KINDS: dict[str, tuple[int, Spoil]] = {
    "table: a cell": (30, cell),
    "table: columns": (20, columns),
    "table: rows": (14, rows_changed),
    "table: encoding": (20, encoding),
    "table: suffix": (6, renamed),
    "results table": (16, audited),
}
