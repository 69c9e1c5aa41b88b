"""Zips as images and masks: read as what is in them, gone afterwards whatever happens, and no name in them told."""

import fcntl
import os
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import pytest

from fusion.config.cohort import Cohort
from fusion.config.dicom import Dicom
from fusion.data import archive, unzipped
from fusion.data.case import Files, load
from fusion.data.dicom.series import digest
from fusion.data.image import read_image
from fusion.errors import CohortError
from fusion.store import sha256
from tests.data import dicom_made as made

SECRET = "Mustermann_Erika"


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch):
    """Where zips are unpacked."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def zipped(path, *folders, extra=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as own:
        for folder in folders:
            for file in sorted(folder.rglob("*")):
                own.write(file, f"{SECRET}/{folder.name}/{file.relative_to(folder)}")
        for name, content in extra:
            own.writestr(name, content)
    return path


def test_a_zip_is_read_as_its_folder_and_nothing_stays(tmp_path, desk):
    series = made.series(tmp_path / "a")
    extra = [("DICOMDIR", b"no DICOM"), ("README.TXT", b"x"), ("__MACOSX/._IM1", b"x"), (f"{SECRET}/mask.nii.gz", b"x")]
    own = read_image(zipped(tmp_path / "a.zip", series, extra=extra))
    twin = read_image(series)
    assert (own.values == twin.values).all()
    assert own.geometry == twin.geometry
    assert list(desk.iterdir()) == []


def test_image_and_mask_in_one_zip_are_unpacked_once(tmp_path, desk, monkeypatch):
    series = made.series(tmp_path / "a")
    (tmp_path / "b").mkdir()
    tumour = np.zeros((5, 12, 16), bool)
    tumour[1:4, 3:9, 4:11] = True
    made.segmentation(tmp_path / "b/seg.dcm", {"Tumour": tumour})
    path = zipped(tmp_path / "a.zip", series, tmp_path / "b")
    counted, unpack = [], unzipped.unpack
    monkeypatch.setattr(unzipped, "unpack", lambda *given, **named: counted.append(1) or unpack(*given, **named))
    own = load(Files("a", path, path), Cohort(table=tmp_path / "table.csv"), False)
    assert (own.tumour == tumour).all()
    assert counted == [1]
    assert list(desk.iterdir()) == []


def test_the_folder_is_private_while_it_is_there(tmp_path, desk):
    path = zipped(tmp_path / "a.zip", made.series(tmp_path / "a"))
    with unzipped.unzipped(path, None, tmp_path / "b.nii") as real:
        (folder,) = desk.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {one.name for one in real[path].iterdir()} == {f"000{n}.dcm" for n in range(1, 6)}
        assert real[tmp_path / "b.nii"] == tmp_path / "b.nii"


def test_faults_name_the_zip_and_the_number_of_the_file(tmp_path, desk):
    series = made.series(tmp_path / "a")
    broken = sorted(series.iterdir())[2]
    broken.write_bytes(broken.read_bytes()[:400])
    with pytest.raises(CohortError) as caught:
        read_image(zipped(tmp_path / "a.zip", series))
    assert f"{tmp_path / 'a.zip'} (file 3 in it): found no readable DICOM" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert str(desk) not in str(caught.value)
    assert list(desk.iterdir()) == []


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ([("../a.dcm", b"x")], "a path that leads out of its folder"),
        ([("b.zip", b"PK\x03\x04" + bytes(400))], "an archive inside the zip"),
        ([(f"{n}.txt", b"x") for n in range(12)], "a zip of 12 files; expected 10 at most"),
        ([("a.txt", bytes(2**20))], "a zip that unpacks to more than it may"),
        ([], "a zip without a file"),
        ([("notes.txt", b"x")], "no DICOM file"),
    ],
)
def test_what_is_not_safe_is_refused_and_nothing_stays(tmp_path, desk, monkeypatch, extra, reason):
    monkeypatch.setattr(unzipped, "ROOM", archive.Room(files=10, unpacked_bytes=10_000))
    path = zipped(tmp_path / "a.zip", extra=extra)
    with pytest.raises(CohortError) as caught:
        read_image(path)
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)
    assert list(desk.iterdir()) == []


def test_a_full_disk_is_no_broken_zip(tmp_path, desk, monkeypatch):
    path = zipped(tmp_path / "a.zip", made.series(tmp_path / "a"))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_written", full)
    with pytest.raises(OSError, match="No space left"):
        read_image(path)
    assert list(desk.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_another_uses_is_not(tmp_path, desk):
    left, used, other = (desk / name for name in ("fusion-zip-left", "fusion-zip-used", "elsewhere"))
    for folder in (left, used, other):
        folder.mkdir()
        (folder / "lock").touch()
    held = os.open(used / "lock", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    read_image(zipped(tmp_path / "a.zip", made.series(tmp_path / "a")))
    os.close(held)
    assert {one.name for one in desk.iterdir()} == {"fusion-zip-used", "elsewhere"}


def test_a_process_killed_while_it_reads_leaves_nothing_for_long(tmp_path, desk):
    code = "import os, signal; from fusion.data.private_folder import claim; own = claim('fusion-zip-'); "
    code += "(own.folder / '0001.dcm').touch(); os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(desk)}, check=False)
    assert [path.name for path in desk.rglob("*.dcm")] == ["0001.dcm"]
    read_image(zipped(tmp_path / "a.zip", made.series(tmp_path / "a")))
    assert list(desk.iterdir()) == []


def test_several_series_in_a_zip_are_chosen_as_in_a_folder(tmp_path):
    first, second = made.series(tmp_path / "a"), made.series(tmp_path / "b", made.voxels(6), "MR", seed="b")
    path = zipped(tmp_path / "a.zip", first, second)
    assert read_image(path, Dicom(modality="MR")).values.shape == (6, 12, 16)
    with pytest.raises(CohortError, match="2 image series"):
        read_image(path)


def test_a_zip_s_digest_is_its_bytes(tmp_path):
    path = zipped(tmp_path / "a.zip", made.series(tmp_path / "a"))
    assert digest(path) == sha256(path)
