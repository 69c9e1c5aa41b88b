import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from fusion.errors import RunError
from fusion.flow.intact import LOOKS, refuse_damaged
from fusion.store import write_csv, write_json, write_parquet, write_text

NAMES = ["a.csv", "a.json", "a.jsonl", "features/a.parquet", "checkpoints/a.npz", "checkpoints/a.safetensors"]


@pytest.fixture
def folder(tmp_path):
    numbers = np.random.default_rng(0).normal(size=1000)
    write_csv(tmp_path / "a.csv", pd.DataFrame({"a": numbers}))
    write_json(tmp_path / "a.json", {"a": [1, 2]})
    write_text(tmp_path / "a.jsonl", '{"a": 1}\n{"a": 2}\n')
    write_parquet(tmp_path / "features/a.parquet", pd.DataFrame({"a": numbers}))
    (tmp_path / "checkpoints").mkdir()
    np.savez(tmp_path / "checkpoints/a.npz", a=numbers)
    save_file({"a": numbers}, tmp_path / "checkpoints/a.safetensors")
    return tmp_path


def test_files_as_they_were_written_pass(folder):
    refuse_damaged(folder)
    assert {path.suffix for path in folder.rglob("*.*")} == set(LOOKS)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_every_file_that_is_cut_off_is_told_with_what_to_delete(folder, share):
    if share == 0.0:
        (folder / "a.jsonl").write_text("{")  # an empty log is one
    for name in NAMES if share else [name for name in NAMES if name != "a.jsonl"]:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(RunError) as error:
        refuse_damaged(folder)
    assert [fault.file for fault in error.value.faults] == sorted(str(folder / name) for name in NAMES)
    assert all(fault.remedy.startswith("delete it, and predictions.csv") for fault in error.value.faults)


@pytest.mark.parametrize("name", ["a.csv", "checkpoints/a.npz", "features/a.parquet"])
def test_zeros_amid_a_file_as_after_a_power_cut_are_noticed(folder, name):
    content = bytearray((folder / name).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    (folder / name).write_bytes(bytes(content))
    with pytest.raises(RunError, match="found a damaged file"):
        refuse_damaged(folder)


@pytest.mark.parametrize("name", ["features/cases/a.csv", "checkpoints/logs/a/metrics.csv", "bundle/a.json", ".a.csv"])
def test_what_nothing_reads_or_carries_a_digest_is_left_alone(folder, name):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("cut o")
    refuse_damaged(folder)
