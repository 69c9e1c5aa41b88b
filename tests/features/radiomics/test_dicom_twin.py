"""A sarcoma in DICOM with RT structures, and the same as its publishers' NIfTI: the same 1,874 features.

Masks and grey values are the same voxel for voxel, so the rule by which contours become voxels makes no difference
here. What remains is that NIfTI keeps spacing and origin in single precision: it moves the grid to which images are
resampled by some 1e-7 mm, hence features in the sixth digit, and more in those that are near 0.
"""

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fusion.config.cohort import Cohort
from fusion.config.radiomics import Radiomics
from fusion.data.case import Case, Files, load
from fusion.data.image import Geometry
from fusion.features.radiomics import engine
from fusion.types import Vector

STS = Path(__file__).parents[4] / "shared/data/sts"
PATIENT = "STS_008"


@pytest.fixture(scope="module")
def twins(tmp_path_factory) -> tuple[Case, Case]:
    if not (STS / "dicom.tar.gz").is_file():
        pytest.skip("the environment's shared data are not here")
    folder = tmp_path_factory.mktemp("sts")
    with tarfile.open(STS / "dicom.tar.gz", "r|gz") as packed:
        packed.extractall(folder, (one for one in packed if f"{PATIENT}/CT/" in one.name), filter="data")
    dicom, nifti = next(folder.rglob(f"{PATIENT}/CT")), STS / "nifti" / PATIENT
    files = (Files("a", dicom / "image", dicom / "mask"),
             Files("a", nifti / "CT_image.nii.gz", nifti / "CT_mask.nii.gz"))  # fmt: skip
    own, twin = (load(one, Cohort(table=Path("table.csv")), False) for one in files)
    return own, twin


def features(case: Case, geometry: Geometry) -> Vector:
    return engine.measure(case.image, {"tumour": case.tumour}, geometry, Radiomics()).features["tumour"]


def test_the_voxels_are_the_same(twins):
    own, twin = twins
    assert (own.image == twin.image).all()
    assert (own.tumour == twin.tumour).all()


def test_the_features_are_those_of_the_twin_but_for_its_rounded_spacing(twins):
    own, twin = twins
    expected = features(twin, twin.geometry)
    assert len(expected) == 1874
    rounded = tuple(float(np.float32(one)) for one in own.geometry.spacing_mm)
    np.testing.assert_array_equal(features(own, replace(own.geometry, spacing_mm=rounded)), expected)
    as_it_is = features(own, own.geometry)
    assert np.isclose(as_it_is, expected, rtol=1e-6, atol=0).mean() > 0.9
    assert (~np.isclose(as_it_is, expected, rtol=1e-3, atol=0)).sum() <= 5
