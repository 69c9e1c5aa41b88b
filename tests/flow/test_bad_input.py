"""Every kind of bad input: one message with case, file, found, expected and remedy; exit 1; no traceback."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from fusion import cli
from tests import toy

SPHERE = (slice(3, 5), slice(15, 25), slice(15, 25))


def mask(**region) -> np.ndarray:
    values = np.zeros(toy.SHAPE, np.uint8)
    values[region.get("at", SPHERE)] = region.get("label", 1)
    return values


def edit(folder, column, value, case="c1"):
    table = pd.read_csv(folder / "table.csv", dtype=object)
    table.loc[table["case"] == case, column] = value
    table.to_csv(folder / "table.csv", index=False)


def truncate(path):
    path.write_bytes(path.read_bytes()[:200])


def two_sets(folder):
    table = pd.read_csv(folder / "table.csv")
    table["set"] = ["train", "test"] * 4 + ["train"] * 8
    table.loc[:1, "patient"] = "both"
    table.loc[2:5, "set"] = ["train", "train", "test", "test"]
    table.to_csv(folder / "table.csv", index=False)


def nan_image(folder):
    image = np.zeros(toy.SHAPE, np.float32)
    image[0, 0, :3] = np.nan
    toy.write(folder / "c1_ct.nii.gz", image)


def flip(folder):
    image = sitk.ReadImage(str(folder / "c1_tumour.nii.gz"))
    image.SetDirection((-1, 0, 0, 0, 1, 0, 0, 0, 1))
    image.SetOrigin((39.0, 0.0, 0.0))
    sitk.WriteImage(image, str(folder / "c1_tumour.nii.gz"))


TUMOUR, CT = "c1_tumour.nii.gz", "c1_ct.nii.gz"
KINDS = {
    "missing file": (lambda f: (f / CT).unlink(), "case c1: .*c1_ct.nii.gz: found no such file"),
    "unreadable file": (lambda f: truncate(f / CT), "case c1: .*c1_ct.nii.gz: found an unreadable file"),
    "unknown format": (lambda f: edit(f, "ct", "table.csv"), "case c1: .*table.csv: found an unknown format"),
    "NaN": (nan_image, "case c1: .*c1_ct.nii.gz: found 3 voxels that are NaN"),
    "empty mask": (lambda f: toy.write(f / TUMOUR, mask(label=0)), r"found no voxel with label 1 \(labels: 0\)"),
    "other label": (lambda f: toy.write(f / TUMOUR, mask(label=2)), r"labels: 0, 2\); .* set cohort.label"),
    "probability mask": (lambda f: toy.write(f / TUMOUR, mask() * np.float32(0.5)), "not whole numbers"),
    "mask outside image": (lambda f: toy.write(f / TUMOUR, mask(), origin=(500.0, 0, 0)), "100% of the mask outside"),
    "other spacing": (lambda f: toy.write(f / TUMOUR, mask(), (3.0, 1.0, 0.9)), r"mm \(3, 1, 0.9\) against"),
    "other origin": (lambda f: toy.write(f / TUMOUR, mask(), origin=(0.5, 0, 0)), r"origin mm \(0.5, 0, 0\) against"),
    "other size": (lambda f: toy.write(f / TUMOUR, mask()[:-1]), r"size .* \(7, 40, 40\) against \(8, 40, 40\)"),
    "flipped header": (flip, "direction"),
    "colour image": (
        lambda f: sitk.WriteImage(sitk.Image([40, 40, 8], sitk.sitkVectorUInt8, 3), str(f / CT)),
        "3 values a voxel",
    ),
    "tumour of one voxel": (
        lambda f: toy.write(f / TUMOUR, mask(at=(4, 20, 20))),
        "case c1: found 1 voxels in tumour; expected at least 20; check the mask",
    ),
    "ring in air": (
        lambda f: toy.write(f / CT, np.where(mask() == 1, 40, -1000).astype(np.int16))
        and toy.write(f / TUMOUR, mask()),
        "case c1: found 0 voxels in external2",
    ),
    "duplicate case": (lambda f: edit(f, "case", "c2"), "case c2: .*table.csv: found 2 rows; expected one row a case"),
    "path in case id": (lambda f: edit(f, "case", "../c1"), "case id '../c1' in row 3"),
    "patient in both sets": (two_sets, "patient both in test and train; expected one set"),
    "unknown outcome": (lambda f: edit(f, "malignant", "perhaps"), "malignant = 'perhaps'; expected '1' or '0'"),
    "missing outcome": (lambda f: edit(f, "malignant", None), "case c1: .*malignant = ''"),
    "unknown clinical value": (lambda f: edit(f, "margin", "hazy"), "margin = 'hazy'; expected one of clear, unclear"),
    "clinical typing error": (lambda f: edit(f, "age", 530), "age = '530'; expected a number from 0 to 120"),
    "no path": (lambda f: edit(f, "tumour", None), "case c1: .*no path in column tumour"),
}  # fmt: skip


def fails(folder, capsys, monkeypatch, *words) -> list[str]:
    """Exit with 1 and the message's lines."""
    text = toy.CONFIG.format(table=folder / "table.csv")
    (folder / "a.yaml").write_text(text)
    monkeypatch.setattr(
        "sys.argv", ["fusion", words[0], str(folder / "a.yaml"), "jobs=1", f"output={folder / 'run'}", *words[1:]]
    )
    with pytest.raises(SystemExit) as stop:
        cli.main()
    printed = capsys.readouterr()
    assert stop.value.code == 1
    assert "Traceback" not in printed.err
    return [line for line in printed.err.splitlines() if "found" in line]


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_input_is_one_message(tmp_path, capsys, monkeypatch, kind):
    toy.cohort(tmp_path)
    spoil, message = KINDS[kind]
    spoil(tmp_path)
    (line,) = fails(tmp_path, capsys, monkeypatch, "check")
    assert re.search(message, line)
    assert re.fullmatch(r".*: found .+; expected .+; .+", line)


def test_one_class_only_is_one_message(tmp_path, capsys, monkeypatch):
    toy.cohort(tmp_path)
    table = pd.read_csv(tmp_path / "table.csv").assign(malignant=0)
    table.to_csv(tmp_path / "table.csv", index=False)
    (line,) = fails(tmp_path, capsys, monkeypatch, "check")
    assert "one class only" in line


def test_all_faults_come_at_once_and_run_refuses_on_the_same_list(tmp_path, capsys, monkeypatch):
    toy.cohort(tmp_path)
    edit(tmp_path, "margin", "hazy", "c3")
    edit(tmp_path, "age", "old", "c4")
    (tmp_path / CT).unlink()
    nan = np.full(toy.SHAPE, np.nan, np.float32)
    toy.write(tmp_path / "c2_ct.nii.gz", nan)
    checked = fails(tmp_path, capsys, monkeypatch, "check")
    refused = fails(tmp_path, capsys, monkeypatch, "run")
    assert len(checked) == 4
    assert checked == refused
    assert not (tmp_path / "run" / "regions").exists()


def test_missing_weights_are_refused_before_any_work(tmp_path, capsys, monkeypatch):
    toy.cohort(tmp_path)
    (line,) = fails(tmp_path, capsys, monkeypatch, "run", f"network={{weights: {tmp_path}/none.pth}}")
    assert "none.pth" in line
    assert not (tmp_path / "run" / "regions").exists()


def test_too_few_events_for_lasso_are_refused_before_any_work(tmp_path, capsys, monkeypatch):
    toy.cohort(tmp_path)
    (line,) = fails(tmp_path, capsys, monkeypatch, "run", "heads.lasso_folds=10")
    assert "in the training part of fold" in line
    assert "expected 10 or more, one a LASSO fold (heads.lasso_folds); lower heads.lasso_folds" in line


def one_case_of_a_class_in_each_fold(folder):
    """Two malignant training cases for two folds, so that each training part has one."""
    table = pd.read_csv(folder / "table.csv")
    table["malignant"] = [1, 1, *[0] * 12, 1, 1]
    table["set"] = [*["train"] * 14, "test", "test"]
    table.loc[:1, "set"] = "train"
    table.loc[13, "set"] = "test"
    table.to_csv(folder / "table.csv", index=False)


@pytest.mark.parametrize("command", ["check", "run"])
def test_one_case_of_a_class_in_a_fold_is_one_message_before_any_work(tmp_path, capsys, monkeypatch, command):
    toy.cohort(tmp_path)
    one_case_of_a_class_in_each_fold(tmp_path)
    (line,) = fails(tmp_path, capsys, monkeypatch, command)
    assert "found 1 malignant case in the training part of fold" in line
    assert line.endswith("expected 2 or more, one a LASSO fold (heads.lasso_folds); add cases")
    assert not (tmp_path / "run" / "regions").exists()


def test_a_split_file_that_leaves_the_test_set_one_class_is_one_message(tmp_path, capsys, monkeypatch):
    table = toy.cohort(tmp_path)
    benign = table["malignant"] == 0
    splits = table[["case", "patient"]].assign(set="train", fold=np.arange(len(table)) // 2 % 2)
    splits.loc[benign & (table.index > 11), ["set", "fold"]] = ["test", -1]
    splits.to_csv(tmp_path / "splits.csv", index=False)
    (line,) = fails(tmp_path, capsys, monkeypatch, "check", f"split.file={tmp_path / 'splits.csv'}")
    assert "found no malignant case" in line
    assert "in set test; expected 1 or more, to be judged" in line


def test_a_third_that_is_too_small_for_lasso_is_one_message(tmp_path, capsys, monkeypatch):
    toy.cohort(tmp_path)
    words = ["split.test_fraction=0", "heads={lasso_folds: 3, stacking: nested_vector}", f"network={{{UNTRAINED}}}"]
    (line,) = fails(tmp_path, capsys, monkeypatch, "run", *words)
    assert "the head's third of the training part of fold" in line


UNTRAINED = "backbone: mobilenetv3_small_100, weights: none"


def test_a_frozen_backbone_without_weights_is_one_message(tmp_path, capsys, monkeypatch):
    toy.cohort(tmp_path)
    words = ["heads.stacking=frozen_backbone", f"network={{{UNTRAINED}}}"]
    (line,) = fails(tmp_path, capsys, monkeypatch, "run", *words)
    assert "found heads.stacking=frozen_backbone with network.weights=none; expected ImageNet weights" in line
    assert not (tmp_path / "run" / "regions").exists()


def test_a_stacking_mode_without_networks_is_one_message(tmp_path, capsys, monkeypatch):
    toy.cohort(tmp_path)
    (line,) = fails(tmp_path, capsys, monkeypatch, "check", "heads.stacking=nested_vector")
    assert "heads.stacking=nested_vector without networks" in line


def test_a_fault_in_the_config_exits_1(tmp_path, capsys, monkeypatch):
    toy.cohort(tmp_path)
    (line,) = fails(tmp_path, capsys, monkeypatch, "run", "split.fold=3")
    assert "did you mean split.folds?" in line


def test_the_faults_as_json(tmp_path, capsys, monkeypatch):
    toy.cohort(tmp_path)
    (tmp_path / CT).unlink()
    (tmp_path / "a.yaml").write_text(toy.CONFIG.format(table=tmp_path / "table.csv"))
    monkeypatch.setattr("sys.argv", ["fusion", "check", str(tmp_path / "a.yaml"), "jobs=1", "--json"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    answer = json.loads(capsys.readouterr().out)
    assert stop.value.code == 1
    assert answer["faults"][0]["case"] == "c1"


def test_resampling_a_mask_is_done_on_request_only(tmp_path):
    from fusion.flow.check import check

    toy.cohort(tmp_path)
    half = sitk.ReadImage(str(tmp_path / TUMOUR))
    sitk.WriteImage(sitk.Expand(half, [2, 2, 1], sitk.sitkNearestNeighbor), str(tmp_path / TUMOUR))
    assert len(check(toy.run(tmp_path, "roi.resample_mask=true")).cases) == 16
