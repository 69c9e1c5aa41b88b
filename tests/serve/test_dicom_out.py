"""An answer as DICOM SEG and SR: read back equal, filed under the patient, refused for any other image."""

import logging

import highdicom as hd
import numpy as np
import pydicom
import pytest

from fusion.config.cohort import Cohort
from fusion.config.dicom import Dicom
from fusion.data.case import Files, load
from fusion.data.image import read_image, write_mask
from fusion.errors import CohortError
from fusion.serve.answer import Answer, ModelAnswer
from fusion.serve.dicom_out import report, segmentation
from fusion.serve.told import Told
from tests import toy
from tests.data import dicom_made as made

DIGEST = "0123456789abcdef" * 4
NUMBERS = {"Probability of malignant": 0.73, "Probability of benign": 0.27, "Threshold of probability": 0.41,
           "Low end of 95 % interval, malignant": 0.5, "High end of 95 % interval, malignant": 0.9}  # fmt: skip


def answer() -> Answer:
    probabilities = {"malignant": 0.73, "benign": 0.27}
    both = [
        ModelAnswer(model=name, probabilities=probabilities, positive="malignant", probability=0.73, threshold=0.41,
                    threshold_rule="largest Youden index, 0.5 ≤ sensitivity", label="malignant",
                    set=("malignant", "benign"), refer=True, interval=(0.5, 0.9))
        for name in ("Clinical", "Combined")
    ]  # fmt: skip
    return Answer(case="a", model="Combined", probability=0.73, threshold=0.41, label="malignant", contributions=(),
                  warnings=("spacing 3 mm ± 1 is unlike the training cases",), set=("malignant", "benign"), refer=True,
                  answers=tuple(both), not_answered={}, bundle=f"demo {DIGEST}")  # fmt: skip


def told(image) -> Told:
    mask = np.zeros((5, 12, 16), bool)
    mask[1:4, 3:9, 4:11] = True
    ring = np.roll(mask, 2, axis=2) & ~mask
    path = made.segmentation(image.parent / f"{image.name}_mask.dcm", {"Tumour": mask})
    case = load(Files("a", image, path), Cohort(table=image / "table.csv"), False)
    return Told(answer(), case=case, external2=ring)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return made.series(tmp_path_factory.mktemp("out") / "image")


@pytest.fixture(scope="module")
def own(image):
    return told(image)


def test_the_segmentation_is_the_ring_and_the_tumour_voxel_for_voxel(image, own, tmp_path):
    path = segmentation(own, image, tmp_path / "seg.dcm")
    back = load(Files("a", image, path, path), Cohort(table=image / "table.csv"), False)
    assert (back.tumour == own.case.tumour).all()
    assert (back.external2 == own.external2).all()
    other = hd.seg.segread(path).get_volume(combine_segments=False)
    placed = other.match_geometry(hd.Volume(own.case.image, _affine(own), "PATIENT")).array
    assert (placed[..., 0] == own.external2).all()
    assert (placed[..., 1] == own.case.tumour).all()


def _affine(own: Told) -> np.ndarray:
    """From indices (z, y, x) to mm."""
    axes = np.reshape(own.case.geometry.direction, (3, 3))[:, ::-1] * own.case.geometry.spacing_mm
    return np.block([[axes, np.reshape(own.case.geometry.origin_mm, (3, 1))], [np.zeros((1, 3)), np.ones((1, 1))]])


def mended(folder, change, dicom):
    """An answer of a series that is not read as it was scanned."""
    series = made.series(folder / "image", change=change)
    image = read_image(series, dicom)
    tumour = np.zeros(image.values.shape, bool)
    tumour[1:4, 3:9, 4:11] = True
    write_mask(folder / "mask.nii.gz", tumour, image.geometry)
    cohort = Cohort(table=folder / "table.csv", dicom=dicom)
    case = load(Files("a", series, folder / "mask.nii.gz"), cohort, False)
    return Told(answer(), case=case, external2=np.roll(tumour, 2, axis=2) & ~tumour), series


def aslant(position, own):
    own.ImagePositionPatient = [-10, 20 + position, 100 + position * 3]


def gap(position, own):
    own.ImagePositionPatient = [-10, 20, 100 + 3 * position + 3 * (position > 2)]


def own_studies(position, own):
    own.StudyInstanceUID = f"1.2.{position + 1}"


@pytest.mark.parametrize(
    ("change", "dicom", "reason"),
    [
        (aslant, Dicom(), "made even and upright when it was read"),
        (gap, Dicom(missing_slices="interpolate"), "made even and upright when it was read"),
        (own_studies, Dicom(), "several studies"),
    ],
)
def test_masks_of_an_image_that_was_mended_do_not_go_to_its_slices(tmp_path, change, dicom, reason):
    own, series = mended(tmp_path, change, dicom)
    for write in (segmentation, report):
        with pytest.raises(CohortError) as caught:
            write(own, series, tmp_path / "out.dcm", dicom)
        assert reason in str(caught.value)
        assert "leave DICOM output out" in str(caught.value)
    assert not (tmp_path / "out.dcm").exists()


def test_the_segmentation_says_what_it_is_and_refers_to_its_series(image, own, tmp_path):
    written = pydicom.dcmread(segmentation(own, image, tmp_path / "seg.dcm"))
    first = pydicom.dcmread(next(image.iterdir()))
    assert [one.SegmentLabel for one in written.SegmentSequence] == ["External2", "Tumour"]
    assert [one.SegmentAlgorithmType for one in written.SegmentSequence] == ["AUTOMATIC", "MANUAL"]
    kinds = [one.SegmentedPropertyTypeCodeSequence[0] for one in written.SegmentSequence]
    assert [(kind.CodeValue, kind.CodingSchemeDesignator) for kind in kinds] == [
        ("85756007", "SCT"),
        ("108369006", "SCT"),
    ]
    assert "Peritumoural" in written.SegmentSequence[0].SegmentDescription
    assert "research use only" in written.ContentDescription
    assert written.DeviceSerialNumber == DIGEST
    assert written.ReferencedSeriesSequence[0].SeriesInstanceUID == first.SeriesInstanceUID
    assert len(written.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 5
    for name in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID", "StudyDate"):
        assert written[name].value == first[name].value
    assert written.SeriesInstanceUID != first.SeriesInstanceUID


@pytest.mark.parametrize("write", [segmentation, report])
def test_every_object_has_what_the_standard_requires(image, own, tmp_path, write):
    written = pydicom.dcmread(write(own, image, tmp_path / "a.dcm"))
    filled = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber",
              "InstanceNumber", "Manufacturer", "ContentDate", "ContentTime"]  # fmt: skip
    there = ["PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
             "AccessionNumber", "ReferringPhysicianName"]  # fmt: skip
    assert all(written.get(name) not in (None, "") for name in filled)
    assert all(name in written for name in there)
    assert written.file_meta.MediaStorageSOPInstanceUID == written.SOPInstanceUID
    assert written.SpecificCharacterSet == "ISO_IR 192"
    values = [element for element in written.iterall() if element.VR in ("SH", "LO", "CS")]
    most = {"SH": 16, "LO": 64, "CS": 16}
    assert all(len(str(one)) <= most[element.VR] for element in values for one in _many(element.value))


def _many(value):
    return value if isinstance(value, pydicom.multival.MultiValue) else [value or ""]


def test_the_report_tells_every_model_the_headline_first(image, own, tmp_path):
    read = hd.sr.srread(report(own, image, tmp_path / "sr.dcm"))
    groups = read.content.get_image_measurement_groups()
    assert [group.tracking_identifier for group in groups] == ["Combined", "Clinical"]
    assert {one.name.meaning: one.value for one in groups[0].get_measurements()} == pytest.approx(NUMBERS)
    calls = [(one.name.meaning, one.value.meaning) for one in groups[0].get_qualitative_evaluations()]
    assert calls == [("Class called", "malignant"), ("Class that cannot be left out", "malignant"),
                     ("Class that cannot be left out", "benign"), ("To be decided by a human", "Yes"),
                     ("Use", "research use only")]  # fmt: skip
    words = [element.value for element in read.iterall() if element.keyword == "TextValue"]
    assert f"bundle: demo {DIGEST}" in words
    assert "threshold: largest Youden index, 0.5 ≤ sensitivity" in words
    assert "spacing 3 mm ± 1 is unlike the training cases" in words
    assert (read.VerificationFlag, read.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    assert read.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0].SeriesInstanceUID


def test_names_beyond_ascii_reach_the_patient_and_nothing_else(tmp_path, caplog, capfd):
    def named(position, written):
        written.SpecificCharacterSet, written.PatientName = "ISO_IR 100", "Müller^Jürgen"
        written.PatientID = "4711-Müller-a-number-that-is-rather-long"

    folder = made.series(tmp_path / "image", change=named)
    own = told(folder)
    with caplog.at_level(logging.DEBUG):
        written = [
            pydicom.dcmread(write(own, folder, tmp_path / f"{write.__name__}.dcm")) for write in (segmentation, report)
        ]
    assert [str(one.PatientName) for one in written] == ["Müller^Jürgen"] * 2
    assert "Müller" not in caplog.text + "".join(capfd.readouterr())


def test_a_multi_frame_series_is_referred_to_frame_by_frame(tmp_path):
    folder = tmp_path / "image"
    folder.mkdir()
    made.enhanced(folder / "a.dcm", made.voxels(), [2, 0, 4, 3, 1], [1.0] * 5)
    own = told(folder)
    path = segmentation(own, folder, tmp_path / "seg.dcm")
    back = load(Files("a", folder, path, path), Cohort(table=folder / "table.csv"), False)
    assert (back.external2 == own.external2).all()
    assert (back.tumour == own.case.tumour).all()


@pytest.mark.parametrize("write", [segmentation, report])
def test_what_cannot_be_referred_to_is_refused(image, own, tmp_path, write):
    plain = toy.write(tmp_path / "a.nii", made.voxels())
    with pytest.raises(CohortError, match="no DICOM series, to which DICOM output could refer"):
        write(own, plain, tmp_path / "a.dcm")
    other = made.series(tmp_path / "other", made.voxels(seed=5))
    with pytest.raises(CohortError, match="another series than was answered"):
        write(own, other, tmp_path / "a.dcm")
    moved = made.series(tmp_path / "moved", origin=(0.0, 0.0, 0.0))
    with pytest.raises(CohortError, match="another series than was answered: origin mm"):
        write(own, moved, tmp_path / "a.dcm")
    with pytest.raises(CohortError, match="DICOM output asked for slices"):
        write(Told(answer()), image, tmp_path / "a.dcm")
    assert not (tmp_path / "a.dcm").exists()
