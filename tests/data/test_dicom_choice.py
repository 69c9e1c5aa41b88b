"""One of several series: by number, identifier, description or modality; what is listed names nobody."""

import pytest

from fusion.config.dicom import Dicom
from fusion.data.dicom.series import digest, found, read_series
from fusion.data.image import read_image
from fusion.errors import CohortError
from tests.data import dicom_made as made

SLICES = {"venous": 5, "arterial": 6, "pet": 7}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study as it is exported: two CT series, a PET, a localizer."""
    folder = tmp_path_factory.mktemp("study")

    def of(number, description, **tags):
        def change(position, own):
            own.SeriesNumber, own.SeriesDescription = number, f"{description} {made.NAME}"
            for name, value in tags.items():
                setattr(own, name, value)

        return change

    made.series(folder / "1", made.voxels(2), change=of(1, "scout", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
                seed="s")  # fmt: skip
    made.series(folder / "2", made.voxels(5), change=of(2, "Neck venous"), seed="v")
    made.series(folder / "3", made.voxels(6), change=of(3, "Neck ARTERIAL"), seed="a")
    made.series(folder / "4", made.voxels(7), "PT", of(4, "PET"), seed="p")
    return folder


@pytest.mark.parametrize(
    ("dicom", "name"),
    [
        (Dicom(series="#2"), "venous"),
        (Dicom(series="arterial"), "arterial"),
        (Dicom(series="^neck v"), "venous"),
        (Dicom(series=made.uid("series", "a")), "arterial"),
        (Dicom(modality="PT"), "pet"),
        (Dicom(series="neck|pet", modality="PT"), "pet"),
    ],
)
def test_a_choice_finds_its_series_and_is_told(folder, dicom, name):
    own = read_image(folder, dicom)
    assert len(own.values) == SLICES[name]
    assert f"of 4: {'PT' if name == 'pet' else 'CT'}, {SLICES[name]} slices of 12 x 16 pixels" in own.notes[0]
    assert made.NAME not in " ".join(own.notes)


@pytest.mark.parametrize(
    ("dicom", "reason"),
    [
        (Dicom(), "3 image series"),
        (Dicom(modality="CT"), "2 image series"),
        (Dicom(series="neck"), "2 image series"),
        (Dicom(series="knee"), "no image series of that choice"),
        (Dicom(series="#9"), "no image series of that choice"),
        (Dicom(series="#2", modality="PT"), "no image series of that choice"),
        (Dicom(modality="MR"), "no image series of that choice"),
        (Dicom(series="neck ("), "a pattern that is none"),
    ],
)
def test_none_or_several_are_listed_with_the_fields_that_choose(folder, dicom, reason):
    with pytest.raises(CohortError) as caught:
        read_image(folder, dicom)
    told = str(caught.value)
    assert reason in told
    assert "cohort.dicom.series" in told
    if "pattern" not in reason:
        assert "cohort.dicom.modality" in told
        assert "3: CT, 6 slices of 12 x 16 pixels, voxels of 3 x 0.5 x 0.8 mm" in told
    assert not any(secret in told for secret in (made.NAME, "venous", "1.2.826", "4711"))


def test_a_localizer_beside_a_series_is_not_in_question(tmp_path, folder):
    series = [one for one in found(folder) if one.number in (1, 2)]
    files = [file for one in series for file in one.files]
    assert len(read_series(files).values) == 5


def test_a_file_chooses_its_series_unless_it_is_of_another_modality(folder):
    file = next((folder / "3").iterdir())
    assert len(read_image(file, Dicom(series="venous")).values) == 6
    with pytest.raises(CohortError, match="no image series of that choice"):
        read_image(file, Dicom(modality="PT"))


def test_a_folder_s_digest_is_of_all_that_is_in_it(folder):
    assert digest(folder) != digest(folder / "2")
