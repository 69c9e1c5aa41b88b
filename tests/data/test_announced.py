"""Headers that announce more than their file holds are refused before memory is taken, without a library's words."""

import gzip
import struct

import numpy as np
import pytest

from fusion.data.image import read_image, read_labels
from fusion.errors import CohortError
from tests import toy

VALUES = np.random.default_rng(0).integers(-9, 9, (4, 20, 20)).astype(np.int16)


def announcing(content: bytes, *size: int) -> bytes:
    own = bytearray(content)
    struct.pack_into("<8h", own, 40, 3, *size, 1, 1, 1, 1)
    return bytes(own)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_nifti_header_of_terabytes_takes_no_memory(tmp_path, suffix):
    path = toy.write(tmp_path / f"a{suffix}", VALUES)
    content = path.read_bytes()
    huge = announcing(gzip.decompress(content) if suffix == ".nii.gz" else content, 32767, 32767, 32767)
    path.write_bytes(gzip.compress(huge) if suffix == ".nii.gz" else huge)
    with pytest.raises(CohortError, match=r"a.nii.*announces 70,\d+,\d+,\d+,?\d* bytes of voxels"):
        read_image(path)


def test_a_huge_nrrd_takes_no_memory(tmp_path):
    path = toy.write(tmp_path / "a.nrrd", VALUES)
    path.write_bytes(path.read_bytes().replace(b"sizes: 20 20 4", b"sizes: 20000 20000 4000"))
    with pytest.raises(CohortError, match="announces"):
        read_image(path)


@pytest.mark.parametrize("field", [b"space origin: ", b"kinds: ", b"junk: "])
def test_an_nrrd_field_that_the_library_would_die_of_is_refused(tmp_path, field):
    path = toy.write(tmp_path / "a.nrrd", VALUES)
    head, end, voxels = path.read_bytes().partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if not line.startswith(field)]
    path.write_bytes(b"\n".join([*lines, field + b"x" * 1000]) + end + voxels)
    with pytest.raises(CohortError, match=r"a field of 1,0\d\d characters"):
        read_image(path)


def test_long_notes_in_an_nrrd_header_are_read_over(tmp_path):
    path = toy.write(tmp_path / "a.nrrd", VALUES)
    head, end, voxels = path.read_bytes().partition(b"\n\n")
    notes = [b"Segment0_Tags:=" + b"x" * 5000, b"# " + b"x" * 5000, b"content: " + b"x" * 5000]
    path.write_bytes(b"\n".join([head, *notes]) + end + voxels)
    assert np.array_equal(read_image(path).values, VALUES)


@pytest.mark.parametrize(
    ("kept", "said"), [(-1, "announces 3,200 bytes"), (60, "header without"), (0, "without ndims")]
)
def test_a_metaimage_that_is_cut_off_is_one_message(tmp_path, capfd, kept, said):
    path = toy.write(tmp_path / "a.mha", VALUES)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CohortError, match=said):
        read_image(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".nhdr"])
def test_an_empty_volume_packs_as_densely_as_it_may(tmp_path, suffix):
    zeros = np.zeros((50, 512, 512), np.uint8)
    assert read_image(toy.write(tmp_path / f"a{suffix}", zeros)).values.shape == zeros.shape


def test_labels_beyond_any_integer_are_refused(tmp_path):
    with pytest.raises(CohortError, match=r"mask values up to 1e\+20; expected labels"):
        read_labels(toy.write(tmp_path / "a.nii", np.full((2, 3, 4), 1e20, np.float32)))
