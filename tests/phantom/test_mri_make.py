"""The slices on disk: whole, repeatable, and silent about the label everywhere but in the table."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fusion.config.cohort import MriPhantom
from fusion.phantom import make

SPEC = MriPhantom(cases=30, pixels=32, seed=5)
PATHS = ["t2w", "t1w", "t1c", "dwi_b0", "dwi_b2000", "adc", "tumour"]
COLUMNS = ["case", "patient", "histology", *PATHS, "age", "sex", "smoking", "side", "diameter_mm"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("phantom") / "clinical.csv", SPEC, jobs=1).parent


@pytest.fixture
def table(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "clinical.csv", keep_default_na=False)


def digests(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_table_has_the_agreed_columns_and_words(table: pd.DataFrame) -> None:
    assert list(table.columns) == COLUMNS
    assert set(table["histology"]) == {"PA", "Warthin", "other benign", "MEC", "other malignant"}
    assert (set(table["sex"]), set(table["smoking"])) == ({"F", "M"}, {"yes", "no"})


def test_paths_are_the_files_and_an_empty_cell_has_none(folder: Path, table: pd.DataFrame) -> None:
    paths = [path for path in table[PATHS].to_numpy().ravel() if path]
    assert sorted(paths) == sorted(f"images/{file.name}" for file in (folder / "images").iterdir())
    assert ((table["dwi_b2000"] == "").sum(), (table["adc"] == "").sum()) == (4, 1)


def test_two_workers_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    make(tmp_path / "clinical.csv", SPEC, jobs=2)
    assert digests(tmp_path) == digests(folder)


@pytest.mark.parametrize("change", [{"seed": 6}, {"preset": "null"}, {"preset": "noise"}, {"pixels": 33}])
def test_another_spec_writes_other_pictures(folder: Path, tmp_path: Path, change: dict) -> None:
    make(tmp_path / "clinical.csv", SPEC.model_copy(update={"cases": 10, **change}), jobs=1)
    assert not set(digests(tmp_path)) & {name for name in digests(folder) if name.startswith("images")}


def test_a_lost_table_is_rewritten_and_whole_cases_are_not(folder: Path) -> None:
    before, written = digests(folder), {file: file.stat().st_mtime_ns for file in (folder / "images").iterdir()}
    (folder / "clinical.csv").unlink()
    make(folder / "clinical.csv", SPEC, jobs=1)
    assert digests(folder) == before
    assert {file: file.stat().st_mtime_ns for file in (folder / "images").iterdir()} == written


def test_a_lost_picture_is_made_again(folder: Path) -> None:
    before = digests(folder)
    next((folder / "images").glob("*_t1c.png")).unlink()
    make(folder / "clinical.csv", SPEC, jobs=1)
    assert digests(folder) == before


def test_pictures_have_one_size_and_no_text(folder: Path) -> None:
    """A PNG of header, pixels and end alone: no text, time or any other chunk."""
    files = list((folder / "images").iterdir())
    assert len({file.stat().st_size for file in files}) == 1
    assert {chunks(file.read_bytes()) for file in files} == {(b"IHDR", b"IDAT", b"IEND")}


def chunks(png: bytes) -> tuple[bytes, ...]:
    found, at = [], 8
    while at < len(png):
        found.append(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    return tuple(found)


def test_masks_are_black_and_white_and_never_empty(folder: Path, table: pd.DataFrame) -> None:
    for path in table["tumour"]:
        assert set(np.unique(np.asarray(Image.open(folder / path)))) == {0, 255}


def test_about_holds_the_spec_and_the_ideal_observer(folder: Path) -> None:
    about = json.loads((folder / "phantom.json").read_text())
    assert MriPhantom(**about["spec"]) == SPEC
    assert sum(about["tumours"].values()) == 30
    assert set(about["ideal"]) == {"benign-malignant", "PA-Warthin", "Warthin-malignant", "all"}
    assert all(0.5 <= read["accuracy"] <= 1 for read in about["ideal"]["PA-Warthin"].values())


@pytest.mark.parametrize("preset", ["null", "noise"])
def test_about_admits_that_there_is_no_signal(tmp_path: Path, preset: str) -> None:
    make(tmp_path / "clinical.csv", MriPhantom(cases=10, pixels=32, preset=preset), jobs=1)
    about = json.loads((tmp_path / "phantom.json").read_text())
    assert {read["auc"] for read in about["ideal"]["benign-malignant"].values()} == {0.5}
