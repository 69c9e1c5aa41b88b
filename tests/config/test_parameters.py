import logging

import numpy as np
import pytest
import SimpleITK as sitk

from fusion.config.parameters import read_parameters
from fusion.config.pyradiomics import ELSEWHERE, NUMBERLESS, PER_IMAGE, VOXEL, WHOLE
from fusion.config.radiomics import UNKNOWN_TO_PYRADIOMICS, PerImage, Preparation, Radiomics
from fusion.data.image import Geometry
from fusion.errors import ConfigError
from fusion.features.radiomics import oracle
from fusion.features.radiomics.preset import columns

SHAPE, SPACING = (10, 14, 16), (2.0, 1.0, 1.5)
FILES = {
    "silent": "setting: {binWidth: 10}",
    "images": """
        imageType:
          Wavelet: {level: 2, start_level: 1, wavelet: haar, binCount: 16}
          Original: {}
          LoG: {sigma: [1, 2.0], binWidth: 3, weightingNorm: euclidean}
        featureClass: {firstorder: [StandardDeviation, Energy], glcm: [], glrlm: null}
        setting: {voxelArrayShift: 300, weightingNorm: no_weighting, symmetricalGLCM: false, distances: [1, 2]}
    """,
    "slices": """
        imageType: {Original: {}, Wavelet: {}, LBP2D: {lbp2DRadius: 2, binWidth: 1, lbp2DMethod: default}}
        featureClass: {shape: [Compactness1, MeshVolume], glcm: [MCC], gldm: null}
        setting:
          {force2D: true, force2Ddimension: 1, gldm_a: 1, normalize: true, normalizeScale: 100, removeOutliers: 2}
    """,
    "resampled": """
        {"imageType": {"Gradient": {"gradientUseSpacing": false}, "Square": {}, "LBP3D": {"lbp3DLevels": 3}},
         "featureClass": {"ngtdm": [], "firstorder": ["Mean"], "shape": ["VoxelVolume"]},
         "setting": {"resampledPixelSpacing": [2, 0, 1.5], "interpolator": "sitkLinear", "padDistance": 3,
                     "resegmentRange": [2, -2], "resegmentMode": "sigma", "resegmentShape": true, "binCount": 8,
                     "minimumROIDimensions": 3, "minimumROISize": 20, "label": 1, "additionalInfo": false}}
    """,
    "no interpolator": """
        imageType: {Exponential: {}}
        featureClass: {firstorder: }
        setting: {interpolator: null, resampledPixelSpacing: [1, 1, 1], preCrop: true, padDistance: 1}
    """,
    "numbered interpolator": """
        featureClass: {firstorder: [Mean]}
        setting: {interpolator: 2, resampledPixelSpacing: [1, 1, 1]}
    """,
}


@pytest.fixture(autouse=True)
def quiet():
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)


def case() -> tuple[np.ndarray, np.ndarray, Geometry]:
    image = np.random.default_rng(0).normal(40, 20, SHAPE).astype(np.float32)
    region = np.zeros(SHAPE, bool)
    region[2:8, 3:11, 4:13] = np.random.default_rng(1).random((6, 8, 9)) > 0.1
    return image, region, Geometry(SHAPE, SPACING, (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))


def theirs(path, image, region) -> dict[str, float]:
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    pair = [sitk.GetImageFromArray(array) for array in (image, region.astype(np.uint8))]
    for part in pair:
        part.SetSpacing(SPACING[::-1])
    with oracle.scipy_names(), oracle._floats_in_patterns(), np.errstate(all="ignore"):
        found = RadiomicsFeatureExtractor(str(path)).execute(*pair)
    return {name: float(value) for name, value in found.items() if not name.startswith("diagnostics")}


def faults(tmp_path, text: str) -> list[str]:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_parameters(path)
    return [str(fault).removeprefix(f"{tmp_path}/") for fault in error.value.faults]


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
def test_shape2d_of_one_slice_is_pyradiomics_own(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("featureClass: {shape2D: [SphericalDisproportion, Perimeter]}\nsetting: {force2D: true}\n")
    image, region, geometry = case()
    region[np.arange(SHAPE[0]) != 4] = False
    own, reference = read_parameters(path), theirs(path, image, region)
    assert reference
    np.testing.assert_array_equal(oracle.extract(image, region, geometry, own), [reference[c] for c in columns(own)])


@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")  # pykwalify, when PyRadiomics reads a file
@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_the_columns_and_values_that_pyradiomics_gives(name, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(FILES[name])
    image, region, geometry = case()
    own, reference = read_parameters(path), theirs(path, image, region)
    assert set(columns(own)) == set(reference)
    found = oracle.extract(image, region, geometry, own)
    np.testing.assert_array_equal(found, [reference[column] for column in columns(own)])


def test_pyradiomics_defaults_hold_where_the_file_is_silent(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("setting: {}\n")
    assert read_parameters(path) == Radiomics(images=("original",), spacing_mm=None)


def test_shape2d_is_among_the_defaults_in_two_dimensions(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("setting: {force2D: true}\n")
    assert list(read_parameters(path).classes)[:3] == ["shape", "shape2D", "firstorder"]


def test_settings_of_feature_maps_are_read(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("voxelSetting: {kernelRadius: 2, maskedKernel: false, initValue: nan, voxelBatch: 10000}\n")
    read = read_parameters(path)
    assert (read.kernel_radius, read.masked_kernel, read.initial_value) == (2, False, "nan")


def test_every_fault_is_told_at_once_with_its_line(tmp_path):
    found = faults(
        tmp_path,
        """imageTypes: {}
imageType:
  Original: {binWdth: 3}
  LoG: {wavelet: haar, binWidth: -1}
  Foo: {}
  Wavelet: 3
featureClass: {glcm: [SumVariance], bar: , firstorder: 3}
setting:
  resampledPixelSpacing: [1, 1]
  force2Ddimension: 4
voxelSetting: {kernelRadius: 0}
""",
    )
    expected = {
        "line 1: found unknown name imageTypes",
        "line 3: found unknown name imageType.Original.binWdth",
        "line 4: found imageType.LoG.wavelet, which does nothing there",
        "line 4: found imageType.LoG.binWidth = -1",
        "line 4: found sigma = None",
        "line 5: found unknown name imageType.Foo",
        "line 6: found imageType.Wavelet = 3",
        "line 7: found glcm SumVariance is withdrawn, it equals glcm ClusterTendency",
        "line 7: found unknown name featureClass.bar",
        "line 7: found featureClass.firstorder = 3",
        "line 9: found too few values of setting.resampledPixelSpacing",
        "line 10: found setting.force2Ddimension = 4",
        "line 11: found voxelSetting.kernelRadius = 0",
    }
    assert {fault.removeprefix("own.yaml ").split(";")[0] for fault in found} == expected


@pytest.mark.parametrize("wrong", ["binWidth: true", "binCount: 2.5", "force2D: 1", "distances: 1", "binWidth: [5]",
                                   "wavelet: mexh", "weightingNorm: max", "interpolator: 17", "force2D: null",
                                   "resegmentRange: [1, 2, 3]", "lbp2DMethod: nri"])  # fmt: skip
def test_a_value_that_pyradiomics_refuses_is_refused(wrong, tmp_path):
    found = faults(tmp_path, f"setting: {{{wrong}}}")
    assert all(f"found setting.{wrong.split(':')[0]} = " in fault for fault in found)


@pytest.mark.parametrize(
    ("setting", "remedy"),
    [("geometryTolerance: 1000", "tolerance_mm"), ("correctMask: true", "resample_mask"),
     ("label_channel: 1", "save that channel")],
)  # fmt: skip
def test_what_has_its_place_elsewhere_is_told_where(setting, remedy, tmp_path):
    (fault,) = faults(tmp_path, f"setting: {{{setting}}}")
    assert remedy in fault


def test_the_label_is_read(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("setting: {label: 2}")
    assert read_parameters(path).label == 2


@pytest.mark.parametrize(
    "setting", ["label: 1", "geometryTolerance: null", "correctMask: false", "additionalInfo: true"]
)
def test_what_asks_for_nothing_is_accepted(setting, tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(f"setting: {{{setting}}}")
    assert read_parameters(path) == Radiomics(images=("original",), spacing_mm=None)


@pytest.mark.parametrize("text", ["setting: {binWidth: 5, binWidth: 6}", "setting: [", "- 1", ""])
def test_a_file_that_is_no_plain_mapping_is_one_message(text, tmp_path):
    assert len(faults(tmp_path, text)) == 1


def test_a_missing_file_is_one_message(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        read_parameters(tmp_path / "nothing.yaml")


def test_a_class_that_cannot_be_measured_is_refused(tmp_path):
    (fault,) = faults(tmp_path, "featureClass: {shape2D: }")
    assert "shape2D needs force_2d=true" in fault


def test_the_tables_name_every_setting_of_pyradiomics_schema_and_of_ours():
    import yaml
    from radiomics import getParameterValidationFiles

    with open(getParameterValidationFiles()[0]) as file:
        schema = yaml.safe_load(file)["mapping"]
    assert {*WHOLE, *PER_IMAGE, *ELSEWHERE, "sigma", "additionalInfo"} == set(schema["setting"]["mapping"])
    assert {*VOXEL, "voxelBatch"} == set(schema["voxelSetting"]["mapping"])
    assert {*NUMBERLESS} == {"additionalInfo", "voxelBatch"}
    assert set(PER_IMAGE.values()) == set(PerImage.model_fields)
    ours = {*UNKNOWN_TO_PYRADIOMICS, "images", "classes"}
    assert set(WHOLE.values()) | ours == set(Preparation.model_fields)
