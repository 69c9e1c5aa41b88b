"""What an answer leaves on disk."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from PIL import Image

from fusion.config.cohort import Cohort
from fusion.data.case import Files, load
from fusion.data.image import Geometry, read_image, read_labels, to_sitk, write_mask
from fusion.errors import CohortError
from fusion.serve import bundle as bundles
from fusion.serve.asked import Asked, Outputs
from fusion.serve.deliver import _near, deliver
from fusion.serve.predict import Predictor
from tests import toy
from tests.data import dicom_made

COHORT = Cohort(table="none.csv")
EYE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def asked(ct_run) -> Asked:
    row = pd.read_csv(ct_run.parent / "table.csv", dtype=str).iloc[0]
    files = Files("c0", ct_run.parent / row["ct"], ct_run.parent / row["tumour"])
    return Asked(files, clinical={"margin": row["margin"], "age": row["age"]})


@pytest.fixture(scope="module")
def predictor(ct_bundle) -> Predictor:
    return Predictor.of(bundles.read(ct_bundle), threads=1)


@pytest.fixture(scope="module")
def delivered(predictor, asked, tmp_path_factory):
    folder = tmp_path_factory.mktemp("delivered")
    answer = deliver(predictor, asked, Outputs(folder, sheet_html=True, sheet_pdf=True, viewer=True))
    return folder, answer


def test_the_files_are_those_that_were_promised(delivered):
    folder, answer = delivered
    assert {path.name for path in folder.iterdir()} == {
        "answer.json", "external2.nii.gz", "heat_tumour.nii.gz", "heat_external2.nii.gz", "overlay.png", "sheet.html",
        "sheet.pdf", "view_image.nii.gz", "view_tumour.nii.gz", "view_external2.nii.gz", "view_heat.nii.gz",
    }  # fmt: skip
    assert json.loads((folder / "answer.json").read_text()) == json.loads(answer.model_dump_json())
    assert (folder / "sheet.pdf").read_bytes().startswith(b"%PDF")
    assert "<html" in (folder / "sheet.html").read_text()
    with Image.open(folder / "overlay.png") as picture:
        assert picture.size[0] > 100


def test_ring_and_heat_lie_on_the_images_grid(delivered, asked):
    folder, _ = delivered
    image = read_image(asked.files.image)
    ring = read_labels(folder / "external2.nii.gz")
    assert ring.geometry.difference(image.geometry, 1e-3, 1e-4) == []
    for region in ("tumour", "external2"):
        heat = read_image(folder / f"heat_{region}.nii.gz")
        assert heat.geometry.difference(image.geometry, 1e-3, 1e-4) == []
        assert heat.values.max() in (0.0, 1.0)


def test_the_ring_can_be_given_back_and_changes_nothing(delivered, predictor, asked):
    folder, answer = delivered
    again = replace(asked, files=replace(asked.files, external2=folder / "external2.nii.gz"))
    assert predictor.answer(again).answer == answer


def test_what_the_viewer_shows_is_the_same_place_of_the_same_image(predictor, asked, tmp_path):
    rng = np.random.default_rng(0)
    values, tumour = rng.normal(0, 20, (30, 120, 120)), np.zeros((30, 120, 120), np.uint8)
    tumour[18:22, 60:72, 90:104] = 1
    turned = (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
    for name, own in (("image", values.astype(np.int16)), ("mask", tumour)):
        image = sitk.ReadImage(str(toy.write(tmp_path / f"{name}.nii.gz", own, origin=(7.0, -3.0, 11.0))))
        image.SetDirection(turned)
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii.gz"))
    files = Files("a", tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz")
    deliver(predictor, Asked(files, clinical=asked.clinical, explain=False), Outputs(tmp_path / "out", viewer=True))
    whole, near = (sitk.ReadImage(str(p)) for p in (files.image, tmp_path / "out/view_image.nii.gz"))
    assert near.GetSize()[2] < whole.GetSize()[2]
    for index in ((0, 0, 0), (3, 50, 2)):
        there = whole.TransformPhysicalPointToIndex(near.TransformIndexToPhysicalPoint(index))
        assert near[index] == whole[there]
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out/view_tumour.nii.gz")))
    assert mask.sum() == tumour.sum()
    assert not (tmp_path / "out/view_heat.nii.gz").exists()
    assert not (tmp_path / "out/heat_tumour.nii.gz").exists()


@pytest.mark.parametrize("order", ["RAS", "PIR", "SAL"])
def test_the_viewer_shows_as_much_in_whatever_order_the_voxels_are_stored(order):
    mask = np.zeros((30, 120, 110), np.uint8)
    mask[18:22, 60:72, 70:84] = 1
    shown = []
    for own in ("LPS", order):
        stored = sitk.DICOMOrient(to_sitk(mask, Geometry(mask.shape, (3.0, 1.0, 1.2), (0.0, 0.0, 0.0), EYE)), own)
        here = stored.GetSize()[::-1], stored.GetSpacing()[::-1], stored.GetOrigin(), stored.GetDirection()
        near = _near(sitk.GetArrayFromImage(stored) > 0, Geometry(*here))
        cut = sitk.GetArrayFromImage(stored)[near.voxels]
        shown.append(sitk.DICOMOrient(to_sitk(cut, near.geometry), "LPS"))
    mine, its = shown
    assert np.array_equal(sitk.GetArrayFromImage(mine), sitk.GetArrayFromImage(its))
    assert mine.GetOrigin() == pytest.approx(its.GetOrigin())


def test_dicom_objects_of_an_image_without_headers_are_refused_before_any_work(predictor, asked, tmp_path):
    with pytest.raises(CohortError, match="found an image without DICOM headers"):
        deliver(predictor, asked, Outputs(tmp_path / "out", dicom=True))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_dicom_series_is_answered_with_dicom_objects(predictor, asked, tmp_path, packed):
    values = read_image(asked.files.image).values.astype(np.int16)
    series = dicom_made.series(tmp_path / "series", values, spacing=(3.0, 1.0, 1.0))
    image = read_image(series)
    tumour = read_labels(asked.files.tumour).values == 1
    write_mask(tmp_path / "mask.nii.gz", tumour, image.geometry)
    if packed:
        series = Path(shutil.make_archive(str(tmp_path / "series"), "zip", series))
    files = Files("a", series, tmp_path / "mask.nii.gz")
    deliver(predictor, Asked(files, clinical=asked.clinical, explain=False), Outputs(tmp_path / "out", dicom=True))
    made = tmp_path / "out"
    assert {"external2_seg.dcm", "answer_sr.dcm", "answer.json"} <= {path.name for path in made.iterdir()}
    ring = load(replace(files, external2=made / "external2_seg.dcm"), COHORT, False).external2
    assert (ring == (read_labels(tmp_path / "out/external2.nii.gz").values == 1)).all()
    assert dicom_made.NAME not in (tmp_path / "out/answer.json").read_text()
