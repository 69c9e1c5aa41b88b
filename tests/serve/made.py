"""Two small finished runs with their bundles, made once for all tests of this folder: regions, and slices."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from fusion.config import parse
from fusion.flow import stages
from fusion.flow.bundle import write_bundle
from fusion.flow.run import EVERYTHING, part
from tests import toy, toy_slices

PATIENT = "Nobody^Patient"
CT = """
name: toy_ct
cohort:
  table: TABLE
  clinical:
    margin: {kind: category, values: [clear, unclear]}
    age: {kind: number, low: 0, high: 120}
split: {folds: 2, test_fraction: 0.3}
roi: {patch: {shape: [4, 32, 32]}}
radiomics: {images: [original]}
heads: {lasso_folds: 2, top: 3}
evaluate: {bootstrap: 200, validation: null}
network: {backbone: test_resnet, weights: none, epochs: 2, warmup_epochs: 0, batch: 8, training: separate}
"""
MRI = """
name: toy_mri
cohort:
  table: TABLE
  outcome: histology
  sequences:
    T2-w: {column: t2w, mask: t2w_mask}
    ADC: {column: adc, mask: adc_mask}
  tasks:
    benign-malignant: {classes: {benign: [cyst, polyp], malignant: [sarcoma]}, positive: malignant}
    histology: {classes: {cyst: [cyst], polyp: [polyp], sarcoma: [sarcoma]}}
  clinical:
    age: {kind: number, low: 0, high: 120}
fused: [[T2-w, ADC]]
split: {folds: 2, test_fraction: 0.3}
roi: {slice: {shape: [32, 32]}}
radiomics: {images: [original], classes: {firstorder: null}}
heads: {lasso_folds: 2, top: 3}
evaluate: {bootstrap: 200, validation: null}
network:
  {backbone: test_resnet, weights: none, input: {kind: picture}, epochs: 2, warmup_epochs: 0, batch: 8,
   training: separate}
"""


def ct(folder: Path) -> Path:
    """The folder of a finished run of regions, 24 cases."""
    toy.cohort(folder, cases=24)
    _patients(folder / "table.csv")
    return _finished(CT, folder, folder / "table.csv")


def mri(folder: Path) -> Path:
    """The folder of a finished run of slices: 30 cases of three histologies, two tasks."""
    table = toy_slices.cohort(folder, parse(MRI).cohort, each=10)
    _patients(table)
    return _finished(MRI, folder, table)


def once(base: Path, name: str, make: Callable[[Path], Path]) -> Path:
    """What ``make`` leaves in a folder below ``base``, made by the first of several processes that ask."""
    base.mkdir(parents=True, exist_ok=True)
    folder, done = base / name, base / f"{name}.done"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_file():
            folder.mkdir()
            done.write_text(str(make(folder)))
    return Path(done.read_text())


def _patients(table: Path) -> None:
    """Names that cannot stand anywhere by chance."""
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    rows.assign(patient=[f"{PATIENT}{number:03d}" for number in range(len(rows))]).to_csv(table, index=False)


def _finished(config: str, folder: Path, table: Path) -> Path:
    """All but the report, whose figures take longer than the rest."""
    own = parse(config.replace("TABLE", str(table)), [f"output={folder / 'run'}", "jobs=1"])
    part(own, EVERYTHING)
    stages.evaluate(own.folder, own)
    write_bundle(own.folder, own)
    return own.folder
