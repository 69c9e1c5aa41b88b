"""Uploads lie in a private folder, by role; it is emptied, and those of killed servers are swept."""

import gzip
import os
import stat
import subprocess
import sys

import pytest

from fusion.errors import CohortError, Fault
from fusion.serve.limits import Limits, TooLargeError, UnknownKindError
from fusion.serve.private import without_names
from fusion.serve.results import Results
from fusion.serve.uploads import PREFIX, Desk

NIFTI = gzip.compress(b"\x5c\x01\0\0" + bytes(348), mtime=0)
DICOM = bytes(128) + b"DICM" + bytes(300)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "desks").mkdir()
    with Desk.open(tmp_path / "desks", Limits(file_bytes=10_000)) as own:
        yield own


def upload(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_the_desk_is_open_to_its_user_alone(desk):
    with desk.request() as folder:
        for own in (desk.folder, folder):
            assert stat.S_IMODE(own.stat().st_mode) == 0o700


def test_a_request_is_emptied_when_its_work_fails(desk):
    folders = []

    def failing():
        with desk.request() as folder:
            folders.append(folder)
            (folder / "image.nii.gz").write_bytes(NIFTI)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert not folders[0].exists()


def test_a_closed_desk_leaves_nothing(tmp_path):
    with Desk.open(tmp_path) as own, own.request() as folder:
        (folder / "image.nii.gz").write_bytes(NIFTI)
        own.close()
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "stored"),
    [("Doe_Jane.NII.GZ", NIFTI, "image.nii.gz"), ("Doe.dcm", DICOM, "image.dcm"), ("IM000123", DICOM, "image.dcm"),
     ("1.2.840.99", DICOM, "image.dcm"), ("Doe Jane.png", PNG, "image.png"), ("a.nrrd", b"NRRD0004\n", "image.nrrd"),
     ("a.mha", b"ObjectType = Image\n", "image.mha")],
)  # fmt: skip
def test_an_upload_is_stored_by_its_role(desk, tmp_path, name, content, stored):
    with desk.request() as folder:
        taken = desk.take(upload(tmp_path, name, content), "image", folder)
        assert taken == folder / stored
        assert taken.read_bytes() == content


@pytest.mark.parametrize(
    ("name", "content"),
    [("Doe.nii.gz", b""), ("Doe.nii.gz", PNG), ("Doe.png", NIFTI), ("Doe.dcm", PNG), ("Doe.exe", b"MZ"), ("Doe", b"x"),
     ("Doe.mhd", b"ElementDataFile = /etc/passwd\n"), ("Doe.nhdr", b"NRRD0004\ndata file: /etc/passwd\n"),
     ("Doe.nii", bytes(352)), ("Doe.tif", b"II*\0"), ("../../Doe.png", b"x")],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_role_and_without_its_name(desk, tmp_path, name, content):
    with desk.request() as folder, pytest.raises(UnknownKindError) as raised:
        desk.take(upload(tmp_path, "upload", content), "mask", folder, name)
    assert [fault.file for fault in raised.value.faults] == ["mask"]
    assert "Doe" not in str(raised.value)
    assert str(tmp_path) not in str(raised.value)


def test_a_file_may_be_so_large_and_no_larger(desk, tmp_path):
    with desk.request() as folder:
        desk.take(upload(tmp_path, "a.nii.gz", NIFTI.ljust(10_000, b"\0")), "image", folder)
        with pytest.raises(TooLargeError, match=r"expected 0.0 MB"):
            desk.take(upload(tmp_path, "b.nii.gz", NIFTI.ljust(10_001, b"\0")), "mask", folder)


def test_a_killed_server_s_uploads_are_swept_at_the_next_start_and_a_living_one_s_are_not(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from fusion.serve.uploads import Desk\n"
        "desk = Desk.open(Path(sys.argv[1])); room = desk.room('r')\n"
        "(room / 'image.nii.gz').write_bytes(b'patient'); print(room, flush=True); time.sleep(60)"
    )
    server = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    room = server.stdout.readline().strip()
    Desk.open(tmp_path).close()
    assert os.listdir(room) == ["image.nii.gz"], "its server lives"
    server.kill()
    server.wait()
    server.stdout.close()
    assert os.listdir(room) == ["image.nii.gz"], "a kill leaves uploads"
    Desk.open(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_sweeping_leaves_what_is_no_desk(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep").write_text("")
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere)
    (tmp_path / f"{PREFIX}file").write_text("")
    Desk.open(tmp_path).close()
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", f"{PREFIX}link", f"{PREFIX}file"}
    assert (elsewhere / "keep").exists()


def test_faults_lose_paths_names_and_quotations(tmp_path):
    faults = [
        Fault(f"an unreadable file (bad value 'Doe' in {tmp_path}/image/0003.dcm)", "a volume", "mend it", "Doe",
              f"{tmp_path}/image/0003.dcm"),
        Fault(f"see {tmp_path}/mask.nii.gz and /usr/lib/some/file.py", "2 x 3 mm", "say T2/ADC", None,
              f"{tmp_path}/mask.nii.gz"),
        Fault("no column", "x", "y", None, "/somewhere/else/Doe.csv"),
    ]  # fmt: skip
    told = without_names(CohortError(faults), tmp_path)
    assert isinstance(told, CohortError)
    assert [fault.file for fault in told.faults] == ["image", "mask", "a file"]
    assert [fault.case for fault in told.faults] == [None] * 3
    assert [fault.found for fault in told.faults] == ["an unreadable file", "see mask and a file", "no column"]
    assert told.faults[1].remedy == "say T2/ADC"


def test_answers_are_found_by_secret_alone_and_go_in_time(tmp_path):
    results = Results(tmp_path, seconds=0.2)
    own, folder = results.place()
    (folder / "a.png").write_bytes(PNG)
    assert results.file(own, "a.png") == folder / "a.png"
    assert [results.file(*wrong) for wrong in ((own, "b.png"), (own, "../a.png"), ("x", "a.png"))] == [None] * 3
    results.seconds = 0.0
    assert results.file(own, "a.png") is None
    results.sweep()
    assert not folder.exists()
    results.close()
