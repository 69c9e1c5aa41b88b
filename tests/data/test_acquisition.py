"""How an image was acquired: numbers with their units, what varies as a range, and never who, where or when."""

import zipfile

import numpy as np
import pydicom
import pytest

from fusion.config.dicom import Dicom
from fusion.data.dicom.acquisition import COLUMNS, acquisition
from fusion.data.dicom.contrast_agent import told
from tests import toy
from tests.data import dicom_made as made

SECRETS = (made.NAME, "Mustermann", "4711", "Haus", "2020", "1.2.826", "SN-99", "Klinik", "CT-RAUM-3", "Kind")


def scanned(position, own):
    """A header as a scanner fills it, with all that must not leave it."""
    own.Manufacturer, own.ManufacturerModelName, own.KVP = "SIEMENS", "Definition AS+", 120
    own.XRayTubeCurrent, own.ExposureTime, own.RevolutionTime = 120 + 20 * position, 500, 0.5
    own.SingleCollimationWidth, own.TotalCollimationWidth, own.ConvolutionKernel = 0.6, 38.4, "B30f"
    own.ContrastBolusAgent = f"Ultravist 370, {made.NAME}"
    own.DeviceSerialNumber, own.InstitutionName, own.StationName = "SN-99", "Klinik", "CT-RAUM-3"
    own.OperatorsName, own.ProtocolName, own.AcquisitionDate = "Kind^Anna", f"Hals {made.NAME}", "20200101"


def test_a_ct_s_row_of_the_table(tmp_path):
    own = acquisition(made.series(tmp_path, change=scanned), Dicom())
    assert own == {
        "modality": "CT", "manufacturer": "SIEMENS", "model": "Definition AS+", "tube_voltage_kv": 120,
        "tube_current_ma": "120-200", "exposure_time_ms": 500, "rotation_time_s": 0.5, "collimation_mm": "64 x 0.6",
        "slice_thickness_mm": 3, "interval_mm": 3, "matrix": "12 x 16", "pixel_mm": "0.5 x 0.8", "kernel": "B30f",
        "contrast_agent": "iopromide", "field_strength_t": "", "repetition_time_ms": "", "echo_time_ms": "",
        "flip_angle_deg": "", "pet_units": "", "pet_reconstruction": "",
    }  # fmt: skip
    assert tuple(own) == COLUMNS
    assert not any(secret in str(own) for secret in SECRETS)


def test_mr_and_pet_have_columns_of_their_own(tmp_path):
    def mr(position, own):
        own.MagneticFieldStrength, own.RepetitionTime, own.EchoTime, own.FlipAngle = 3, 500.004, 10, 90

    def pet(position, own):
        own.ReconstructionMethod = "OSEM"

    own = acquisition(made.series(tmp_path / "a", modality="MR", change=mr), Dicom())
    assert [own[name] for name in COLUMNS[14:18]] == [3, 500, 10, 90]
    own = acquisition(made.series(tmp_path / "b", modality="PT", change=pet), Dicom())
    assert (own["modality"], own["pet_units"], own["pet_reconstruction"]) == ("PT", "GML", "OSEM")


def test_frames_of_one_file_tell_what_each_says(tmp_path):
    path = made.enhanced(tmp_path / "a.dcm", made.voxels(4), range(4), [1.0] * 4)
    own = pydicom.dcmread(path)
    own.SharedFunctionalGroupsSequence[0].CTXRayDetailsSequence = [made.item(KVP=100)]
    own.SharedFunctionalGroupsSequence[0].CTReconstructionSequence = [made.item(ConvolutionKernel="STANDARD")]
    for number, frame in enumerate(own.PerFrameFunctionalGroupsSequence):
        frame.CTExposureSequence = [made.item(XRayTubeCurrentInmA=200.0 + number)]
    own.ContrastBolusAgentSequence = [made.item(CodeMeaning="Iohexol")]
    own.save_as(path)
    told = acquisition(tmp_path, Dicom())
    assert (told["tube_voltage_kv"], told["tube_current_ma"], told["kernel"]) == (100, "200-203", "STANDARD")
    assert (told["slice_thickness_mm"], told["contrast_agent"]) == (3, "iohexol")


def test_the_chosen_series_is_told_also_out_of_a_zip(tmp_path):
    made.series(tmp_path / "a/1")
    made.series(tmp_path / "a/2", made.voxels(6), "MR", seed="b")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for path in (tmp_path / "a").rglob("IM*"):
            packed.write(path, path.relative_to(tmp_path))
    for path in (tmp_path / "a", tmp_path / "a.zip"):
        assert acquisition(path, Dicom(modality="MR"))["modality"] == "MR"


def test_a_volume_without_headers_has_no_row(tmp_path):
    path = toy.write(tmp_path / "a.nii.gz", np.ones((3, 3, 3), np.float32))
    assert acquisition(path, Dicom()) == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Omnipaque 350", "iohexol"),
        ("GADOVIST 7.5 ml i.v.", "gadobutrol"),
        ("Oral", "given"),
        (made.NAME, "given"),
        ("NO CONTRAST", "none"),
        ("nativ", "none"),
        ("w/o", "none"),
        ("Nonionic", "given"),
        ("  ", ""),
    ],
)
def test_of_what_people_type_only_known_names_are_told(text, name):
    assert told(text) == name
