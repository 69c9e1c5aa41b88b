import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from fusion.config import load
from fusion.data import cohort
from fusion.data.case import load as load_case
from fusion.data.split import split
from fusion.errors import CohortError
from fusion.roi import cut_slice
from fusion.roi.region import regions

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared/data/sts"
spec = importlib.util.spec_from_file_location("sts_build", ROOT / "experiments/sts/build.py")
sts = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sts)
real = pytest.mark.skipif(not DATA.is_dir(), reason=f"the sarcoma CTs are not at {DATA}")


def source(folder, patients, **changes):
    """CTs of 12 x 32 x 32 voxels; the tumour is a box of 4 x 9 x 13."""
    labels = [{"patient": name, "lung_metastases": k % 2, "ct_nifti": 1} | changes for k, name in enumerate(patients)]
    for name in patients:
        own = folder / "nifti" / name
        own.mkdir(parents=True)
        mask = np.zeros((12, 32, 32), np.uint8)
        mask[4:8, 10:19, 10:23] = 1
        for array, file in ((mask, "CT_mask"), (mask.astype(np.float32) * 40, "CT_image")):
            image = sitk.GetImageFromArray(array)
            image.SetSpacing((1.0, 1.0, 3.0))
            sitk.WriteImage(image, own / f"{file}.nii.gz")
    pd.DataFrame(labels).to_csv(folder / "labels.csv", index=False)
    return folder


def test_diameter_is_the_longest_in_a_slice_and_not_across_slices():
    mask = np.zeros((9, 8, 8), dtype=bool)
    mask[:, 2, 2] = True
    mask[4, 2:6, 2:5] = True
    assert sts.axial_diameter_mm(mask, (5.0, 1.0, 2.0)) == pytest.approx(5.0)  # rows 3 x 1 mm, columns 2 x 2 mm


def test_the_config_reads_the_table_from_where_the_images_lie(tmp_path):
    table = sts.build(source(tmp_path / "in", "ab"), tmp_path / "far/out")
    run = load(ROOT / "configs/sts.yaml", [f"cohort.table={table}"])
    found = cohort.read(run.cohort, run.seed)
    both = regions(load_case(found.files[0], run.cohort, False), run.roi)
    assert found.rows["event"].tolist() == [0, 1]
    assert both["tumour"].sum() == 4 * 9 * 13


def test_size_is_measured_on_the_mask(tmp_path):
    row = pd.read_csv(sts.build(source(tmp_path / "in", "ab"), tmp_path / "out")).iloc[0]
    assert row["diameter_mm"] == round(float(np.hypot(8, 12)), 1)
    assert row["volume_ml"] == round(4 * 9 * 13 * 3 / 1000, 2)


def test_every_fault_comes_at_once(tmp_path):
    folder = source(tmp_path / "in", "abc")
    (folder / "nifti/a/CT_image.nii.gz").unlink()
    (folder / "nifti/b/CT_mask.nii.gz").write_bytes(b"no image")
    sitk.WriteImage(sitk.Image(4, 4, 4, sitk.sitkUInt8), folder / "nifti/c/CT_mask.nii.gz")
    with pytest.raises(CohortError) as error:
        sts.build(folder, tmp_path / "out")
    assert [fault.case for fault in error.value.faults] == ["a", "b", "c"]


@pytest.mark.parametrize("changes", [{"lung_metastases": "maybe"}, {"ct_nifti": ""}, {"patient": "a"}])
def test_a_label_that_cannot_be_used_is_named(tmp_path, changes):
    with pytest.raises(CohortError, match=r"maybe|ct_nifti|several rows"):
        sts.build(source(tmp_path / "in", "ab", **changes), tmp_path / "out")


def test_patients_without_nifti_are_left_out_and_none_left_is_a_fault(tmp_path):
    with pytest.raises(CohortError, match="no patient with ct_nifti 1"):
        sts.build(source(tmp_path / "in", "ab", ct_nifti=0), tmp_path / "out")


@real
def test_nine_real_patients_split_into_folds_with_an_event_each(tmp_path):
    run = load(ROOT / "configs/sts.yaml", [f"cohort.table={sts.build(DATA, tmp_path)}"])
    rows = cohort.read(run.cohort, run.seed).rows
    folds = split(rows, run.split, run.seed).merge(rows[["case", "event"]], on="case")
    assert len(rows) == 9
    assert folds.groupby("fold")["event"].sum().min() >= 1


def source_of_sequences(folder, patients, **changes):
    """As ``source``, with a T1 and a PET beside the CT."""
    flags = {"mr_t1_nifti": 1, "pet_nifti": 1} | changes
    source(folder, patients, **flags)
    for name in patients:
        own = folder / "nifti" / name
        for word in ("MR_T1", "PET"):
            for part in ("image", "mask"):
                shutil.copy(own / f"CT_{part}.nii.gz", own / f"{word}_{part}.nii.gz")
    return folder


def test_a_table_of_sequences_is_read_with_a_mask_for_each(tmp_path):
    table = sts.build_sequences(source_of_sequences(tmp_path / "in", "abcd"), tmp_path / "far/out")
    run = load(ROOT / "configs/sts_sequences.yaml", [f"cohort.table={table}"])
    (study, *_) = cohort.read(run.cohort, run.seed).files
    assert [scan.sequence for scan in study.scans] == ["CT", "T1", "PET"]
    assert all(scan.image.is_file() and scan.mask.is_file() for scan in study.scans)


def test_an_image_without_nifti_is_an_empty_cell(tmp_path):
    folder = source_of_sequences(tmp_path / "in", "ab", pet_nifti=0, ct_nifti=0)
    table = pd.read_csv(sts.build_sequences(folder, tmp_path / "out"), dtype=str, keep_default_na=False)
    assert table[["ct", "ct_mask", "pet", "pet_mask"]].eq("").all(axis=None)
    assert table["t1"].str.endswith("MR_T1_image.nii.gz").all()
    assert float(table["diameter_mm"][0]) == round(float(np.hypot(8, 12)), 1)


def test_every_fault_of_every_sequence_comes_at_once(tmp_path):
    folder = source_of_sequences(tmp_path / "in", "ab")
    (folder / "nifti/a/PET_image.nii.gz").unlink()
    (folder / "nifti/a/MR_T1_mask.nii.gz").write_bytes(b"no image")
    (folder / "nifti/b/CT_mask.nii.gz").unlink()
    with pytest.raises(CohortError) as error:
        sts.build_sequences(folder, tmp_path / "out")
    assert [fault.case for fault in error.value.faults] == ["a", "a", "b"]


def test_labels_without_the_sequences_are_named(tmp_path):
    with pytest.raises(CohortError, match="no column mr_t1_nifti, pet_nifti"):
        sts.build_sequences(source(tmp_path / "in", "ab"), tmp_path / "out")


@real
def test_nine_real_patients_have_all_three_sequences(tmp_path):
    table = pd.read_csv(sts.build_sequences(DATA, tmp_path))
    assert len(table) == 9
    assert table.notna().all(axis=None)
    assert all((tmp_path / path).is_file() for path in table[["t1", "pet_mask"]].to_numpy().ravel())


@real
def test_the_largest_slice_of_every_sequence_shows_the_same_tumour(tmp_path):
    """Three grids of pixels of 1 to 5 mm: what is cut of each covers the same square, within two of PET's pixels."""
    run = load(ROOT / "configs/sts_sequences.yaml", [f"cohort.table={sts.build_sequences(DATA, tmp_path)}"])
    studies = cohort.read(run.cohort, run.seed).files[:3]
    pieces = [cut_slice.look(study, run.cohort, run.roi.slice) for study in studies]
    for own in pieces:
        sides_mm = {name: float(piece.pixel_mm[0]) * 96 for name, piece in own.items()}
        assert sides_mm["PET"] == pytest.approx(sides_mm["CT"], abs=1.5 * 2 * 5.47)
        longest = np.ptp(np.argwhere(own["CT"].mask), axis=0).max() + 1
        assert longest == pytest.approx(96 / 1.5, abs=2)
