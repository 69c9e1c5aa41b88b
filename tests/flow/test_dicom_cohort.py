"""A cohort with a case in DICOM: checked as any other, its faults beside theirs, its files in the digest."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import SimpleITK as sitk

from fusion.config.read import load
from fusion.errors import CohortError
from fusion.flow.check import check
from tests import toy
from tests.data import dicom_made as made

PLACE = {"origin": (0.0, 0.0, 0.0), "spacing": toy.SPACING}


@pytest.fixture
def run(tmp_path):
    toy.cohort(tmp_path)
    image, mask = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"c1_{name}.nii.gz"))) for name in ("ct", "tumour")
    )
    made.series(tmp_path / "c1", image, **PLACE)
    made.segmentation(tmp_path / "c1_seg.dcm", {"Tumour": mask.astype(bool)}, **PLACE)
    (tmp_path / "toy.yaml").write_text(toy.CONFIG.format(table=tmp_path / "table.csv"))
    return load(tmp_path / "toy.yaml", ["jobs=1"])


def put(folder: Path, **cells) -> None:
    table = pd.read_csv(folder / "table.csv", dtype=object)
    for column, value in cells.items():
        table.loc[table["case"] == "c1", column] = value
    table.to_csv(folder / "table.csv", index=False)


def test_one_file_stands_for_its_series_whose_every_slice_is_in_the_digest(tmp_path, run):
    made.series(tmp_path / "c1/scout", made.voxels(8), "MR", seed="another")
    put(tmp_path, ct="c1/IM0_0", tumour="c1_seg.dcm")
    first = check(run)
    assert len(first.cases) == 16
    other = tmp_path / "c1/IM5_3"
    other.write_bytes(other.read_bytes()[:-2] + b"\1\0")
    assert check(run).data_sha256 != first.data_sha256


def test_a_missing_slice_is_told_beside_other_faults(tmp_path, run):
    put(tmp_path, ct="c1", tumour="c1_seg.dcm")
    (tmp_path / "c1/IM5_3").unlink()
    (tmp_path / "c2_ct.nii.gz").unlink()
    with pytest.raises(CohortError) as caught:
        check(run)
    told = str(caught.value)
    assert "case c1" in told
    assert "1 slice missing" in told
    assert "case c2" in told


def test_image_and_mask_come_in_one_zip(tmp_path, run):
    (tmp_path / "c1_seg.dcm").rename(tmp_path / "c1" / "seg.dcm")
    shutil.make_archive(str(tmp_path / "c1"), "zip", tmp_path / "c1")
    put(tmp_path, ct="c1.zip", tumour="c1.zip")
    assert len(check(run).cases) == 16


def test_a_folder_of_several_series_is_chosen_from_by_the_config(tmp_path, run):
    made.series(tmp_path / "c1/scout", made.voxels(8), "MR", seed="another")
    put(tmp_path, ct="c1", tumour="c1_seg.dcm")
    with pytest.raises(CohortError, match=r"case c1.*2 image series.*set cohort\.dicom\.series"):
        check(run)
    assert len(check(load(tmp_path / "toy.yaml", ["jobs=1", "cohort.dicom.modality=CT"])).cases) == 16
