import numpy as np
import pytest
import SimpleITK as sitk

from fusion.data.image import Geometry, Labels, read_image, read_labels, regrid, write_mask
from fusion.errors import CohortError
from tests import toy

EYE = tuple(np.eye(3).ravel())


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_every_format_gives_the_same_voxels_and_geometry(tmp_path, suffix):
    values = np.random.default_rng(0).integers(-1000, 1000, (3, 4, 5)).astype(np.int16)
    image = read_image(toy.write(tmp_path / f"a{suffix}", values, (5.0, 0.5, 0.4), (1.0, 2.0, 3.0)))
    assert (image.values == values).all()
    assert image.geometry.difference(Geometry((3, 4, 5), (5.0, 0.5, 0.4), (1.0, 2.0, 3.0), EYE), 1e-6, 1e-6) == []


def test_integer_ct_becomes_float32(tmp_path):
    assert read_image(toy.write(tmp_path / "a.nii", np.zeros((2, 2, 2), np.uint8))).values.dtype == np.float32


def test_one_volume_in_four_dimensions_is_read(tmp_path):
    sitk.WriteImage(sitk.JoinSeries([sitk.Image(4, 5, 6, sitk.sitkInt16)]), str(tmp_path / "a.nii"))
    assert read_image(tmp_path / "a.nii").values.shape == (6, 5, 4)


def test_several_volumes_in_one_file_are_refused(tmp_path):
    sitk.WriteImage(sitk.JoinSeries([sitk.Image(4, 5, 6, sitk.sitkInt16)] * 2), str(tmp_path / "a.nii"))
    with pytest.raises(CohortError, match="4 dimensions"):
        read_image(tmp_path / "a.nii")


def test_colour_voxels_are_refused(tmp_path):
    image = sitk.GetImageFromArray(np.zeros((2, 3, 4, 3), np.uint8), isVector=True)
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    with pytest.raises(CohortError, match="3 values a voxel"):
        read_image(tmp_path / "a.nrrd")


def test_a_float_mask_of_whole_numbers_is_a_mask(tmp_path):
    labels = read_labels(toy.write(tmp_path / "a.nii", np.ones((2, 2, 2), np.float32)))
    assert (labels.values == 1).all()


def test_a_probability_map_is_no_mask(tmp_path):
    with pytest.raises(CohortError, match="not whole numbers"):
        read_labels(toy.write(tmp_path / "a.nii", np.full((2, 2, 2), 0.4, np.float32)))


@pytest.mark.parametrize("label", [1, 3, 300])
def test_a_written_mask_reads_back(tmp_path, label):
    mask = np.random.default_rng(1).random((3, 4, 5)) < 0.5
    write_mask(tmp_path / "m.nii.gz", mask, Geometry(mask.shape, (5.0, 0.5, 0.5), (0.0, 0.0, 7.0), EYE), label)
    assert ((read_labels(tmp_path / "m.nii.gz").values == label) == mask).all()


def test_regridding_keeps_the_place_of_a_mask():
    fine = np.zeros((4, 8, 8), np.uint8)
    fine[1:3, 2:6, 2:6] = 1
    coarse = Geometry((4, 4, 4), (1.0, 2.0, 2.0), (0.5, 0.5, 0.0), EYE)
    moved = regrid(Labels(fine, Geometry(fine.shape, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), EYE)), coarse)
    assert moved.values[1:3, 1:3, 1:3].all()
    assert moved.values.sum() == 8


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_cut_off_file_is_never_read_as_zeros(tmp_path, suffix, share):
    values = np.random.default_rng(0).integers(-1000, 1000, (8, 20, 20)).astype(np.int16)
    path = toy.write(tmp_path / f"a{suffix}", values)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(CohortError, match="unreadable file"):
        read_image(path)


@pytest.mark.parametrize("offset", [np.nan, np.inf, -1.0, 1e30])
def test_a_nifti_whose_voxels_begin_nowhere_is_refused(tmp_path, offset):
    path = toy.write(tmp_path / "a.nii", np.ones((3, 3, 3), np.float32))
    content = bytearray(path.read_bytes())
    content[108:112] = np.float32(offset).tobytes()
    path.write_bytes(content)
    with pytest.raises(CohortError, match="unreadable file"):
        read_image(path)


def test_a_float_nifti_from_the_same_grid_is_complete(tmp_path):
    assert read_image(toy.write(tmp_path / "a.nii.gz", np.ones((3, 3, 3), np.float64))).values.sum() == 27
