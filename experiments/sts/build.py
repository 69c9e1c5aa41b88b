"""Soft-tissue sarcoma CT (IBSI's validation set) -> a cohort table that points to the NIfTI files where they lie.

python experiments/sts/build.py SOURCE OUT [--sequences]
"""

import os
import sys
from collections.abc import Callable
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
SEQUENCES = {"ct": "CT", "t1": "MR_T1", "pet": "PET"}
"""What the images are called in a table of sequences, and in the source; the labels say `mr_t1_nifti` for MR_T1."""


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
    with_ct = [label for label in _labels(source / "labels.csv", COLUMNS) if label["ct_nifti"] == "1"]
    return _write(with_ct, _row, "ct_nifti 1", source, out)


def build_sequences(source: Path, out: Path) -> Path:
    """The cohort table ``out``/cohort.csv with CT, T1 and PET and a mask for each; returns its path.

    Cells of an image that has no NIfTI are empty; patients without any are left out.

    Args:
        source: as for ``build``, with MR_T1_image.nii.gz, MR_T1_mask.nii.gz and the same of PET in the folders, too.
        out: folder to write.

    Raises:
        CohortError: as ``build``.
    """
    has = {name: f"{word.lower()}_nifti" for name, word in SEQUENCES.items()}
    labels = _labels(source / "labels.csv", ("patient", "lung_metastases", *has.values()))
    imaged = [{**label, **{name: label[column] for name, column in has.items()}} for label in labels]
    seen = [label for label in imaged if any(label[name] == "1" for name in SEQUENCES)]
    return _write(seen, _row_of_sequences, f"1 in {', '.join(has.values())}", source, out)


def _write(
    labels: list[dict[str, str]],
    row: Callable[[dict[str, str], Path, Path], dict[str, Any]],
    wanted: str,
    source: Path,
    out: Path,
) -> Path:
    """One ``row`` a patient, or every fault of all of them."""
    rows: list[dict[str, Any]] = []
    faults: list[Fault] = []
    for label in labels:
        try:
            rows.append(row(label, source, out))
        except CohortError as error:
            faults += [replace(fault, case=label["patient"]) for fault in error.faults]
    if faults:
        raise CohortError(faults)
    if not rows:
        remedy = "take the release with NIfTI files"
        raise CohortError(Fault(f"no patient with {wanted}", "at least one", remedy, file=str(source / "labels.csv")))
    write_csv(out / "cohort.csv", pd.DataFrame(rows))
    return out / "cohort.csv"


def axial_diameter_mm(mask: Mask, spacing_mm: Spacing) -> float:
    """Largest distance between two voxel centres of ``mask`` in one axial slice, in mm: the diameter of a report."""
    return max((_diameter_mm(axial, spacing_mm[1:]) for axial in mask if axial.any()), default=0.0)


def _diameter_mm(axial: np.ndarray, pixel_mm: tuple[float, ...]) -> float:
    contour_mm = np.argwhere(axial & ~binary_erosion(axial)) * pixel_mm
    return float(pdist(contour_mm).max()) if len(contour_mm) > 1 else 0.0


def _labels(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    remedy = "copy it again"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CohortError(Fault(f"no readable table ({error})", "labels.csv", remedy, file=str(path))) from error
    absent = [name for name in columns if name not in table]
    if absent:
        raise CohortError(Fault(f"no column {', '.join(absent)}", ", ".join(columns), remedy, file=str(path)))
    rows = [dict(zip(columns, values, strict=True)) for values in table[list(columns)].itertuples(index=False)]
    patients = [row["patient"] for row in rows]
    faults = [Fault(f"patient {name!r} in several rows", "one row", "delete the others", file=str(path))
              for name in sorted(set(patients)) if patients.count(name) > 1]  # fmt: skip
    faults += [
        Fault(f"{name} {row[name]!r}", "0 or 1", "mend the cell", row["patient"], str(path))
        for row in rows
        for name in columns[1:]
        if row[name] not in ("0", "1")
    ]
    if faults:
        raise CohortError(faults)
    return rows


def _row(label: dict[str, str], source: Path, out: Path) -> dict[str, Any]:
    image, mask = _pair(label, source, "CT")
    tumour, spacing_mm = _measured([(image, mask)])
    return {
        "case": label["patient"], "patient": label["patient"],
        "ct": _from(out, image), "tumour": _from(out, mask),
        "lung_metastases": int(label["lung_metastases"]),
        **_size(tumour, spacing_mm),
    }  # fmt: skip


def _row_of_sequences(label: dict[str, str], source: Path, out: Path) -> dict[str, Any]:
    pairs = {name: _pair(label, source, word) for name, word in SEQUENCES.items() if label[name] == "1"}
    tumour, spacing_mm = _measured([*pairs.values()])
    cells = {name: [_from(out, path) for path in pair] for name, pair in pairs.items()}
    own: dict[str, Any] = {"case": label["patient"], "patient": label["patient"]}
    for name in SEQUENCES:
        own[name], own[f"{name}_mask"] = cells.get(name, ("", ""))
    return {**own, "lung_metastases": int(label["lung_metastases"]), **_size(tumour, spacing_mm)}


def _pair(label: dict[str, str], source: Path, word: str) -> tuple[Path, Path]:
    folder = source / "nifti" / label["patient"]
    return folder / f"{word}_image.nii.gz", folder / f"{word}_mask.nii.gz"


def _measured(pairs: list[tuple[Path, Path]]) -> tuple[Mask, Spacing]:
    """The first mask and its spacing; every fault of all images and masks at once."""
    faults = [Fault("no such file", f"the {image.name.partition('_image')[0].replace('_', ' ')}", "copy it again",
                    file=str(image)) for image, _ in pairs if not image.is_file()]  # fmt: skip
    masks = [_tumour(mask, faults) for _, mask in pairs]
    if faults:
        raise CohortError(faults)
    return masks[0]


def _size(tumour: Mask, spacing_mm: Spacing) -> dict[str, float]:
    return {
        "diameter_mm": round(axial_diameter_mm(tumour, spacing_mm), 1),
        "volume_ml": round(float(tumour.sum()) * float(np.prod(spacing_mm)) / 1000, 2),
    }


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


def main(source: Path, out: Path, sequences: bool = False) -> None:
    """Build OUT/cohort.csv from the folder SOURCE: of the CTs, or with --sequences of CT, T1 and PET."""
    try:
        table = pd.read_csv((build_sequences if sequences else build)(source, out))
    except CohortError as error:
        sys.exit(str(error))
    events = int(table["lung_metastases"].sum())
    print(f"{len(table)} patients ({events} with lung metastases): {out / 'cohort.csv'}")


if __name__ == "__main__":
    typer.run(main)
