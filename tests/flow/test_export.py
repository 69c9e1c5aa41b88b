import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from safetensors.numpy import save_file

from fusion import cli
from tests import toy

NETWORK = "network={backbone: test_resnet, weights: none, epochs: 1, warmup_epochs: 0, batch: 4, training: separate}"
PATCH = "roi.patch.shape=[4, 32, 32]"
SOURCES = ["tumour_DL", "external2_DL", "tumour+external2_DL"]


def typed(patch, *words) -> int:
    """The exit code of a command."""
    patch.setattr("sys.argv", ["fusion", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code or 0


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    toy.cohort(folder)
    (folder / "a.yaml").write_text(toy.CONFIG.format(table=folder / "table.csv"))
    with pytest.MonkeyPatch.context() as patch:
        typed(patch, "train", folder / "a.yaml", f"output={folder / 'run'}", "jobs=1", NETWORK, PATCH)
    return folder


def words(folder, *more) -> list:
    return ["export", folder / "a.yaml", "--run", folder / "run", "jobs=1", NETWORK, PATCH, *more]


@pytest.fixture(scope="module")
def exported(trained) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        typed(patch, *words(trained, "--no-onnx", "--seen", "--heat-maps", "c3", "--heat-maps", "c4"))
    return trained / "run/export"


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*.*")}


def test_every_table_is_there_as_parquet_and_csv_with_its_notes(exported):
    names = ["scores", *(f"deep_{source}{kind}" for source in SOURCES for kind in ("", "_in_sample"))]
    for name in names:
        whole = pd.read_parquet(exported / f"{name}.parquet")
        csv = pd.read_csv(exported / f"{name}.csv", dtype=whole.dtypes.to_dict())
        assert (exported / f"{name}.json").is_file()
        pd.testing.assert_frame_equal(whole, csv, check_exact=True)


def test_scores_are_those_of_the_run(exported):
    wanted = pd.read_parquet(exported.parent / "features/deep_scores.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(exported / "scores.parquet"), wanted, check_exact=True)


def test_the_notes_say_which_network_saw_which_case_and_what_its_weights_were(exported):
    told = json.loads((exported / "deep_tumour_DL.json").read_text())
    splits = pd.read_csv(exported.parent / "splits.csv")
    assert "unrelated axes" in told["axes"]
    for own in told["networks"]:
        saw = splits[(splits["fold"] >= 0) & (splits["fold"] != own["fold"])]["case"].tolist()
        assert own["saw"] == saw
        assert sorted(own["saw"] + own["never_saw"]) == sorted(splits["case"])
        assert own["sha256"] == hashlib.sha256((exported.parent / own["file"]).read_bytes()).hexdigest()
    assert list(told["columns_by_scale"]) == ["0", "1", "2", "3", "4"]
    assert told["config"]["network"]["backbone"] == "test_resnet"
    assert "in-sample" in json.loads((exported / "deep_tumour_DL_in_sample.json").read_text())["what"]


def test_a_table_has_only_cases_that_its_network_never_saw(exported):
    for source in SOURCES:
        told = json.loads((exported / f"deep_{source}.json").read_text())
        saw = {(own["fold"], own["seed"]): own["saw"] for own in told["networks"]}
        table = pd.read_csv(exported / f"deep_{source}.csv")
        assert not any(row.case in saw[row.fold, row.seed] for row in table.itertuples())


def test_a_scale_alone_has_its_columns_and_its_number_in_the_name(trained, exported, monkeypatch):
    assert typed(monkeypatch, *words(trained, "--no-onnx", "--source", "tumour_DL", "--scale", 2)) == 0
    whole = pd.read_parquet(exported / "deep_tumour_DL.parquet")
    part = pd.read_parquet(exported / "deep_tumour_DL_scale2.parquet")
    first, last = json.loads((exported / "deep_tumour_DL_scale2.json").read_text())["columns_by_scale"]["2"]
    pd.testing.assert_frame_equal(part, whole.loc[:, [*whole.columns[:4], *part.columns[4:]]])
    assert [part.columns[4], part.columns[-1]] == [first, last]


def test_a_second_call_gives_equal_bytes(trained, exported, monkeypatch):
    before = digests(exported)
    assert typed(monkeypatch, *words(trained, "--no-onnx", "--source", "external2_DL")) == 0
    assert digests(exported) == before
    shutil.rmtree(exported)
    more = ["--no-onnx", "--seen", "--heat-maps", "c3", "--heat-maps", "c4"]
    assert typed(monkeypatch, *words(trained, *more)) == 0
    after = digests(exported)
    assert after == {name: own for name, own in before.items() if name in after}
    assert len(after) == 3 * 7 + 1 + 2 * (4 * 6 + 3)


def test_heat_maps_lie_on_the_image_inside_their_region(exported, trained):
    image = sitk.ReadImage(str(trained / "c3_ct.nii.gz"))
    tumour = sitk.GetArrayFromImage(sitk.ReadImage(str(trained / "c3_tumour.nii.gz"))) > 0
    table = pd.read_csv(exported / "heat_maps/c3_tumour+external2_DL.csv")
    assert len(table) == 2 * 6
    for row in table[table["region"] == "tumour"].itertuples():
        read = sitk.ReadImage(str(exported / "heat_maps" / row.file))
        values = sitk.GetArrayFromImage(read)
        assert (read.GetSize(), read.GetSpacing()) == (image.GetSize(), image.GetSpacing())
        assert (row.shows == "nothing") == (row.maximum == 0)
        if row.shows == "something":
            assert values[tumour].sum() > 0.7 * values.sum() > 0


def test_ablation_has_every_case_and_both_regions_give_the_score(exported):
    table, scores = pd.read_csv(exported / "ablation.csv"), pd.read_csv(exported / "scores.csv")
    wanted = scores[scores["source"] == "tumour+external2_DL"]
    assert table["case"].tolist() == wanted["case"].tolist()
    assert np.allclose(table["log_odds"], wanted["score"], atol=1e-7)
    assert table[["log_odds_tumour_only", "probability_external2_only"]].notna().all().all()


def test_every_network_is_an_onnx_file_whose_mean_is_the_score(trained, exported, monkeypatch):
    runtime = pytest.importorskip("onnxruntime")
    from fusion.config import load
    from fusion.models.inputs import Boxes, centred
    from fusion.roi.patch import Patches

    assert typed(monkeypatch, *words(trained, "--source", "tumour_DL")) == 0
    files = sorted((exported / "onnx").iterdir())
    assert [file.name for file in files] == [f"tumour_DL_fold{fold}_seed0.onnx" for fold in (0, 1)]
    import torch

    run = load(trained / "a.yaml", [NETWORK, PATCH])
    patches = Patches.load(trained / "run/checkpoints/patches.npz")
    seen = centred(Boxes.of(patches, torch.device("cpu")), torch.arange(len(patches.cases)), run.roi, run.network.input)
    given = {"regions": seen[:, :1].numpy()}
    said = [runtime.InferenceSession(file).run(["log_odds"], given)[0] for file in files]
    scores = pd.read_csv(exported / "scores.csv").query("source == 'tumour_DL'").reset_index()
    test = scores["set"] == "test"
    assert np.abs(np.mean(said, axis=0) - scores["score"])[test].max() < 1e-5


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--heat-maps", "c3", "--heat-maps", "x1", "--heat-maps", "x2"], "found no case x1, x2; expected cases of"),
        (["--source", "Tumor_DL"], "found no source Tumor_DL; expected tumour_DL, external2_DL"),
        (["--scale", "5"], "found no scale 5; expected 0 (finest) to 4 for test_resnet"),
        (["seed=3"], "found seed = 3; expected 0, with which this folder was begun"),
        (["roi.patch.window=[-100, 300]"], "roi.patch.window"),
    ],
)
def test_what_does_not_fit_is_one_message(trained, more, message, monkeypatch, capsys):
    assert typed(monkeypatch, *words(trained, "--no-onnx", *more)) == 1
    assert message in capsys.readouterr().err


def test_a_folder_that_is_no_run_is_refused_and_stays_empty(trained, tmp_path, monkeypatch, capsys):
    assert typed(monkeypatch, "export", trained / "a.yaml", "--run", tmp_path, "--no-onnx") == 1
    assert "found no run.yaml" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_networks_is_refused(tmp_path, monkeypatch, capsys):
    toy.cohort(tmp_path)
    (tmp_path / "a.yaml").write_text(toy.CONFIG.format(table=tmp_path / "table.csv"))
    assert typed(monkeypatch, "regions", tmp_path / "a.yaml", f"output={tmp_path / 'run'}", "jobs=1") == 0
    assert typed(monkeypatch, "export", tmp_path / "a.yaml", "--run", tmp_path / "run", "--no-onnx") == 1
    assert "found network: null" in capsys.readouterr().err


def test_a_missing_network_and_a_foreign_one_are_refused(trained, tmp_path, monkeypatch, capsys):
    shutil.copytree(trained / "run", tmp_path / "run", ignore=shutil.ignore_patterns("export"))
    asked = ["export", trained / "a.yaml", "--run", tmp_path / "run", NETWORK, PATCH, "--no-onnx"]
    (tmp_path / "run/checkpoints/external2_DL_fold1_seed0.safetensors").unlink()
    assert typed(monkeypatch, *asked) == 1
    assert "external2_DL_fold1_seed0.safetensors: found no such network" in capsys.readouterr().err
    foreign = tmp_path / "run/checkpoints/external2_DL_fold1_seed0.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, foreign)
    assert typed(monkeypatch, *asked) == 1
    assert "found no trained network" in capsys.readouterr().err
    shutil.copy(trained / "a.yaml", foreign)
    assert typed(monkeypatch, *asked) == 1
    assert f"{foreign}: found a damaged file" in capsys.readouterr().err
    assert not (tmp_path / "run/export").exists()
