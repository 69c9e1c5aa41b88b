import errno
import json
import os
import time

import numpy as np
import pandas as pd
import pytest

from fusion import store
from tests.small_disk import change, small_disk


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    store.write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ZeroDivisionError), store.whole(tmp_path / "a.txt") as part:
        part.write_text(str(1 / 0))
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "old")]


def test_floats_in_csv_read_back_exactly(tmp_path):
    table = pd.DataFrame({"x": [0.1, 1 / 3, 1e-300]})
    store.write_csv(tmp_path / "t.csv", table)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "t.csv"), table, check_exact=True)


def test_parquet_keeps_index_and_metadata(tmp_path):
    import pyarrow.parquet as pq

    table = pd.DataFrame({"x": [1.0]}, index=pd.Index(["a"], name="case"))
    store.write_parquet(tmp_path / "t.parquet", table, {"engine": "e"})
    assert pq.read_schema(tmp_path / "t.parquet").metadata[b"engine"] == b"e"
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table)


def test_json_is_readable(tmp_path):
    store.write_json(tmp_path / "a.json", {"a": [1, 2]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [1, 2]}


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path):
    for name in (".0a1b2c3d-metrics.csv", ".lock", "metrics.csv", "sub/.deadbeef-t.parquet"):
        store.write_text(tmp_path / name, "x")
    store.sweep(tmp_path)
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == [".lock", "metrics.csv"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(ZeroDivisionError), store.whole_folder(tmp_path / "made") as part:
        (part / "a").write_text(str(1 / 0))
    assert list(tmp_path.iterdir()) == []
    with store.whole_folder(tmp_path / "made") as part:
        (part / "a").write_text("a")
    assert (tmp_path / "made/a").read_text() == "a"
    with pytest.raises(FileExistsError), store.whole_folder(tmp_path / "made"):
        pass
    assert [own.name for own in tmp_path.iterdir()] == ["made"]


def test_what_a_killed_writer_left_is_swept_with_its_folder(tmp_path):
    (tmp_path / ".0123abcd-bundle/networks").mkdir(parents=True)
    (tmp_path / ".0123abcd-bundle/networks/.89abcdef-a.onnx").write_text("half")
    (tmp_path / ".kept").mkdir()
    store.sweep(tmp_path)
    assert [own.name for own in tmp_path.iterdir()] == [".kept"]


def test_a_half_done_file_of_a_live_writer_is_left_alone(tmp_path):
    for name in (".0a1b2c3d-old", ".0a1b2c3d-new", "cases/.0a1b2c3d-theirs"):
        store.write_text(tmp_path / name, "half")
    long_ago = time.time() - 7200
    os.utime(tmp_path / ".0a1b2c3d-old", (long_ago, long_ago))
    store.sweep(tmp_path, idle_s=3600.0)
    assert sorted(own.name for own in tmp_path.rglob(".0*")) == [".0a1b2c3d-new", ".0a1b2c3d-theirs"]
    store.sweep(tmp_path, besides=tmp_path / "cases")
    assert [own.name for own in tmp_path.rglob(".0*")] == [".0a1b2c3d-theirs"]


def savez(part):
    with part.open("wb") as file:
        np.savez(file, a=np.random.default_rng(0).normal(size=100_000))


def tensors(part):
    from safetensors.numpy import save_file

    save_file({"a": np.random.default_rng(0).normal(size=100_000)}, part)


def picture(part):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().imshow(np.random.default_rng(0).normal(size=(200, 200)))
    figure.savefig(part, dpi=300)


def table(part):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": np.random.default_rng(0).normal(size=100_000)}), part)


WRITERS = {
    "a.npz": savez, "a.safetensors": tensors, "a.png": picture, "a.parquet": table,
    "a.txt": lambda part: part.write_text("x" * 200_000),
    "a.csv": lambda part: pd.DataFrame({"a": range(100_000)}).to_csv(part),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_one_error_whoever_writes_and_leaves_the_old_file(tmp_path, name):
    with small_disk(tmp_path / "disk", 64) as disk:
        (disk / name).write_text("old")
        with pytest.raises(OSError, match="No space left") as error, store.whole(disk / name) as part:
            WRITERS[name](part)
        assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(disk / name))
        assert [(own.name, own.read_text()) for own in disk.iterdir()] == [(name, "old")]
        change(disk, "size=4m")
        with store.whole(disk / name) as part:
            WRITERS[name](part)
        assert (disk / name).stat().st_size > 64_000


def test_a_read_only_disk_is_told_by_the_name_of_the_file(tmp_path):
    with small_disk(tmp_path / "disk", 64) as disk:
        change(disk, "ro")
        for write in (lambda: store.write_text(disk / "a", "a"), lambda: store.write_text(disk / "new/a", "a")):
            with pytest.raises(OSError, match="Read-only") as error:
                write()
            assert error.value.errno == errno.EROFS
            assert error.value.filename in (str(disk / "a"), str(disk / "new"))
        with pytest.raises(OSError, match="Read-only"), store.whole_folder(disk / "made"):
            pass


def test_an_error_inside_a_folder_that_is_being_made_names_the_folder_to_be(tmp_path):
    with pytest.raises(FileNotFoundError) as error, store.whole_folder(tmp_path / "made") as part:
        (part / "a").read_text()
    assert error.value.filename == str(tmp_path / "made/a")


def test_only_lasting_files_wait_for_the_disk(tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(os, "fsync", waited.append)
    for lasting in (True, False):
        with store.whole(tmp_path / "a", lasting) as part:
            part.write_text("a")
    assert len(waited) == 1


def test_a_drive_that_tells_only_at_the_end_leaves_no_file(tmp_path, monkeypatch):
    def fsync(handle):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="quota"):
        store.write_text(tmp_path / "a", "a")
    assert list(tmp_path.iterdir()) == []
