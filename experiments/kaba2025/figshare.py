"""Figshare's brain tumour slices (JPEG files in one archive) -> a cohort table, masks of the boxes, and two fold files.

python experiments/kaba2025/figshare.py SOURCE OUT

OUT/splits.csv has folds of neighbouring slices, OUT/splits_random.csv folds of single slices, as a warning.
"""

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import typer
from jaxtyping import Bool, Float
from PIL import Image
from sklearn.model_selection import StratifiedKFold

from fusion.errors import CohortError, Fault
from fusion.store import whole, write_csv

COLUMNS = ("file", "class", "figshare_index", "index_run", "plane_of_run", "box_xc", "box_yc", "box_w", "box_h")
BOX = list(COLUMNS[5:])
COPY_AGAIN = "copy it again"
PLANES = {"glioma_715-917": (747, 818)}
"""Where the plane changes inside a run whose planes are mixed: axial, coronal from 747 on, sagittal from 818 on, as
the pictures show (779 and 780 are sagittal slices among coronal ones and stay with their neighbours)."""
PIECE = 10
"""Slices that stand for one patient, about."""


def build(source: Path, out: Path, folds: int = 5, gap: int = 0) -> Path:
    """The cohort table ``out``/cohort.csv with pictures, masks and both fold files; returns the table's path.

    Args:
        source: folder with images.tar and labels.csv.
        out: folder to write; nothing is written there while anything in ``source`` is at fault.
        folds: blocks that every series is cut into; block i is fold i.
        gap: slices left out on either side of a border between blocks.

    Raises:
        CohortError: every fault of the labels, or else every fault of the pictures, at once.
    """
    labels = _labels(source / "labels.csv")
    jpegs = _jpegs(source / "images.tar", list(labels["file"]))
    small, sizes = _decoded(jpegs, source / "images.tar")
    labels["series"] = series(labels)
    parts = [placed(own, small[own.index], folds, gap) for _, own in labels.groupby("series", sort=False)]
    rows = pd.concat(parts)
    for name, box in zip(rows["file"], rows[BOX].to_numpy(float), strict=True):
        _write(out, name, jpegs[name], ellipse(sizes[name], box))
    write_csv(out / "cohort.csv", _table(rows))
    write_csv(out / "splits.csv", rows[["case", "patient"]].assign(set="train", fold=rows["fold"]))
    write_csv(out / "splits_random.csv", _random(rows, folds))
    return out / "cohort.csv"


def series(labels: pd.DataFrame) -> list[str]:
    """Name of the stretch of one class in one plane that a slice belongs to."""
    turn = [
        sum(index >= start for start in PLANES.get(run, ()))
        for run, index in zip(labels["index_run"], labels["figshare_index"], strict=True)
    ]
    return [f"{run}_{number}" for run, number in zip(labels["index_run"], turn, strict=True)]


def placed(own: pd.DataFrame, small: Float[np.ndarray, "slice y x"], folds: int, gap: int) -> pd.DataFrame:
    """The rows of one series with case, patient and fold, less those in a gap.

    Args:
        own: rows of one series, in the order of the index.
        small: their pictures, made small.
        folds: number of blocks.
        gap: slices left out on either side of a border.
    """
    apart = differences(small)
    edges = borders(apart, folds)
    numbers = np.zeros(len(own), dtype=int)
    patients = np.zeros(len(own), dtype=int)
    for low, high in zip((0, *edges), (*edges, len(own)), strict=True):
        inner = borders(apart[low : high - 1], max(1, round((high - low) / PIECE)))
        patients[[low, *(low + n for n in inner)]] = 1
        numbers[low:high] = edges.index(low) + 1 if low else 0
    kept = ~np.any([abs(np.arange(len(own)) + 0.5 - edge) < gap for edge in edges], axis=0)
    rows = own.assign(case=[Path(name).stem for name in own["file"]], fold=numbers)
    rows["patient"] = [f"{name}_{number}" for name, number in zip(own["series"], patients.cumsum(), strict=True)]
    return rows[kept]


def differences(small: Float[np.ndarray, "slice y x"]) -> Float[np.ndarray, "gap"]:
    """How unlike neighbouring slices are: one less their correlation.

    >>> differences(np.array([[[0.0, 1.0]], [[0.0, 2.0]], [[1.0, 0.0]]])).round(6).tolist()
    [0.0, 2.0]
    """
    flat = small.reshape(len(small), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    return 1 - (flat[1:] * flat[:-1]).sum(axis=1)


def borders(apart: Float[np.ndarray, "gap"], parts: int) -> list[int]:
    """First slice of every part but the first: near equal sizes, where neighbours are least alike.

    A border moves from its equal place by a third of a part at most.

    >>> borders(np.array([0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1]), 2)
    [4]
    """
    slices = len(apart) + 1
    reach = slices // (3 * parts)
    found = []
    for number in range(1, parts):
        even = round(number * slices / parts)
        low, high = max(even - reach, 1), min(even + reach, slices - 1)
        found.append(low + int(np.argmax(apart[low - 1 : high])))
    return found


def ellipse(shape: tuple[int, int], box: Float[np.ndarray, "4"]) -> Bool[np.ndarray, "y x"]:
    """The ellipse that touches a box's sides.

    Args:
        shape: rows and columns.
        box: centre x and y, width and height, as shares of columns and rows.
    """
    y, x = (np.arange(shape[0])[:, None] + 0.5) / shape[0], (np.arange(shape[1]) + 0.5) / shape[1]
    return (2 * (x - box[0]) / box[2]) ** 2 + (2 * (y - box[1]) / box[3]) ** 2 <= 1


def _labels(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise CohortError(Fault(f"no readable table ({error})", "labels.csv", COPY_AGAIN, file=str(path))) from error
    if absent := [name for name in COLUMNS if name not in table]:
        found, expected = f"no column {', '.join(absent)}", f"one row a slice: {', '.join(COLUMNS)}"
        raise CohortError(Fault(found, expected, COPY_AGAIN, file=str(path)))
    bad = [name for name in ("figshare_index", *BOX) if pd.to_numeric(table[name], errors="coerce").isna().any()]
    faults = [Fault(f"{name} with cells that are no number", "a number", COPY_AGAIN, file=str(path)) for name in bad]
    if faults or table.empty:
        raise CohortError(faults or [Fault("no rows", "one row a slice", COPY_AGAIN, file=str(path))])
    table = table.sort_values(["index_run", "figshare_index"], kind="stable", ignore_index=True)
    faults = [fault for run, own in table.groupby("index_run") for fault in _broken(str(run), own, str(path))]
    faults += [
        Fault("a box beyond the picture or without a side", "shares of the picture", COPY_AGAIN, str(name), str(path))
        for name in table["file"][(table[BOX] <= 0).any(axis=1) | (table[BOX] > 1).any(axis=1)]
    ]
    if faults:
        raise CohortError(faults)
    return table


def _broken(run: str, own: pd.DataFrame, file: str) -> list[Fault]:
    """A run whose index has a hole or a double: its neighbours are then no neighbours."""
    steps = own["figshare_index"].diff().dropna()
    odd = own["figshare_index"][steps.index[steps != 1]].tolist()
    found = f"{run} not in steps of one before {', '.join(map(str, odd))}"
    return [Fault(found, "an index without holes", COPY_AGAIN, file=file)] if odd else []


def _jpegs(archive: Path, wanted: list[str]) -> dict[str, bytes]:
    """The undecoded pictures, in the order of ``wanted``."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r|") as tar:
            for member in tar:
                if member.isfile() and member.name in wanted and (file := tar.extractfile(member)) is not None:
                    found[member.name] = file.read()
    except (OSError, EOFError, tarfile.TarError) as error:
        raise CohortError(Fault(f"an unreadable archive ({error})", "a .tar", COPY_AGAIN, file=str(archive))) from error
    if absent := [name for name in wanted if name not in found]:
        raise CohortError([Fault("no picture", "a JPEG", COPY_AGAIN, name, str(archive)) for name in absent])
    return {name: found[name] for name in wanted}


def _decoded(
    jpegs: dict[str, bytes], archive: Path
) -> tuple[Float[np.ndarray, "slice y x"], dict[str, tuple[int, int]]]:
    """All pictures at 32 x 32 pixels, in order, and their rows and columns."""
    small, sizes, faults = [], {}, []
    for name, content in jpegs.items():
        try:
            with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
                sizes[name] = (picture.height, picture.width)
                small.append(np.asarray(picture.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=float))
        except (OSError, SyntaxError, ValueError):
            faults.append(Fault("an unreadable picture", "a JPEG", COPY_AGAIN, name, str(archive)))
    if faults:
        raise CohortError(faults)
    return np.stack(small), sizes


def _write(out: Path, name: str, jpeg: bytes, mask: Bool[np.ndarray, "y x"]) -> None:
    """The JPEG as it is, and the mask as PNG with 1 inside."""
    with whole(out / "images" / name) as part:
        part.write_bytes(jpeg)
    with whole((out / "masks" / name).with_suffix(".png")) as part:
        Image.fromarray(mask.astype(np.uint8)).save(part, format="PNG")


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    table = rows[["case", "patient", "class"]].copy()
    table["image"] = [f"images/{name}" for name in rows["file"]]
    table["tumour"] = [str(Path("masks", name).with_suffix(".png")) for name in rows["file"]]
    return table.assign(index=rows["figshare_index"], series=rows["series"])


def _random(rows: pd.DataFrame, folds: int) -> pd.DataFrame:
    """Every slice its own patient, folds drawn by class."""
    fold = np.zeros(len(rows), dtype=int)
    draw = StratifiedKFold(folds, shuffle=True, random_state=0)
    for number, (_, members) in enumerate(draw.split(np.zeros(len(rows)), rows["class"])):
        fold[members] = number
    return pd.DataFrame({"case": rows["case"], "patient": rows["case"], "set": "train", "fold": fold})


def main(source: Path, out: Path, folds: int = 5, gap: int = 0) -> None:
    """Build OUT/cohort.csv and its fold files from the folder SOURCE."""
    try:
        table = pd.read_csv(build(source, out, folds, gap))
    except CohortError as error:
        sys.exit(str(error))
    given = len(pd.read_csv(source / "labels.csv"))
    counts = ", ".join(f"{count} {name}" for name, count in table["class"].value_counts(sort=False).items())
    print(f"{len(table)} slices ({counts}), {given - len(table)} left out at borders, in {table['patient'].nunique()} "
          f"stretches: {out / 'cohort.csv'}")  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
