import re
import tarfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image

from fusion.config.cohort import Cohort
from fusion.config.tasks import Sequence, Task
from fusion.data.slice import read_scan
from fusion.data.study import Scan
from fusion.errors import CohortError

COHORT = Cohort(
    table=Path("t.csv"),
    sequences={"T2": Sequence(column="t2", mask="mask")},
    tasks={"t": Task(classes={"a": (0,), "b": (1,)}, positive="b")},
)
REAL = Path(__file__).parents[3] / "shared" / "data" / "dicom_edge_cases" / "dicom_edge_cases.tar.gz"
DEEP = np.random.default_rng(0).integers(0, 65536, (24, 30), dtype=np.uint16)
GREY = (DEEP >> 8).astype(np.uint8)
TUMOUR = np.zeros((24, 30), np.uint8)
TUMOUR[5:12, 8:20] = 255


def read(image: Path, mask: Path | None = None, cohort=COHORT):
    return read_scan(Scan("T2", image, mask), cohort.sequences["T2"], cohort, "c1")


def refused(image: Path, mask: Path | None = None) -> list[str]:
    with pytest.raises(CohortError) as error:
        read(image, mask)
    told = [str(fault) for fault in error.value.faults]
    assert all(one.startswith("case c1: ") for one in told)
    return told


def saved(folder, picture, name="a.png", **more) -> Path:
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(folder / name, **more)
    return folder / name


def volume(folder, values, name="v.nii.gz", spacing=(0.5, 0.7, 3.0)) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(folder / name))
    return folder / name


def in_colours(grey: np.ndarray, tint: int = 0) -> np.ndarray:
    return np.stack([grey, grey, np.clip(grey.astype(int) + tint, 0, 255).astype(np.uint8)], axis=-1)


def dicom(folder, stored=DEEP, **fields) -> Path:
    header = pydicom.Dataset()
    header.file_meta = pydicom.dataset.FileMetaDataset()
    header.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID = pydicom.uid.MRImageStorage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID = "1.2.3"
    header.Rows, header.Columns = stored.shape
    header.BitsAllocated = header.BitsStored = stored.itemsize * 8
    header.HighBit, header.PixelRepresentation, header.SamplesPerPixel = header.BitsStored - 1, 0, 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.PixelData = stored.tobytes()
    for name, value in fields.items():
        setattr(header, name, value)
    header.save_as(folder / "a.dcm", enforce_file_format=True)
    return folder / "a.dcm"


@pytest.mark.parametrize("picture", [GREY, in_colours(GREY)], ids=["8 bits", "24 bits"])
def test_an_8_bit_png_is_read_as_it_is(tmp_path, picture):
    found = read(saved(tmp_path, picture), saved(tmp_path, TUMOUR, "m.png"))
    assert (found.bits, found.pixel_mm) == (8, None)
    np.testing.assert_array_equal(found.values, GREY)
    np.testing.assert_array_equal(found.mask, TUMOUR > 0)


def test_16_bits_are_never_cut_to_8(tmp_path):
    found = read(saved(tmp_path, DEEP))
    assert found.bits == 16
    np.testing.assert_array_equal(found.values, DEEP)
    sitk.WriteImage(sitk.GetImageFromArray(np.stack([DEEP] * 3, axis=-1), isVector=True), str(tmp_path / "rgb.png"))
    found = read(tmp_path / "rgb.png")
    assert found.bits == 16
    np.testing.assert_array_equal(found.values, DEEP)


@pytest.mark.parametrize("picture", [GREY, in_colours(GREY)], ids=["8 bits", "24 bits"])
def test_a_jpeg_is_read_within_its_own_loss(tmp_path, picture):
    path = saved(tmp_path, picture, "a.jpg", quality=90)
    found = read(path)
    np.testing.assert_allclose(found.values, np.asarray(Image.open(path).convert("L")), atol=1)


def test_an_opaque_alpha_and_a_grey_palette_are_taken(tmp_path):
    opaque = np.dstack([in_colours(GREY), np.full_like(GREY, 255)])
    np.testing.assert_array_equal(read(saved(tmp_path, opaque)).values, GREY)
    palette = Image.fromarray(GREY)
    palette.putpalette(np.repeat(np.arange(255, -1, -1, dtype=np.uint8), 3).tobytes())
    np.testing.assert_array_equal(read(saved(tmp_path, palette)).values, 255 - GREY)


def coloured_palette() -> Image.Image:
    palette = Image.fromarray(GREY)
    palette.putpalette(np.random.default_rng(1).integers(0, 256, 768, dtype=np.uint8).tobytes())
    return palette


BAD = {
    "two channels with alpha": (np.dstack([GREY, GREY]), "a.png", {}, "a transparent picture"),
    "cmyk": (Image.fromarray(in_colours(GREY)).convert("CMYK"), "a.jpg", {}, r"4 channels \(CMYK\)"),
    "transparent": (np.dstack([in_colours(GREY), np.full_like(GREY, 254)]), "a.png", {}, "a transparent picture"),
    "one transparent grey value": (GREY, "a.png", {"transparency": int(GREY[0, 0])}, "a transparent picture"),
    "one transparent deep value": (DEEP, "a.png", {"transparency": int(DEEP[0, 0])}, "a transparent picture"),
    "colours": (in_colours(GREY, 40), "a.png", {}, r"a colour picture \(channels differ by up to 40 of 255\)"),
    "a photograph": (in_colours(np.full_like(GREY, 90), 80), "a.jpg", {}, "a colour picture"),
    "a coloured palette": (coloured_palette(), "a.png", {}, "a colour picture"),
    "one pixel": (GREY[:1, :1], "a.png", {}, r"a slice of 1 x 1 pixels .*expected 16 x 16 at least"),
    "15 rows": (GREY[:15], "a.png", {}, "a slice of 15 x 30 pixels"),
    "constant": (np.full_like(GREY, 7), "a.png", {}, r"one grey value in every pixel \(7\)"),
    "one bit": (Image.fromarray(TUMOUR).convert("1"), "a.png", {}, "1 bit a pixel"),
    "animated": (
        GREY, "a.png", {"save_all": True, "append_images": [Image.fromarray(255 - GREY)]}, "2 pictures in one file"),
    "a tiff": (GREY, "a.tiff", {}, "an unknown format"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_picture_that_is_no_grey_slice_is_one_message(tmp_path, name):
    picture, file, more, message = BAD[name]
    (only,) = refused(saved(tmp_path, picture, file, **more))
    assert re.search(message, only)
    assert f"{tmp_path / file}: found" in only


def test_chroma_noise_of_a_jpeg_is_tolerated(tmp_path):
    np.testing.assert_allclose(read(saved(tmp_path, in_colours(GREY, 8))).values, GREY, atol=3)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.dcm", "v.nii.gz"])
def test_a_cut_off_file_is_one_message(tmp_path, name):
    path = {
        "a.png": lambda: saved(tmp_path, DEEP), "a.jpg": lambda: saved(tmp_path, GREY, "a.jpg"),
        "a.dcm": lambda: dicom(tmp_path), "v.nii.gz": lambda: volume(tmp_path, DEEP[None]),
    }[name]()  # fmt: skip
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    (only,) = refused(path)
    assert "unreadable file" in only or "cannot be decoded" in only


def test_a_missing_file_and_a_foreign_one_are_messages(tmp_path):
    assert "no such file" in refused(tmp_path / "none.png")[0]
    for name in ("a.png", "a.dcm", "IM0001"):
        (tmp_path / name).write_text("this is no picture" * 20)
        assert "unreadable" in refused(tmp_path / name)[0]


def test_faults_of_image_and_mask_come_together(tmp_path):
    told = refused(saved(tmp_path, np.full_like(GREY, 7)), saved(tmp_path, TUMOUR * 0, "m.png"))
    assert len(told) == 2
    assert "an empty mask" in told[1]


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (TUMOUR[:-1], "a mask of 23 x 30 pixels; expected 24 x 30"),
        (TUMOUR * 0, "an empty mask"),
        (TUMOUR * 0 + 255, "tumour everywhere"),
        (GREY, "different values beside 0"),
        ((TUMOUR > 0) * np.arange(2, 32, dtype=np.uint8).clip(12, 13), "2 different values beside 0"),
    ],
)
def test_a_mask_that_does_not_fit_is_one_message(tmp_path, mask, message):
    (only,) = refused(saved(tmp_path, GREY), saved(tmp_path, mask, "m.png"))
    assert message in only


def test_a_jpeg_mask_is_refused(tmp_path):
    assert "a JPEG mask" in refused(saved(tmp_path, GREY), saved(tmp_path, TUMOUR, "m.jpg"))[0]


def test_of_several_labels_the_tumours_is_taken(tmp_path):
    labels = np.where(TUMOUR > 0, 1, 2).astype(np.uint8)
    labels[0] = 0
    found = read(saved(tmp_path, GREY), saved(tmp_path, labels, "m.png"))
    np.testing.assert_array_equal(found.mask, TUMOUR > 0)


def test_a_volume_gives_its_slice_of_largest_tumour_area_the_first_of_equals(tmp_path):
    values = np.stack([DEEP + n for n in range(4)]).astype(np.float32)
    masks = np.stack([TUMOUR * 0, TUMOUR > 0, TUMOUR > 0, TUMOUR * 0]).astype(np.uint8)
    masks[0, 5, 5] = 1
    found = read(volume(tmp_path, values), volume(tmp_path, masks, "m.nii.gz"))
    np.testing.assert_array_equal(found.values, values[1])
    np.testing.assert_array_equal(found.mask, TUMOUR > 0)
    assert found.pixel_mm == pytest.approx((0.7, 0.5))


def test_a_volume_needs_a_mask_unless_it_has_one_slice(tmp_path):
    assert read(volume(tmp_path, DEEP[None])).values.shape == (24, 30)
    assert "a volume of 3 slices" in refused(volume(tmp_path, np.stack([DEEP] * 3)))[0]


def test_masks_of_volumes_lie_on_their_grid_and_have_the_label(tmp_path):
    image, mask = volume(tmp_path, DEEP[None]), (TUMOUR[None] > 0).astype(np.uint8)
    assert "another grid" in refused(image, volume(tmp_path, mask, "m.nrrd", (0.5, 0.6, 3.0)))[0]
    assert "no voxel with label 1 (labels: 0, 2)" in refused(image, volume(tmp_path, mask * 2, "m.mha"))[0]


def test_voxels_that_are_no_numbers_are_a_message(tmp_path):
    values = DEEP[None].astype(np.float32)
    values[0, 3, 3] = np.nan
    assert "NaN or infinite" in refused(volume(tmp_path, values))[0]


def test_a_dicom_slice_is_rescaled_and_has_its_pixel_size(tmp_path):
    found = read(dicom(tmp_path, RescaleSlope=2, RescaleIntercept=-5, PixelSpacing=[0.4, 0.6]))
    np.testing.assert_array_equal(found.values, DEEP.astype(np.float32) * 2 - 5)
    assert (found.pixel_mm, found.bits) == ((0.4, 0.6), 16)


def test_monochrome1_is_turned_so_that_high_is_bright(tmp_path):
    found = read(dicom(tmp_path, PhotometricInterpretation="MONOCHROME1", RescaleSlope=2, RescaleIntercept=-5))
    np.testing.assert_array_equal(found.values, (65535 - DEEP.astype(np.float32)) * 2 - 5)


def test_an_8_bit_dicom_is_an_8_bit_picture_unless_it_is_rescaled(tmp_path):
    assert read(dicom(tmp_path, GREY)).bits == 8
    assert read(dicom(tmp_path, GREY, RescaleSlope=0.5, RescaleIntercept=0)).bits == 16


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Path:
    if not REAL.is_file():
        pytest.skip("no ../shared with real DICOM edge cases")
    folder = tmp_path_factory.mktemp("dicom")
    with tarfile.open(REAL) as archive:
        wanted = [
            own for own in archive.getmembers() if own.name.startswith(("dicom2nifti/g", "dicom2nifti/ph", "rt-"))
        ]
        archive.extractall(folder, wanted, filter="data")
    return folder


def test_real_compressed_slices_are_all_the_same_picture(real):
    kinds = ("compressed", "compressed_j2k", "compressed_jpeg", "compressed_jpegls", "compressed_rle")
    found = [read(real / f"dicom2nifti/generic/{kind}/001/IM-0001-0001-0001.dcm").values for kind in kinds]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_real_pixels_that_are_no_squares_keep_their_axes(real):
    assert read(real / "rt-utils/tests/one_slice_data/0.dcm").pixel_mm == (3.5, 2.5)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("dicom2nifti/philips_enhanced/anatomical/001/IM-0001-0170-0001.dcm", "a DICOM file of 8 frames"),
        ("dicom2nifti/generic/rgb/001/IM-0001-0001-0001.dcm", "a DICOM picture in colours (RGB, 3 channels)"),
        ("rt-utils/tests/mock_data/rt.dcm", "a DICOM file without a picture (RT Structure Set Storage)"),
    ],
)
def test_real_files_that_are_no_grey_slice_are_one_message(real, file, message):
    (only,) = refused(real / file)
    assert message in only
