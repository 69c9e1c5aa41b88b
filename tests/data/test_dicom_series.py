"""One series as an image: right, or refused by name; no message names a patient."""

import contextlib
import errno
import os
import shutil

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from fusion.data.dicom import unfit as dicom_unfit
from fusion.data.dicom.header import read_header
from fusion.data.dicom.series import digest, found, read_series
from fusion.data.image import Geometry, read_image
from fusion.errors import CohortError
from tests.data import dicom_made as made

EYE = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
OBLIQUE = (0.8, 0.6, 0.0, 0.0, 0.0, -1.0)


def refusal(source, choose=None) -> str:
    with pytest.raises(CohortError) as caught:
        read_series(source, choose)
    told = str(caught.value)
    assert not any(secret in told for secret in ("Mustermann", "Erika", "4711", "Haus", "1.2.826"))
    return told


@pytest.mark.parametrize("orientation", [made.AXIAL, OBLIQUE, (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)])
def test_a_series_is_its_nifti_twin(tmp_path, orientation):
    values = made.voxels()
    own = read_image(made.series(tmp_path / "a", values, orientation=orientation))
    twin = sitk.GetImageFromArray(values)
    twin.SetSpacing(made.SPACING[::-1])
    twin.SetOrigin(made.ORIGIN)
    twin.SetDirection(
        np.stack([orientation[:3], orientation[3:], np.cross(orientation[:3], orientation[3:])], 1).ravel()
    )
    sitk.WriteImage(twin, str(tmp_path / "a.nii"))
    other = read_image(tmp_path / "a.nii")
    assert own.geometry.difference(other.geometry, 1e-4, 1e-5) == []
    assert own.values.dtype == np.float32
    assert (own.values == other.values).all()


def test_every_slice_has_its_own_slope_and_intercept(tmp_path):
    def scaled(position, own):
        own.RescaleSlope, own.RescaleIntercept = position + 1.5, -position

    values = made.voxels()
    own = read_series(made.series(tmp_path, values, "PT", scaled))
    steps = np.arange(5)[:, None, None]
    assert own.values == pytest.approx(values * (steps + 1.5) - steps)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_byte_orders_hold_the_same_voxels(tmp_path, syntax):
    def swapped(position, own):
        if syntax == ExplicitVRBigEndian:
            own.PixelData = values[position].astype(">i2").tobytes()

    values = made.voxels()
    assert (read_series(made.series(tmp_path, values, change=swapped, syntax=syntax)).values == values).all()


def test_compression_holds_the_same_voxels(tmp_path):
    values = made.voxels()
    for path in made.series(tmp_path, values).iterdir():
        own = pydicom.dcmread(path)
        own.compress(RLELossless, generate_instance_uid=False)
        own.save_as(path)
    assert (read_series(tmp_path).values == values).all()


def test_frames_of_one_file_are_sorted_and_scaled_each(tmp_path):
    values, slopes = made.voxels(4), [1.0, 2.0, 0.5, 4.0]
    own = read_image(made.enhanced(tmp_path / "a.dcm", values, [2, 0, 3, 1], slopes))
    assert own.geometry.difference(Geometry(values.shape, made.SPACING, made.ORIGIN, EYE), 1e-4, 1e-5) == []
    assert own.values == pytest.approx(values * np.array(slopes)[:, None, None] - 10)


def test_an_enhanced_file_with_one_position_twice_is_refused(tmp_path):
    made.enhanced(tmp_path / "a.dcm", made.voxels(3), [0, 1, 1], [1.0] * 3)
    assert "several images at one position" in refusal(tmp_path)


def test_one_file_names_its_series_in_a_folder_of_several(tmp_path):
    made.series(tmp_path / "x", made.voxels(seed=1), seed="a")
    made.series(tmp_path / "x" / "deeper", made.voxels(6, seed=2), "MR", _set(SeriesNumber=4), seed="b")
    chosen = read_image(next((tmp_path / "x" / "deeper").iterdir()))
    assert (chosen.values == made.voxels(6, seed=2)).all()
    told = refusal(tmp_path / "x")
    assert "2 image series (1: CT, 5 slices of 12 x 16 pixels, voxels of 3 x 0.5 x 0.8 mm; 2: MR, 6" in told
    assert (read_series(tmp_path / "x", 2).values == chosen.values).all()
    assert (read_series(tmp_path / "x", found(tmp_path / "x")[0].uid).values == made.voxels(seed=1)).all()
    assert "no image series of that choice" in refusal(tmp_path / "x", 3)


def test_what_lies_beside_a_series_is_left_out_or_named(tmp_path):
    made.series(tmp_path)
    for name in ("DICOMDIR", "README.TXT", "mask.nii.gz", "._IM1", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"no DICOM")
    assert read_series(tmp_path).values.shape == (5, 12, 16)
    (tmp_path / "IM9").write_bytes(b"no DICOM")
    (tmp_path / "empty.dcm").touch()
    assert "2 files that are no readable DICOM, first this one" in refusal(tmp_path)


def test_a_series_without_identifiers_in_its_listing(tmp_path):
    own = found(made.series(tmp_path))
    assert [one.told for one in own] == ["CT, 5 slices of 12 x 16 pixels, voxels of 3 x 0.5 x 0.8 mm"]
    assert "1.2.826" not in repr(own)
    assert "Mustermann" not in repr(own)


def _set(only=None, **tags):
    """Sets tags of every slice, or of one."""

    def change(position, own):
        for name, value in tags.items():
            if only is None or only == position:
                setattr(own, name, value)

    return change


def _drop(name):
    return lambda position, own: delattr(own, name) if position == 1 else None


def _tilt(position, own):
    own.ImagePositionPatient = [-10, 20 + position, 100 + position * 3]


def _jog(position, own):
    own.ImagePositionPatient = [-10 + (position == 2), 20, 100 + position * 3]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set(2, ImagePositionPatient=[-10, 20, 99]), "steps between slices from"),
        (_set(4, ImagePositionPatient=[-10, 20, 115]), "1 slice missing"),
        (_set(2, ImagePositionPatient=[-10, 20, 103]), "several images at one position"),
        (_set(2, ImageOrientationPatient=[0, 1, 0, -1, 0, 0]), "several orientations"),
        (_set(2, PixelSpacing=[0.5, 0.9]), "several pixel sizes"),
        (_set(2, FrameOfReferenceUID="1.2.3"), "several frames of reference"),
        (_set(2, PatientID="4712"), "several patients"),
        (_set(2, StudyInstanceUID="1.2.3"), "several studies"),
        (_set(2, SOPClassUID=made.CLASSES["MR"]), "several kinds of images"),
        (_set(SOPInstanceUID="1.2.3"), "copies of each other"),
        (_set(GantryDetectorTilt=12), "a gantry tilt of 12 degrees"),
        (_jog, "slices shifted sideways by up to 1 mm"),
        (_set(0, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]), "a localizer in 1 of 5 files"),
        (_set(PhotometricInterpretation="RGB", SamplesPerPixel=3), "a picture in colours (3 channels)"),
        (_set(PhotometricInterpretation="MONOCHROME1"), "inverted grey values"),
        (_drop("PixelData"), "pixels that cannot be read (there are none) in 1 of 5 files"),
        (_drop("ImagePositionPatient"), "no position (ImagePositionPatient)"),
        (_drop("ImageOrientationPatient"), "no orientation"),
        (_drop("PixelSpacing"), "no pixel size"),
        (_drop("RescaleSlope"), "no slope and intercept"),
        (_set(RescaleSlope=0), "a slope of 0"),
        (_set(RescaleSlope="1e39"), "NaN or infinite after slope and intercept"),
        (_set(RescaleType="MGML"), "CT in other units"),
        (_set(ImagePositionPatient=["1e300", "0", "0"]), "no position"),
        (_set(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]), "no orientation"),
        (_set(PixelSpacing=[0, 0.8]), "no pixel size"),
        (_set(PixelSpacing=["1e9", "0.8"]), "no pixel size"),
        (_set(Rows=65535, Columns=65535), "a file that is cut off: it is smaller than its picture in 5 of 5"),
        (_set(BitsStored=12), "16 bits a pixel, of which 12 are used up to bit 15"),
        (_set(NumberOfFrames=7), "7 frames and the places of 1"),
    ],
)  # fmt: skip
def test_what_makes_no_volume_is_refused_by_name(tmp_path, change, reason):
    assert reason in refusal(made.series(tmp_path, change=change))


def test_all_faults_are_told_at_once(tmp_path):
    def spoil(position, own):
        own.ImageType = ["DERIVED", "PRIMARY", "LOCALIZER"]
        own.PixelSpacing = [0.5, 0.5 + position]
        own.RescaleType = "PCT"

    told = refusal(made.series(tmp_path, change=spoil))
    assert all(one in told for one in ("localizer", "several pixel sizes", "other units"))


def test_a_share_of_something_is_no_uptake_value(tmp_path):
    assert "PT in other units" in refusal(made.series(tmp_path, modality="PT", change=_set(Units="PROPCPS")))


def test_mr_without_slope_is_as_stored(tmp_path):
    values = made.voxels()
    assert (read_series(made.series(tmp_path, values, "MR")).values == values).all()


def test_a_slice_alone_is_refused(tmp_path):
    assert "a single slice" in refusal(made.series(tmp_path, made.voxels(1)))


def test_colours_in_secondary_captures_are_no_series(tmp_path):
    made.series(tmp_path, change=_set(SOPClassUID="1.2.840.10008.5.1.4.1.1.7"))
    assert "no CT, MR or PET series (1: secondary captures, 5 slices" in refusal(tmp_path)


def test_headers_that_promise_too_much_allocate_nothing(tmp_path, monkeypatch):
    folder = made.series(tmp_path / "a")
    for path in folder.iterdir():
        own = pydicom.dcmread(path)
        own.compress(RLELossless, generate_instance_uid=False)
        own.Rows = own.Columns = 65535
        own.save_as(path)
    assert "headers that promise 2.15e+10 voxels" in refusal(folder)
    monkeypatch.setattr(dicom_unfit, "MOST_VOXELS", 900)
    assert "promise 960 voxels" in refusal(made.series(tmp_path / "b"))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.99])
def test_a_file_that_is_cut_off_is_refused(tmp_path, share):
    made.series(tmp_path)
    path = sorted(tmp_path.iterdir())[2]
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refusal(tmp_path)


def test_pixels_beyond_the_picture_are_refused(tmp_path):
    def longer(position, own):
        own.PixelData += b"\0" * 64

    assert "448 of 384 bytes" in refusal(made.series(tmp_path, change=longer))


def test_deflated_files_are_refused_before_they_unpack(tmp_path):
    made.series(tmp_path)
    path = next(tmp_path.iterdir())
    own = pydicom.dcmread(path)
    own.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    own.save_as(path)
    assert "deflated" in refusal(tmp_path)


def test_damaged_files_are_refused_or_read_and_never_break(tmp_path):
    rng = np.random.default_rng(0)
    made.series(tmp_path / "a")
    for _ in range(30):
        folder = tmp_path / "b"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "a", folder)
        path = sorted(folder.iterdir())[0]
        content = bytearray(path.read_bytes())
        for place in rng.integers(0, len(content) - 384, 8):
            content[place] = rng.integers(256)
        path.write_bytes(bytes(content[: rng.integers(1, 2 * len(content))]))
        with contextlib.suppress(CohortError):
            assert read_series(folder).values.shape == (5, 12, 16)


def test_a_digest_is_that_of_the_series_in_any_order_and_under_any_name(tmp_path):
    made.series(tmp_path / "a")
    whole = digest(tmp_path / "a")
    assert digest(next((tmp_path / "a").iterdir())) == whole
    for path in list((tmp_path / "a").iterdir()):
        path.rename(tmp_path / "a" / f"{path.name[::-1]}.dcm")
    assert digest(tmp_path / "a") == whole
    made.series(tmp_path / "a", made.voxels(seed=3))
    assert digest(tmp_path / "a") != whole


def test_a_drive_that_does_not_answer_is_not_called_a_broken_file(tmp_path, monkeypatch):
    def gone(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = next(made.series(tmp_path).iterdir())
    monkeypatch.setattr("mmap.mmap", gone)
    with pytest.raises(OSError, match="Input/output error"):
        read_header(path)
