import errno
import pickle

import pytest
import SimpleITK as sitk

from fusion import cli, machine_faults
from fusion.errors import Fault
from fusion.machine_faults import EVERYONES, fault_of, of_file

NUMBERS = [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE, errno.ENOTCONN,
           errno.ETIMEDOUT, errno.ENODEV, errno.EMFILE, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EAGAIN]  # fmt: skip


def said(monkeypatch, capsys, error):
    """What the command line says of ``error``, and its exit code."""

    def app():
        raise error

    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out = capsys.readouterr()
    assert out.out == ""
    return out.err, ended.value.code


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
def test_an_error_of_the_machine_is_one_line_with_file_and_remedy(monkeypatch, capsys, number):
    error = pickle.loads(pickle.dumps(OSError(number, "as the system says", "/cohort/c1.nii.gz")))  # as from a worker
    words, code = said(monkeypatch, capsys, error)
    assert code == 1
    assert words.count("\n") == 1
    assert words.startswith("/cohort/c1.nii.gz: found ")
    assert "Traceback" not in words


def test_each_kind_says_what_to_do(monkeypatch, capsys):
    tried = {errno.ENOSPC: "free some space", errno.EROFS: "mount it anew", errno.EACCES: "ask for the rights",
             errno.ESTALE: "connect it again", errno.EMFILE: "ulimit -n"}  # fmt: skip
    for number, remedy in tried.items():
        words, _ = said(monkeypatch, capsys, OSError(number, "", "a"))
        assert remedy in words
        assert machine_faults.GOES_ON in words


def test_memory_that_runs_out_is_a_message(monkeypatch, capsys):
    assert "too little memory" in said(monkeypatch, capsys, MemoryError())[0]


def damaged_table(path):
    import pandas as pd

    pd.DataFrame({"a": [1.0]}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    pd.read_parquet(path)


def damaged_tensors(path):
    from safetensors.numpy import load_file

    path.write_bytes(b"\x10\0\0\0\0\0\0\0{")
    load_file(path)


def damaged_arrays(path):
    import numpy as np

    np.savez(path, a=np.zeros(1000))
    path.write_bytes(path.read_bytes()[:-200])
    with path.open("rb") as file:  # which numpy 2.4 leaves open where it cannot read it
        np.load(file)


def damaged_volume(path):
    path.write_bytes(b"no volume")
    sitk.ReadImage(str(path))


@pytest.mark.parametrize(
    ("name", "read"),
    [("a.parquet", damaged_table), ("a.safetensors", damaged_tensors), ("a.npz", damaged_arrays),
     ("a.nii.gz", damaged_volume)],
)  # fmt: skip
def test_what_a_library_cannot_read_is_a_message(monkeypatch, capsys, tmp_path, name, read):
    with pytest.raises(Exception) as error:  # noqa: PT011  # each library has its own
        read(tmp_path / name)
    words, code = said(monkeypatch, capsys, error.value)
    assert code == 1
    assert words.startswith("found a damaged file (")
    assert words.count("\n") == 1


def test_an_error_of_the_program_keeps_its_traceback(monkeypatch):
    def app():
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_of_a_file_alone_is_what_the_next_file_would_not_meet():
    assert isinstance(of_file(OSError(errno.EIO, "", "a")), Fault)
    for number in EVERYONES:
        with pytest.raises(OSError, match="all meet it"):
            of_file(OSError(number, "all meet it", "a"))


def test_other_errors_are_nobody_s_fault():
    assert fault_of(ValueError("a bug")) is None
    assert fault_of(RuntimeError("a bug")) is None


def test_a_case_of_a_table_to_predict_whose_file_does_not_answer_leaves_the_others(tmp_path, monkeypatch):
    from fusion.data.case import Files
    from fusion.data.new_cases import NewCase
    from fusion.serve import cohort_predict

    def digest(path):
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    image = tmp_path / "a.nii"
    image.touch()
    monkeypatch.setattr(cohort_predict, "digest_of", digest)
    case = NewCase("c1", Files("c1", image, image), {})
    wanted = cohort_predict.Wanted(None, None, False, False, False, False)
    found = cohort_predict._answered(case, tmp_path, "", tmp_path, tmp_path / "out", wanted, 1)
    assert [(fault.case, fault.file) for fault in found.faults] == [("c1", str(image))]
