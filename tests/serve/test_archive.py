"""A zip is unpacked to numbered files, or refused: names that lead elsewhere, links, bombs, archives, passwords."""

import io
import stat
import struct
import zipfile

import pytest

from fusion.data import archive
from fusion.errors import CohortError
from fusion.serve.archive import unpack
from fusion.serve.given import sort
from fusion.serve.limits import Limits, TooLargeError, UploadError

DICOM = bytes(128) + b"DICM" + bytes(300)
NRRD = b"NRRD0004\n\n"


def zipped(path, files, packing=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", packing) as own:
        for name, content in files:
            own.writestr(name, content)
    return path


def inner(files):
    content = io.BytesIO()
    zipped(content, files)
    return content.getvalue()


def unpacked(tmp_path, files, limits=None, packing=zipfile.ZIP_DEFLATED):
    return unpack(zipped(tmp_path / "upload", files, packing), tmp_path / "archive", limits or Limits()).files


def test_files_are_numbered_and_found_by_the_names_they_had(tmp_path):
    hidden = [("__MACOSX/Doe/._IM1", b"x"), ("Doe/.DS_Store", b"x")]
    files = [("Doe/", b""), ("Doe/IM1", DICOM), ("Doe/b.nrrd", NRRD), *hidden]
    assert unpacked(tmp_path, files) == {
        "Doe/IM1": tmp_path / "archive" / "0001.dcm",
        "Doe/b.nrrd": tmp_path / "archive" / "0002.nrrd",
    }
    assert (tmp_path / "archive" / "0001.dcm").read_bytes() == DICOM


@pytest.mark.parametrize(
    "name",
    ["../Doe.dcm", "a/../../Doe.dcm", "/etc/Doe.dcm", "C:\\Doe.dcm", "..\\Doe.dcm", "a/..", "C:Doe.dcm", "Doe\n.dcm"],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(UploadError, match=r"leads out|hides characters") as raised:
        unpacked(tmp_path, [("a.dcm", DICOM), (name, DICOM)])
    assert "Doe" not in str(raised.value)
    assert {path.name for path in tmp_path.iterdir()} <= {"upload", "archive"}


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_device_is_refused(tmp_path, mode):
    entry = zipfile.ZipInfo("a.dcm")
    entry.external_attr = (mode | 0o777) << 16
    with pytest.raises(UploadError, match="link or device"):
        unpacked(tmp_path, [(entry, b"/etc/passwd")])


@pytest.mark.filterwarnings("ignore:Duplicate name")  # of zipfile, as it writes what is to be refused
def test_two_files_of_one_name_are_refused(tmp_path):
    with pytest.raises(UploadError, match="one name"):
        unpacked(tmp_path, [("a.dcm", DICOM), ("A.DCM", DICOM)])


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.zip", inner([("b.dcm", DICOM)])), ("a.dcm", inner([("b.dcm", DICOM)])), ("a.nii.gz", inner([("b", b"")])),
     ("a.7z", b"7z\xbc\xaf" + bytes(400))],
)  # fmt: skip
def test_an_archive_inside_is_refused(tmp_path, name, content):
    with pytest.raises(UploadError, match=r"archive inside|in the zip"):
        unpacked(tmp_path, [(name, content)])


def test_a_bomb_is_refused_by_what_comes_out_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "SMALL_BYTES", 2**20)
    with pytest.raises(TooLargeError, match="unpacks to more"):
        unpacked(tmp_path, [("a.dcm", DICOM + bytes(2**23))])


def test_a_size_that_lies_does_not_help_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "SMALL_BYTES", 2**20)
    path = zipped(tmp_path / "upload", [("a.dcm", DICOM + bytes(2**23))])
    content = bytearray(path.read_bytes())
    for at in (content.find(b"PK\x03\x04") + 22, content.find(b"PK\x01\x02") + 24):
        struct.pack_into("<I", content, at, 432)
    path.write_bytes(content)
    with pytest.raises(UploadError):
        unpack(path, tmp_path / "archive", Limits())
    assert sum(own.stat().st_size for own in (tmp_path / "archive").iterdir()) <= 2**21


def test_all_files_together_are_bounded(tmp_path):
    with pytest.raises(TooLargeError, match="unpacks to more"):
        unpacked(tmp_path, [(f"{n}.dcm", DICOM) for n in range(10)], Limits(unpacked_bytes=2000))


def test_too_many_files_are_refused(tmp_path):
    with pytest.raises(TooLargeError, match="11 files"):
        unpacked(tmp_path, [(f"{n}.dcm", DICOM) for n in range(11)], Limits(entries=10))


def test_an_endless_list_of_files_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = zipped(tmp_path / "upload", [(f"{n}.dcm", b"") for n in range(10)])
    monkeypatch.setattr(archive, "DIRECTORY_BYTES", 100)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(TooLargeError, match="list of files"):
        unpack(path, tmp_path / "archive", Limits())


def test_a_password_is_told(tmp_path):
    path = zipped(tmp_path / "upload", [("a.dcm", DICOM)])
    content = bytearray(path.read_bytes())
    for at in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[at] |= 1
    path.write_bytes(content)
    with pytest.raises(UploadError, match="password"):
        unpack(path, tmp_path / "archive", Limits())


def test_a_packing_that_may_take_any_memory_is_refused(tmp_path):
    with pytest.raises(UploadError, match="packing"):
        unpacked(tmp_path, [("a.dcm", DICOM)], packing=zipfile.ZIP_LZMA)


def test_an_empty_zip_and_one_of_hidden_files_are_refused(tmp_path):
    for files in ([], [("__MACOSX/a", b"x")]):
        with pytest.raises(UploadError, match="without a file"):
            unpacked(tmp_path, files)


@pytest.mark.parametrize("cut", [0, 10, 60, -10, -1])
def test_a_broken_zip_is_refused(tmp_path, cut):
    path = zipped(tmp_path / "upload", [("a.dcm", DICOM)])
    content = path.read_bytes()
    path.write_bytes(content[:cut] if cut else b"PK\x03\x04" + bytes(500))
    with pytest.raises(UploadError, match="broken zip"):
        unpack(path, tmp_path / "archive", Limits())


def test_volumes_are_told_apart_by_the_words_of_their_names(tmp_path):
    def roles(*names):
        files = {name: tmp_path / f"{n}.nrrd" for n, name in enumerate(names)}
        return {role: path.stem for role, path in sort(files, tmp_path).items()}

    assert roles("x/ct.nrrd", "x/Tumour_Mask.nrrd") == {"image": "0", "mask": "1"}
    assert roles("tumor.nrrd", "0815.nrrd", "external2.nrrd") == {"mask": "0", "image": "1", "external2": "2"}
    for wrong in (("a.nrrd", "b.nrrd"), ("ct.nrrd", "ct2_ct.nrrd"), ("mask.nrrd", "seg.nrrd")):
        with pytest.raises(CohortError):
            roles(*wrong)
