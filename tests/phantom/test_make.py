"""The cohort on disk: whole, repeatable, and silent about the label everywhere but in the table."""

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from fusion.config.cohort import Phantom
from fusion.phantom import make

SPEC = Phantom(cases=8, prevalence=0.4, seed=5)
COLUMNS = [
    "case", "patient", "scanner", "ct", "tumour", "tumour_reader2", "tumour_repeat", "malignant", "age", "sex",
    "smoking", "drinking", "symptom", "diameter_mm", "number", "location", "density", "calcification", "cystic",
    "shape", "margin", "enhancement", "uniformity", "nodes", "radiologist",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("phantom") / "cohort.csv", SPEC, jobs=1).parent


@pytest.fixture
def table(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "cohort.csv", keep_default_na=False)


def digests(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_table_has_the_agreed_columns(table: pd.DataFrame) -> None:
    assert sorted(table.columns) == sorted(COLUMNS)


def test_levels_are_the_agreed_ones(table: pd.DataFrame) -> None:
    levels = {
        "sex": {"F", "M"}, "smoking": {"yes", "no"}, "drinking": {"yes", "no"}, "symptom": {"yes", "no"},
        "number": {"single", "multiple"}, "location": {"superficial", "deep", "both"},
        "density": {"homogeneous", "heterogeneous"}, "calcification": {"yes", "no"}, "cystic": {"yes", "no"},
        "shape": {"round", "non-round"}, "margin": {"clear", "unclear"},
        "enhancement": {"slight", "moderate", "obvious"}, "uniformity": {"yes", "no"}, "nodes": {"yes", "no"},
        "radiologist": {0, 1}, "malignant": {0, 1},
    }  # fmt: skip
    assert all(set(table[name]) <= allowed for name, allowed in levels.items())


def test_every_path_in_the_table_exists(folder: Path, table: pd.DataFrame) -> None:
    paths = table[["ct", "tumour", "tumour_reader2", "tumour_repeat"]].to_numpy().ravel()
    assert all((folder / path).exists() for path in paths if path)


def test_icc_cases_have_both_extra_masks(table: pd.DataFrame) -> None:
    assert ((table["tumour_reader2"] != "").sum(), (table["tumour_repeat"] != "").sum()) == (2, 2)


def test_two_workers_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    make(tmp_path / "cohort.csv", SPEC, jobs=2)
    assert digests(tmp_path) == digests(folder)


def test_another_seed_writes_other_cases(folder: Path, tmp_path: Path) -> None:
    make(tmp_path / "cohort.csv", Phantom(cases=8, prevalence=0.4, seed=6), jobs=1)
    shared = set(digests(tmp_path).values()) & set(digests(folder).values())
    assert not shared


def test_a_lost_table_is_rewritten_and_whole_cases_are_not(folder: Path) -> None:
    before, written = digests(folder), {file: file.stat().st_mtime_ns for file in (folder / "images").iterdir()}
    (folder / "cohort.csv").unlink()
    make(folder / "cohort.csv", SPEC, jobs=1)
    assert digests(folder) == before
    assert {file: file.stat().st_mtime_ns for file in (folder / "images").iterdir()} == written


def test_a_lost_image_is_made_again(folder: Path) -> None:
    before = digests(folder)
    next((folder / "images").glob("*_ct.nii")).unlink()
    make(folder / "cohort.csv", SPEC, jobs=1)
    assert digests(folder) == before


def test_files_of_one_kind_have_one_size(folder: Path) -> None:
    for kind in ("ct", "tumour", "reader2", "repeat"):
        assert len({file.stat().st_size for file in folder.glob(f"images/*_{kind}.nii")}) == 1


def test_headers_differ_in_pixel_size_alone(folder: Path) -> None:
    """NIfTI-1: 348 header bytes + 4; dimensions, spacing and axes are numbers, every text field is the same."""
    texts = set()
    for file in folder.glob("images/*_ct.nii"):
        header = file.read_bytes()[:352]
        texts.add(header[4:40] + header[148:252] + header[328:])
    assert len(texts) == 1


@pytest.mark.parametrize("word", [b"malig", b"benign", b"event", b"label"])
def test_no_image_names_the_label(folder: Path, word: bytes) -> None:
    assert not any(word in file.read_bytes()[:352].lower() for file in folder.glob("images/*.nii"))


def test_about_holds_the_spec_and_the_ideal_observer(folder: Path) -> None:
    about = json.loads((folder / "phantom.json").read_text())
    assert Phantom(**about["spec"]) == SPEC
    assert set(about["ideal_auc"]) == {"tumour", "external2", "tumour+external2", "clinical", "all"}
