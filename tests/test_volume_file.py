import errno

import numpy as np
import pytest
import SimpleITK as sitk

from fusion import volume_file
from fusion.volume_file import write_volume
from tests.small_disk import change, small_disk

VOXELS = np.random.default_rng(0).integers(0, 2**15, (40, 64, 64)).astype(np.int16)
FORMATS = ["a.nii", "a.nii.gz", "a.nrrd", "a.mha"]


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_is_noticed_in_every_format_and_leaves_nothing(tmp_path, name, compressed):
    image = sitk.GetImageFromArray(VOXELS)
    with small_disk(tmp_path / "disk", 64) as disk:
        with pytest.raises(OSError, match="No space left") as error:
            write_volume(disk / name, image, compressed)
        assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(disk / name))
        assert list(disk.iterdir()) == []
        change(disk, "size=1m")
        write_volume(disk / name, image, compressed)
        assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(disk / name))), VOXELS)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_written_short_is_an_error_though_the_disk_has_room(tmp_path, monkeypatch, name):
    whole = tmp_path / f"whole_{name}"
    sitk.WriteImage(sitk.GetImageFromArray(VOXELS), str(whole))

    class Short:
        @staticmethod
        def WriteImage(image, path, useCompression):
            with open(path, "wb") as file:
                file.write(whole.read_bytes()[:-1000])

    monkeypatch.setattr(volume_file, "sitk", Short)
    with pytest.raises(OSError, match="Input/output error"):
        write_volume(tmp_path / name, sitk.GetImageFromArray(VOXELS))
    assert [own.name for own in tmp_path.iterdir()] == [whole.name]


def test_what_itk_refuses_for_another_reason_stays_its_own_error(tmp_path):
    with pytest.raises(RuntimeError, match="ImageIO"):
        write_volume(tmp_path / "a.unknown", sitk.GetImageFromArray(VOXELS))
