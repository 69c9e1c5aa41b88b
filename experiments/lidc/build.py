"""LIDC-IDRI nodule patches (PNG stacks in one archive) -> a cohort table with volumes and consensus masks.

python experiments/lidc/build.py SOURCE OUT
"""

import io
import math
import re
import sys
import tarfile
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import SimpleITK as sitk
import typer
from jaxtyping import Bool, Num
from PIL import Image

from fusion.data.image import Geometry, to_sitk, write_mask
from fusion.errors import CohortError, Fault
from fusion.store import whole, write_csv
from fusion.types import Mask, Spacing, Volume

MEMBER = re.compile(r"LIDC-IDRI-slices/([^/]+)/([^/]+)/(images|mask-\d+)/slice-(\d+)\.png")
COLUMNS = ("patient", "nodule", "label", "n_slices", "n_annotators", "eq_diam_mm", "voxel_volume_mm3_est")
COPY_AGAIN = "copy it again"
IN_PLANE_MM, SLICE_MM, EDGE_MM = 0.70, (0.45, 5.0), 8.0
Pngs = dict[tuple[str, int], bytes]  # by folder (`images`, `mask-0`, ...) and slice number


@dataclass(frozen=True)
class Nodule:
    """A row of the cohort table with its voxels; no edge slices yet."""

    row: dict[str, Any]
    image: Volume
    tumour: Mask
    spacing_mm: Spacing


def build(source: Path, out: Path) -> Path:
    """The cohort table ``out``/cohort.csv, with images and masks in ``out``/images; returns the table's path.

    Args:
        source: folder with lidc_nodules.tar.gz and labels.csv.
        out: folder to write; nothing is written there while anything in ``source`` is at fault.

    Raises:
        CohortError: every fault of the labels, or else every fault of every nodule, at once.
    """
    labels = _labels(source / "labels.csv")
    archive = source / "lidc_nodules.tar.gz"
    pngs = _pngs(archive, {(row["patient"], row["nodule"]) for row in labels})
    nodules: list[Nodule] = []
    faults: list[Fault] = []
    for label in labels:
        try:
            nodules.append(_nodule(label, pngs[label["patient"], label["nodule"]]))
        except CohortError as error:
            faults += [replace(fault, case=label["case"], file=str(archive)) for fault in error.faults]
    if faults:
        raise CohortError(faults)
    for nodule in nodules:
        _write(nodule, out)
    write_csv(out / "cohort.csv", pd.DataFrame([nodule.row for nodule in nodules]))
    return out / "cohort.csv"


def spacing_mm(voxel_volume_mm3: float) -> Spacing:
    """Voxel size along (z, y, x) whose product is ``voxel_volume_mm3``: 0.70 mm in plane, the rest between slices.

    Neither length came with the patches, their product did. In LIDC-IDRI the pixel varies little (0.46-0.98 mm, mean
    0.69) and the slice distance much (0.45-5 mm; Armato 2011, doi:10.1118/1.3528204), so the pixel is held fixed. At
    the ends of the published range the slice distance stops and the pixel gives way.

    >>> spacing_mm(1.225)
    (2.5, 0.7, 0.7)
    """
    slice_mm = min(max(voxel_volume_mm3 / IN_PLANE_MM**2, SLICE_MM[0]), SLICE_MM[1])
    in_plane_mm = math.sqrt(voxel_volume_mm3 / slice_mm)
    return (round(slice_mm, 6), round(in_plane_mm, 6), round(in_plane_mm, 6))


def consensus(masks: Bool[np.ndarray, "reader z y x"]) -> Mask:
    """Voxels drawn by at least two, and at least half, of the readers who drew anything.

    One reader alone is taken as drawn: there is nobody to agree with. Labelled nodules have three or four readers.
    """
    drew = int(masks.any(axis=(1, 2, 3)).sum())
    votes = min(drew, max(2, math.ceil(drew / 2)))
    return np.asarray(masks.sum(axis=0) >= max(votes, 1))


def with_edges(
    image: Volume, tumour: Mask, slice_mm: float
) -> tuple[Num[np.ndarray, "padded y x"], Bool[np.ndarray, "padded y x"]]:
    """Image and mask with 8 mm more above and below: the edge slice again in the image, nothing in the mask.

    The patches stop at the nodule's bounding box, which may be one slice. Filters need more: a Laplacian of Gaussian
    with sigma 3 mm cannot be computed on three slices, and PyRadiomics filters within 5 voxels of the region. Eight
    millimetres hold those five and three for the cubic interpolation before them.
    """
    more = math.ceil(EDGE_MM / slice_mm)
    edges = ((more, more), (0, 0), (0, 0))
    return np.pad(image, edges, mode="edge"), np.pad(tumour, edges)


def _labels(path: Path) -> list[dict[str, Any]]:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CohortError(Fault(f"no readable table ({error})", "labels.csv", COPY_AGAIN, file=str(path))) from error
    absent = [name for name in COLUMNS if name not in table]
    if absent or table.empty:
        found = f"no column {', '.join(absent)}" if absent else "no rows"
        raise CohortError(Fault(found, f"one row a nodule: {', '.join(COLUMNS)}", COPY_AGAIN, file=str(path)))
    for name in COLUMNS[3:]:
        table[name] = pd.to_numeric(table[name], errors="coerce")
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in table[list(COLUMNS)].itertuples(index=False)]
    rows = [{"case": f"{row['patient']}_{row['nodule']}"} | row for row in rows]
    cases = Counter(row["case"] for row in rows)
    faults = [
        Fault(found, expected, "mend or delete the row", row["case"], str(path))
        for row in rows
        for found, expected in _oddities(row, cases[row["case"]])
    ]
    if faults:
        raise CohortError(faults)
    return rows


def _oddities(row: dict[str, Any], rows: int) -> list[tuple[str, str]]:
    """What is wrong with a row of the labels: found and expected."""
    low, high = 0.46**2 * SLICE_MM[0], 0.98**2 * SLICE_MM[1]
    volume, diameter, slices = row["voxel_volume_mm3_est"], row["eq_diam_mm"], row["n_slices"]
    checks = [
        (rows == 1, f"{rows} rows", "one row a nodule"),
        (re.fullmatch(r"[^\W_][\w.-]*", row["case"]), "an id that cannot name a file", "letters, digits, . _ -"),
        (row["label"] in ("benign", "malignant"), f"label {row['label']!r}", "benign or malignant"),
        (slices >= 1 and slices % 1 == 0, f"n_slices {slices}", "a count"),
        (row["n_annotators"] >= 1, f"n_annotators {row['n_annotators']}", "a count"),
        (0 < diameter < math.inf, f"eq_diam_mm {diameter}", "a length in mm"),
        (low <= volume <= high, f"voxel_volume_mm3_est {volume}", f"{low:.3f} to {high:.2f} mm3, as LIDC-IDRI has"),
    ]
    return [(found, expected) for fine, found, expected in checks if not fine]


def _pngs(archive: Path, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], Pngs]:
    """The undecoded files of each wanted nodule; read as a stream, so no member of the archive reaches the disk."""
    pngs: dict[tuple[str, str], Pngs] = defaultdict(dict)
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                name = MEMBER.fullmatch(member.name)
                if name and member.isfile() and (name[1], name[2]) in wanted:
                    file = tar.extractfile(member)
                    assert file is not None
                    pngs[name[1], name[2]][name[3], int(name[4])] = file.read()
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        found = f"an unreadable archive ({error})"
        raise CohortError(Fault(found, "a whole .tar.gz", COPY_AGAIN, file=str(archive))) from error
    return pngs


def _nodule(label: dict[str, Any], pngs: Pngs) -> Nodule:
    slices = int(label["n_slices"])
    readers = sorted({folder for folder, _ in pngs} - {"images"})
    faults = _missing(pngs, ["images", *readers], slices)
    if not readers:
        faults.append(Fault("no mask folder", "mask-0 and so on, one a reader", COPY_AGAIN))
    pixels = {place: array for place in pngs if (array := _pixels(place, pngs[place], faults)) is not None}
    sizes = sorted({array.shape for array in pixels.values()})
    if len(sizes) > 1:
        found = f"slices of {' and '.join(f'{high} x {wide}' for high, wide in sizes)} pixels"
        faults.append(Fault(found, "one size a nodule", COPY_AGAIN))
    if faults:
        raise CohortError(faults)
    image = np.stack([pixels["images", index] for index in range(slices)])
    masks = np.stack([[pixels[reader, index] > 0 for index in range(slices)] for reader in readers])
    drew, tumour = int(masks.any(axis=(1, 2, 3)).sum()), consensus(masks)
    if drew != label["n_annotators"]:
        raise CohortError(Fault(f"{drew} masks with a voxel", f"n_annotators {label['n_annotators']:g}", COPY_AGAIN))
    if not tumour.any():
        raise CohortError(Fault("no voxel that two readers share", "a consensus", "delete the row of labels.csv"))
    return Nodule(_row(label), image, tumour, spacing_mm(label["voxel_volume_mm3_est"]))


def _missing(pngs: Pngs, folders: list[str], slices: int) -> list[Fault]:
    faults = []
    for folder in folders:
        there = {index for own, index in pngs if own == folder}
        if there != set(range(slices)):
            odd = sorted(there ^ set(range(slices)))
            found = f"{folder} with slices {odd} missing or too many"
            faults.append(Fault(found, f"slices 0 to {slices - 1} (n_slices {slices})", COPY_AGAIN))
    return faults


def _pixels(place: tuple[str, int], png: bytes, faults: list[Fault]) -> Num[np.ndarray, "y x"] | None:
    where = f"{place[0]}/slice-{place[1]}.png"
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
            mode, pixels = picture.mode, np.asarray(picture)
    except (OSError, SyntaxError, ValueError):  # Pillow raises SyntaxError for a broken chunk
        faults.append(Fault(f"an unreadable {where}", "an 8-bit grey PNG", COPY_AGAIN))
        return None
    if mode != "L":
        faults.append(Fault(f"{where} in mode {mode}", "an 8-bit grey PNG (mode L)", COPY_AGAIN))
        return None
    if place[0] != "images" and not np.isin(pixels, (0, 255)).all():
        faults.append(Fault(f"{where} with values other than 0 and 255", "a mask", COPY_AGAIN))
    return pixels


def _row(label: dict[str, Any]) -> dict[str, Any]:
    case = label["case"]
    return {
        "case": case, "patient": label["patient"], "ct": f"images/{case}_ct.nii.gz",
        "tumour": f"images/{case}_tumour.nii.gz", "label": label["label"], "diameter_mm": label["eq_diam_mm"],
        "n_slices": int(label["n_slices"]),
    }  # fmt: skip


def _write(nodule: Nodule, out: Path) -> None:
    """The padded volume as int16 (filters overflow bytes) and its mask."""
    image, tumour = with_edges(nodule.image, nodule.tumour, nodule.spacing_mm[0])
    grid = Geometry(image.shape, nodule.spacing_mm, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    with whole(out / nodule.row["ct"]) as part:
        sitk.WriteImage(to_sitk(image.astype(np.int16), grid), str(part), useCompression=True)
    write_mask(out / nodule.row["tumour"], tumour, grid)


def main(source: Path, out: Path) -> None:
    """Build OUT/cohort.csv from the folder SOURCE."""
    try:
        table = pd.read_csv(build(source, out))
    except CohortError as error:
        sys.exit(str(error))
    counts = ", ".join(f"{count} {name}" for name, count in table["label"].value_counts().items())
    print(f"{len(table)} nodules of {table['patient'].nunique()} patients ({counts}): {out / 'cohort.csv'}")


if __name__ == "__main__":
    typer.run(main)
