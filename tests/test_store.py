import json

import pandas as pd
import pytest

from fusion import store


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
