"""Soft-tissue sarcoma CT (IBSI's validation set) -> a cohort table that points to the NIfTI files where they lie.

python experiments/sts/build.py SOURCE OUT
"""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import pdist

from fusion.data.image import read_labels
from fusion.errors import CohortError, Fault
from fusion.store import write_csv
from fusion.types import Mask, Spacing

COLUMNS = ("patient", "lung_metastases", "ct_nifti")


def build(source: Path, out: Path) -> Path:
    """The cohort table ``out``/cohort.csv; returns its path.

    Patients whose CT has no NIfTI (`ct_nifti` 0 in the labels) are left out; images are not copied, the table's paths
    lead from ``out`` to ``source``.

    Args:
        source: folder with labels.csv and nifti/PATIENT/CT_image.nii.gz and CT_mask.nii.gz.
        out: folder to write.

    Raises:
        CohortError: every fault of the labels, or else every fault of every patient, at once.
    """
    rows: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for label in _labels(source / "labels.csv"):
        if label["ct_nifti"] == "1":
            try:
                rows.append(_row(label, source, out))
            except CohortError as error:
                faults += [replace(fault, case=label["patient"]) for fault in error.faults]
    if faults:
        raise CohortError(faults)
    if not rows:
        remedy = "take the release with NIfTI files"
        raise CohortError(Fault("no patient with ct_nifti 1", "at least one", remedy, file=str(source / "labels.csv")))
    write_csv(out / "cohort.csv", pd.DataFrame(rows))
    return out / "cohort.csv"


def axial_diameter_mm(mask: Mask, spacing_mm: Spacing) -> float:
    """Largest distance between two voxel centres of ``mask`` in one axial slice, in mm: the diameter of a report."""
    return max((_diameter_mm(axial, spacing_mm[1:]) for axial in mask if axial.any()), default=0.0)


def _diameter_mm(axial: np.ndarray, pixel_mm: tuple[float, ...]) -> float:
    contour_mm = np.argwhere(axial & ~binary_erosion(axial)) * pixel_mm
    return float(pdist(contour_mm).max()) if len(contour_mm) > 1 else 0.0


def _labels(path: Path) -> list[dict[str, str]]:
    remedy = "copy it again"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CohortError(Fault(f"no readable table ({error})", "labels.csv", remedy, file=str(path))) from error
    absent = [name for name in COLUMNS if name not in table]
    if absent:
        raise CohortError(Fault(f"no column {', '.join(absent)}", ", ".join(COLUMNS), remedy, file=str(path)))
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in table[list(COLUMNS)].itertuples(index=False)]
    patients = [row["patient"] for row in rows]
    faults = [Fault(f"patient {name!r} in several rows", "one row", "delete the others", file=str(path))
              for name in sorted(set(patients)) if patients.count(name) > 1]  # fmt: skip
    faults += [
        Fault(f"{name} {row[name]!r}", "0 or 1", "mend the cell", row["patient"], str(path))
        for row in rows
        for name in COLUMNS[1:]
        if row[name] not in ("0", "1")
    ]
    if faults:
        raise CohortError(faults)
    return rows


def _row(label: dict[str, str], source: Path, out: Path) -> dict[str, Any]:
    folder = source / "nifti" / label["patient"]
    image, mask = folder / "CT_image.nii.gz", folder / "CT_mask.nii.gz"
    faults = [] if image.is_file() else [Fault("no such file", "the CT", "copy it again", file=str(image))]
    tumour, spacing_mm = _tumour(mask, faults)
    if faults:
        raise CohortError(faults)
    return {
        "case": label["patient"], "patient": label["patient"],
        "ct": _from(out, image), "tumour": _from(out, mask),
        "lung_metastases": int(label["lung_metastases"]),
        "diameter_mm": round(axial_diameter_mm(tumour, spacing_mm), 1),
        "volume_ml": round(float(tumour.sum()) * float(np.prod(spacing_mm)) / 1000, 2),
    }  # fmt: skip


def _tumour(path: Path, faults: list[Fault]) -> tuple[Mask, Spacing]:
    """The mask and its spacing; a mask that cannot be used is noted in ``faults`` and comes back empty."""
    try:
        labels = read_labels(path)
    except CohortError as error:
        faults += error.faults
        return np.zeros((1, 1, 1), dtype=bool), (1.0, 1.0, 1.0)
    tumour = labels.values == 1
    if not tumour.any():
        faults.append(Fault("an empty mask", "voxels of label 1", "copy it again", file=str(path)))
    return tumour, labels.geometry.spacing_mm


def _from(folder: Path, file: Path) -> str:
    return Path(os.path.relpath(file.resolve(), folder.resolve())).as_posix()


def main(source: Path, out: Path) -> None:
    """Build OUT/cohort.csv from the folder SOURCE."""
    try:
        table = pd.read_csv(build(source, out))
    except CohortError as error:
        sys.exit(str(error))
    events = int(table["lung_metastases"].sum())
    print(f"{len(table)} patients ({events} with lung metastases): {out / 'cohort.csv'}")


if __name__ == "__main__":
    typer.run(main)
