import subprocess
import sys
import types

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

import fusion
from fusion.data.image import Geometry, Image
from fusion.errors import FeatureError
from fusion.features.radiomics import oracle
from tests import toy

SMALL = fusion.radiomics.Radiomics(images=("original",), classes={"shape": ("VoxelVolume",), "firstorder": None})
GEOMETRY = Geometry(toy.SHAPE, toy.SPACING, (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))


@pytest.fixture
def case():
    values, tumour = toy.volume(0, np.random.default_rng(0))
    return values, tumour == 1


@pytest.fixture(autouse=True)
def engine(monkeypatch):
    """A stand-in that notes what it is given and measures with the oracle."""
    calls = []

    def measure(image, masks, geometry, radiomics, threads=1):
        calls.append((image, masks, geometry, radiomics))
        features = {name: oracle.extract(image, mask, geometry, radiomics) for name, mask in masks.items()}
        return types.SimpleNamespace(features=features, warnings=dict.fromkeys(list(masks)[:1], ("small", "flat")))

    module = types.ModuleType("fusion.features.radiomics.engine")
    module.measure = measure
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return calls


def pictured(values: np.ndarray, origin=(0.0, 0.0, 0.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(toy.SPACING[::-1])
    image.SetOrigin(origin)
    return image


def faults(image, regions, **more) -> list[str]:
    with pytest.raises(FeatureError) as error:
        fusion.radiomics.extract(image, regions, SMALL, **more)
    return [str(fault) for fault in error.value.faults]


def test_every_kind_of_input_gives_the_same_table(case, tmp_path):
    values, tumour = case
    path = toy.write(tmp_path / "image.nii.gz", values)
    mask = toy.write(tmp_path / "mask.nii.gz", tumour.astype(np.uint8))
    images = [path, str(path), pictured(values), Image(values.astype(np.float32), GEOMETRY), Image(values, GEOMETRY)]
    masks = [mask, str(mask), pictured(tumour.astype(np.uint8)), tumour, tumour.astype(int), tumour.astype(float)]
    tables = [fusion.radiomics.extract(image, {"tumour": masks[0]}, SMALL) for image in images]
    tables += [fusion.radiomics.extract(images[0], {"tumour": mask}, SMALL) for mask in masks]
    for table in tables:
        pd.testing.assert_frame_equal(table.values, tables[0].values, check_exact=True)


def test_a_table_has_a_row_a_region_and_says_how_it_was_made(case):
    values, tumour = case
    table = fusion.radiomics.extract(pictured(values), {"tumour": tumour, "rest": ~tumour}, SMALL)
    assert table.values.index.tolist() == ["tumour", "rest"]
    assert tuple(table.values.columns) == fusion.radiomics.columns(SMALL)
    assert table.warnings.tolist() == ["small; flat", ""]
    assert {"engine", "mode", "crop", "padding", "input_type", "settings", "label"} == set(table.metadata)
    assert fusion.radiomics.Radiomics.model_validate_json(table.metadata["settings"]) == SMALL


def test_the_engine_gets_float32_whatever_the_image_holds(case, engine):
    values, tumour = case
    fusion.radiomics.extract(pictured(values.astype(np.uint8)), {"tumour": tumour}, SMALL)
    ((image, masks, geometry, settings),) = engine
    assert image.dtype == np.float32
    assert masks["tumour"].dtype == np.bool_
    assert (geometry, settings) == (GEOMETRY, SMALL)


def test_a_label_chooses_the_region(case, engine):
    values, tumour = case
    fusion.radiomics.extract(pictured(values), {"tumour": tumour * 3, "drawn": tumour}, SMALL, label=3)
    assert np.array_equal(engine[0][1]["tumour"], engine[0][1]["drawn"])


def test_every_fault_of_image_and_masks_is_told_at_once(case, tmp_path):
    values, tumour = case
    found = faults(
        pictured(values),
        {
            "shifted": pictured(tumour.astype(np.uint8), origin=(0.0, 0.0, 30.0)),
            "other": pictured(tumour.astype(np.uint8) * 255),
            "empty": np.zeros(toy.SHAPE, bool),
            "everything": np.ones(toy.SHAPE, bool),
            "small": tumour[1:],
            "soft": tumour * 0.5,
            "missing": tmp_path / "no.nii.gz",
        },
    )
    expected = [
        "found shifted: another grid than the image's (origin mm (0, 0, 30) against (0, 0, 0))",
        "found other: no voxel with label 1 (labels found: 255); expected at least one; give label=255",
        "found empty: no voxel with label 1 (labels found: none)",
        "found everything: a mask that covers the whole image",
        "found small: an array of shape (7, 40, 40); expected the image's (8, 40, 40)",
        "found soft: values that are not whole numbers",
        "found missing: no such file",
    ]
    assert len(found) == len(expected)
    assert all(part in fault for part, fault in zip(expected, found, strict=True))


def test_a_tolerance_lets_a_grid_pass(case):
    values, tumour = case
    near = pictured(tumour.astype(np.uint8), origin=(0.0, 0.0, 0.01))
    assert len(faults(pictured(values), {"tumour": near})) == 1
    assert len(fusion.radiomics.extract(pictured(values), {"tumour": near}, SMALL, tolerance_mm=0.02).values) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_voxels_without_a_value_are_a_fault(bad, case):
    values = case[0].astype(np.float32)
    values[0, 0, 0] = bad
    (fault,) = faults(pictured(values), {"tumour": case[1]})
    assert "image: 1 voxels that are NaN or infinite" in fault


def test_an_image_of_two_dimensions_is_a_fault(case):
    values, tumour = case
    assert any("2 dimensions" in fault for fault in faults(pictured(values)[:, :, 0], {"tumour": tumour}))


def test_no_region_is_a_fault(case):
    assert "no region" in faults(pictured(case[0]), {})[0]


def test_importing_fusion_is_light():
    code = (
        "import sys, fusion; assert not {'numpy', 'pydantic', 'SimpleITK'} & set(sys.modules); fusion.radiomics.extract"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'radiomix'"):
        fusion.radiomix  # noqa: B018


def test_the_public_call_needs_no_pyradiomics():
    code = "import sys, fusion; fusion.radiomics.extract; assert 'radiomics' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
