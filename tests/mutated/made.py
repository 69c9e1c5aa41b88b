"""A sound cohort of every format, its config, a finished run of it, and a results table to audit."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from tests import toy
from tests.data import dicom_made

CASES = 12
SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")
SHAPE, SPACING, ORIGIN = (6, 28, 28), (3.0, 1.0, 1.0), (0.0, 0.0, 0.0)
CONFIG = """\
name: toy
cohort:
  table: {table}
  clinical:
    margin: {{kind: category, values: [clear, unclear]}}
    age: {{kind: number, low: 0, high: 120}}
split: {{folds: 2, test_fraction: 0.3}}
roi:
  minimum_voxels: 20
  external2: {{thickness_mm: 2.0, minimum_voxels: 20}}
radiomics: {{images: [original], classes: {{firstorder: null}}}}
heads: {{lasso_folds: 2, top: 3}}
evaluate: {{bootstrap: 200, validation: null}}
network: null
bundle: true
"""
RESULTS = """\
model,sensitivity,specificity,ppv,npv,accuracy,auc
Combined,88.9,75.3,54.5,95.3,78.7,0.87
Clinical,77.8,69.1,45.7,90.3,71.3,0.79
"""


def cohort(folder: Path) -> None:
    """table.csv, a.yaml, results.csv and each case's files; the last two are DICOM, with RTSTRUCT and SEG."""
    rng, rows = np.random.default_rng(0), []
    for number in range(CASES):
        image, tumour = volume(number % 2, rng)
        names = (_dicom if number >= CASES - 2 else _volumes)(folder, number, image, tumour)
        rows.append(
            {
                "case": f"c{number}",
                "patient": f"p{number}",
                "ct": names[0],
                "tumour": names[1],
                "malignant": number % 2,
                "margin": ("clear", "unclear")[(number // 2 + number) % 2],
                "age": 40 + 3 * number,
            }
        )
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    (folder / "a.yaml").write_text(CONFIG.format(table=folder / "table.csv"))
    (folder / "results.csv").write_text(RESULTS)


def volume(event: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A rectangular tumour in noise, brighter in events."""
    tumour = np.zeros(SHAPE, np.uint8)
    tumour[2:4, 9:17, 10 : 18 + int(rng.integers(3))] = 1
    return (30 + tumour * 30 * event + rng.normal(0, 15, SHAPE)).astype(np.int16), tumour


def again(kept: Path, folder: Path, with_run: bool) -> None:
    """``folder`` as it was when ``kept`` was copied from it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kept, folder, ignore=None if with_run else shutil.ignore_patterns("run"))


def _volumes(folder: Path, number: int, image: np.ndarray, tumour: np.ndarray) -> tuple[str, str]:
    suffix = SUFFIXES[number % 4]
    names = f"c{number}_ct{suffix}", f"c{number}_tumour{suffix}"
    for name, values in zip(names, (image, tumour), strict=True):
        toy.write(folder / name, values, SPACING)
    return names


def _dicom(folder: Path, number: int, image: np.ndarray, tumour: np.ndarray) -> tuple[str, str]:
    name, seed = f"c{number}_tumour.dcm", f"c{number}"
    dicom_made.series(folder / f"c{number}_ct", image, origin=ORIGIN, spacing=SPACING, seed=seed)
    if number % 2:
        dicom_made.segmentation(folder / name, {"tumour": tumour}, seed, origin=ORIGIN, spacing=SPACING)
    else:
        dicom_made.structures(folder / name, {"GTV": [_outline(tumour, z) for z in (2, 3)]}, seed)
    return f"c{number}_ct", name


def _outline(tumour: np.ndarray, z: int) -> np.ndarray:
    """The corners (x, y, z) in mm of a rectangle, at its voxels' outer edges."""
    rows, columns = (np.flatnonzero(tumour[z].any(axis=axis)) for axis in (1, 0))
    (top, bottom), (left, right) = ((own[0] - 0.5, own[-1] + 0.5) for own in (rows, columns))
    return np.array([(x, y, z * SPACING[0]) for y, x in ((top, left), (top, right), (bottom, right), (bottom, left))])
