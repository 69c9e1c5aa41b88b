"""A finished run with files lost, cut off or edited, and cases asked of its bundle."""

import shutil
from pathlib import Path

import numpy as np

from tests.mutated import Rng, Spoil, Words, one_of
from tests.mutated.tables import CELLS

VERBS = ("evaluate", "evaluate", "run", "run", "run", "extract", "extract", "bundle", "bundle", "report")


def file_damaged(folder: Path, rng: Rng) -> Words:
    """Any file of the run lost, cut off, empty, a folder, or with other bytes."""
    files = sorted(own for own in (folder / "run").rglob("*") if own.is_file() and own.name != ".lock")
    path = one_of(rng, *files)
    content = path.read_bytes()
    deed = int(rng.integers(6))
    path.unlink()
    if deed == 1:
        path.write_bytes(content[: len(content) // 2])
    elif deed == 2:
        path.write_bytes(b"")
    elif deed == 3:
        path.mkdir()
    elif deed in (4, 5):
        own = np.frombuffer(content or b"x", np.uint8).copy()
        own[rng.integers(0, len(own), 8)] ^= rng.integers(1, 256, 8, dtype=np.uint8)
        path.write_bytes(own.tobytes())
    return _asked(folder, rng)


def table_edited(folder: Path, rng: Rng) -> Words:
    """A cell, a line or a name of one of the run's tables is another."""
    path = one_of(
        rng, *["splits.csv"] * 3, "cohort.csv", "predictions.csv", "metrics.csv", "selection.csv", "models.csv"
    )
    path = folder / "run" / path if (folder / "run" / path).is_file() else folder / "run/splits.csv"
    rows = [line.split(",") for line in path.read_text().splitlines()]
    line, column = int(rng.integers(len(rows))), int(rng.integers(len(rows[0])))
    deed = int(rng.integers(6))
    if deed < 3:
        rows[line][column] = one_of(rng, *CELLS, "train", "test", "0", "7")
    elif deed == 3:
        rows.pop(line)
    elif deed == 4:
        rows.append(rows[line])
    else:
        rows = [row[:column] + row[column + 1 :] for row in rows]
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    if path.name == "splits.csv" and one_of(rng, True, False):
        return ["check", str(folder / "a.yaml"), f"split.file={path}"]
    return _asked(folder, rng)


def text_edited(folder: Path, rng: Rng) -> Words:
    """Another word in one of the run's YAML and JSON files."""
    files = [own for own in sorted((folder / "run").rglob("*")) if own.suffix in (".yaml", ".json")]
    path = one_of(rng, folder / "run/run.yaml", *files)
    words = path.read_text().split(" ")
    words[int(rng.integers(len(words)))] = one_of(
        rng, "", "null", "nothing", "-1", "]", "{", "1e99", '"', "\t", "true", "[]"
    )
    path.write_text(" ".join(words))
    return _asked(folder, rng)


def asked_of_bundle(folder: Path, rng: Rng) -> Words:
    """A question that the bundle cannot answer: files, clinical values, models."""
    image, mask = "c0_ct.nii.gz", "c0_tumour.nii.gz"
    clinical = {"margin": "clear", "age": "50"}
    deed = int(rng.integers(5))
    if deed == 0:
        clinical[one_of(rng, "margin", "age")] = one_of(rng, *CELLS)
    elif deed == 1:
        image = one_of(rng, "none.nii", "table.csv", "c1_ct.nii", "c10_ct", "c10_tumour.dcm", "run", "c3_tumour.mha")
    elif deed == 2:
        mask = one_of(rng, "none.nii", "table.csv", "c1_tumour.nii", "c10_tumour.dcm", "c0_ct.nii.gz", "run")
    elif deed == 3:
        clinical[one_of(rng, "nothing", "", "Age", "margin ")] = "1"
    words = [word for name, own in clinical.items() for word in ("--clinical", f"{name}={own}".replace("\n", " "))]
    if deed == 4:
        words = one_of(
            rng,
            [],
            ["--clinical", "age"],
            ["--model", "nobody", *words],
            ["--task", "x", *words],
            ["--sheet", "html", *words],
        )
    return [
        "predict",
        str(folder / "run"),
        "--image",
        str(folder / image),
        "--mask",
        str(folder / mask),
        "--no-heat-map",
        *words,
    ]


def bundle_damaged(folder: Path, rng: Rng) -> Words:
    """A file of the bundle is lost, foreign, or has another byte."""
    files = sorted(own for own in (folder / "run/bundle").rglob("*") if own.is_file())
    path = one_of(rng, *files)
    content = bytearray(path.read_bytes() or b"x")
    deed = int(rng.integers(4))
    if deed == 0:
        path.unlink()
    elif deed == 1:
        shutil.copy(folder / "table.csv", path.parent / "more.csv")
    else:
        content[int(rng.integers(len(content)))] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(content))
    return [
        "predict",
        str(folder / "run/bundle"),
        "--image",
        str(folder / "c0_ct.nii.gz"),
        "--mask",
        str(folder / "c0_tumour.nii.gz"),
        "--no-heat-map",
        "--clinical",
        "margin=clear",
        "--clinical",
        "age=50",
    ]


def _asked(folder: Path, rng: Rng) -> Words:
    verb = one_of(rng, *VERBS)
    if verb in ("run", "extract"):
        return [verb, str(folder / "a.yaml"), f"output={folder / 'run'}"]
    return [verb, str(folder / "run")]


KINDS: dict[str, tuple[int, Spoil]] = {
    "run folder: a file": (36, file_damaged),
    "run folder: a table": (20, table_edited),
    "run folder: YAML or JSON": (14, text_edited),
    "predict: the question": (16, asked_of_bundle),
    "predict: the bundle": (8, bundle_damaged),
}
