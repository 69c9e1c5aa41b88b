"""Numbers in pixels as scanners store them: unused bits, overlays, padding, stacks; never wrong in silence."""

import numpy as np
import pydicom
import pytest

from fusion.data.image import read_image
from fusion.errors import CohortError
from tests.data import dicom_made as made


def stored(folder, pixels, signed=True, change=None, **tags):
    """A series of these numbers as they are, whatever the header says of them."""

    def as_they_are(position, own):
        own.PixelRepresentation = int(signed)
        own.PixelData = pixels[position].astype("<i2" if signed else "<u2").tobytes()
        for name, value in tags.items():
            setattr(own, name, value)
        if change is not None:
            change(position, own)

    return made.series(folder, made.voxels(len(pixels)), change=as_they_are)


def refusal(folder) -> str:
    with pytest.raises(CohortError) as caught:
        read_image(folder)
    return str(caught.value)


@pytest.fixture
def twelve():
    """Numbers of 12 bits, signed."""
    return np.random.default_rng(0).integers(-2048, 2048, (5, 12, 16))


def test_twelve_signed_bits_with_their_sign_are_read(tmp_path, twelve):
    own = read_image(stored(tmp_path, twelve, BitsStored=12, HighBit=11))
    assert (own.values == twelve).all()


def test_an_overlay_in_the_high_bits_is_no_tissue(tmp_path, twelve):
    unsigned, drawing = np.abs(twelve), np.zeros((5, 12, 16), int)
    drawing[:, 3:6, 2:9] = 1 << 12

    def overlay(position, own):
        own.add_new((0x6000, 0x0100), "US", 16)
        own.add_new((0x6000, 0x0102), "US", 12)

    own = read_image(stored(tmp_path / "a", unsigned | drawing, False, overlay, BitsStored=12, HighBit=11))
    assert (own.values == unsigned).all()
    told = refusal(stored(tmp_path / "b", unsigned | drawing, False, BitsStored=12, HighBit=11))
    assert "numbers beyond the 12 bits that the header says are used" in told


def test_signed_numbers_without_their_sign_are_refused_as_nobody_knows_what_they_are(tmp_path, twelve):
    told = refusal(stored(tmp_path, twelve & 0x0FFF, BitsStored=12, HighBit=11))
    assert "numbers beyond the 12 bits" in told


def test_padding_beyond_the_bits_is_refused_where_it_would_become_tissue(tmp_path, twelve):
    unsigned = np.abs(twelve)
    unsigned[:, :2] = 2**16 - 2000  # of which 12 bits are 2096, bone
    told = refusal(stored(tmp_path, unsigned, False, BitsStored=12, HighBit=11))
    assert "numbers beyond the 12 bits" in told


def test_numbers_above_the_high_bit_s_place_are_refused(tmp_path, twelve):
    assert "used up to bit 15" in refusal(stored(tmp_path, twelve << 4, BitsStored=12, HighBit=15))


@pytest.mark.parametrize("intercept", [0, -1024])
def test_padding_stays_and_is_told(tmp_path, intercept):
    """As of GE: far below every tissue, so that a ring's range of HU leaves it out."""
    pixels = made.voxels()
    pixels[:, :3] = -2000
    tags = {"PixelPaddingValue": -2000, "RescaleIntercept": intercept}
    own = read_image(stored(tmp_path, pixels, change=lambda _, one: [one.add_new(*_tag(*tag)) for tag in tags.items()]))
    assert (own.values == pixels + intercept).all()
    assert own.notes == (f"25.0% of the voxels outside the scanner's field (padding, {-2000 + intercept})",)


def test_padding_may_be_a_range_and_need_not_occur(tmp_path):
    pixels = np.clip(made.voxels(), -900, None)
    pixels[0, :6] = np.linspace(-3000, -2000, 6)[:, None]
    ends = [("PixelPaddingValue", -3000), ("PixelPaddingRangeLimit", -2000)]
    add = [lambda _, one, of=of: [one.add_new(*_tag(*tag)) for tag in of] for of in (ends, [("PixelPaddingValue", 99)])]
    told = read_image(stored(tmp_path / "a", pixels, change=add[0])).notes
    assert told == ("10.0% of the voxels outside the scanner's field (padding, -3000)",)
    pixels[pixels == 99] = 98
    assert read_image(stored(tmp_path / "b", pixels, change=add[1])).notes == ()


def _tag(name, value):
    return (name, "SS" if name.startswith("Pixel") else "DS", value)


@pytest.mark.parametrize(
    ("image_type", "reason"),
    [
        (["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"], "a mosaic of many slices in one picture in 5 of 5 files"),
        (["DERIVED", "SECONDARY", "AXIAL", "MIP"], "a projection through many slices"),
        (["DERIVED", "SECONDARY", "PROJECTION IMAGE"], "a projection through many slices"),
    ],
)
def test_pictures_that_are_no_slices_are_refused(tmp_path, image_type, reason):
    assert reason in refusal(made.series(tmp_path, change=_set(ImageType=image_type)))


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_inverted_grey_values_are_refused_as_writers_differ_on_what_is_inverted(tmp_path, modality):
    folder = made.series(tmp_path, modality=modality, change=_set(PhotometricInterpretation="MONOCHROME1"))
    assert "inverted grey values (MONOCHROME1)" in refusal(folder)


def test_a_table_of_grey_values_is_refused(tmp_path):
    assert "behind a lookup table" in refusal(made.series(tmp_path, change=_set(ModalityLUTSequence=[made.item()])))


def test_loss_in_compression_is_told(tmp_path):
    own = read_image(made.series(tmp_path, change=_set(LossyImageCompression="01")))
    assert own.notes == ("compressed with loss in 5 of 5 slices",)


def test_fewer_slices_than_the_header_speaks_of_are_told(tmp_path):
    own = read_image(made.series(tmp_path / "a", modality="PT", change=_set(NumberOfSlices=7)))
    assert own.notes == ("5 slices, where the headers speak of 7: perhaps not all were exported",)
    assert read_image(made.series(tmp_path / "b", modality="PT", change=_set(NumberOfSlices=5))).notes == ()


@pytest.mark.parametrize(("tag", "word"), [("EchoTime", "echo time"), ("AcquisitionNumber", "acquisition"),
                                           ("TemporalPositionIdentifier", "temporal position")])  # fmt: skip
def test_images_at_one_place_say_what_sets_them_apart(tmp_path, tag, word):
    def pairs(position, own):
        own.ImagePositionPatient = [*made.ORIGIN[:2], made.ORIGIN[2] + position // 2 * 3]
        own.AcquisitionTime = f"12000{position}"
        setattr(own, tag, position % 2 + 1)

    told = refusal(made.series(tmp_path, made.voxels(6), "MR", pairs))
    assert (
        f"several images at one position (3 of 5 steps between slices have no length), which differ in {word}" in told
    )


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (lambda n: {"FrameContentSequence": [made.item(StackID=str(n // 3))]}, "several stacks in one series"),
        (lambda n: {"PixelValueTransformationSequence": [made.item(RescaleSlope=1, RescaleIntercept=0,
                                                                   RescaleType="Z_EFF")]}, "CT in other units"),
    ],
)  # fmt: skip
def test_frames_of_one_file_make_one_stack_of_one_kind(tmp_path, frame, reason):
    path = made.enhanced(tmp_path / "a.dcm", made.voxels(6), range(6), [1.0] * 6)
    own = pydicom.dcmread(path)
    for number, one in enumerate(own.PerFrameFunctionalGroupsSequence):
        for name, value in frame(number).items():
            setattr(one, name, value)
    own.save_as(path)
    assert reason in refusal(tmp_path)


def test_two_echoes_in_one_file_are_told_as_such(tmp_path):
    path = made.enhanced(tmp_path / "a.dcm", made.voxels(4), [0, 0, 1, 1], [1.0] * 4)
    own = pydicom.dcmread(path)
    for number, one in enumerate(own.PerFrameFunctionalGroupsSequence):
        one.MREchoSequence = [made.item(EffectiveEchoTime=2.3 * (1 + number % 2))]
    own.save_as(path)
    assert "which differ in echo time" in refusal(tmp_path)


def test_a_writer_s_study_for_each_file_is_one_series_and_two_studies_are_not(tmp_path):
    def own_study(position, own):
        own.StudyInstanceUID = f"1.2.{position + 1}"

    own = read_image(made.series(tmp_path / "a", change=own_study))
    assert own.notes == ("each file names a study of its own",)
    mixed = made.series(tmp_path / "b", change=lambda n, one: setattr(one, "StudyInstanceUID", f"1.2.{n // 3 + 1}"))
    assert "several studies in one series" in refusal(mixed)


def _set(**tags):
    return lambda position, own: [setattr(own, name, value) for name, value in tags.items()]
