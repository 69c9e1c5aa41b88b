import os
import random
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from fusion.config import dump, parse
from fusion.errors import RunError
from fusion.flow import stages
from fusion.flow.bundle import bundle_of
from fusion.flow.run import EVERYTHING, EXTRACT, REGIONS, part, run
from tests import toy
from tests.unrendered import unrendered

NETWORK = "network={backbone: test_resnet, weights: none, epochs: 2, warmup_epochs: 1, batch: 4}"
PATCH = "roi.patch.shape=[4, 32, 32]"
LEFT = {
    "run.yaml", "environment.json", "cohort.csv", "splits.csv", "selection.csv", "predictions.csv", "metrics.csv",
    "report.html", "log.jsonl", "features/radiomics_tumour.parquet", "features/radiomics_external2.parquet",
    "features/scores.parquet", "features/deep_tumour_DL.parquet",
}  # fmt: skip
METRICS = [
    "model", "set", "n", "events", "auc", "auc_low", "auc_high", "threshold", "accuracy", "sensitivity", "specificity",
    "ppv", "npv", "f1", "brier", "calibration_slope", "calibration_intercept", "delong_p", "delong_p_holm",
]  # fmt: skip


def judged(own):
    """A run but its report, whose figures take longer than the rest."""
    part(own, EVERYTHING)
    stages.evaluate(own.folder, own)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    toy.cohort(folder)
    own = toy.run(folder, NETWORK, PATCH)
    run(own)
    return folder, own


def test_a_run_leaves_what_the_design_lists(finished):
    folder = finished[0] / "run"
    assert [name for name in LEFT if not (folder / name).is_file()] == []
    assert len(list((folder / "regions").glob("*_external2.nii.gz"))) == 16


def test_all_eleven_models_are_in_the_metrics(finished):
    table = pd.read_csv(finished[0] / "run" / "metrics.csv")
    assert list(table.columns) == METRICS
    assert (table.groupby("set")["model"].nunique() == 11).all()
    assert set(table["set"]) == {"train_oof", "test"}


def test_predictions_hold_every_case_once_a_model(finished):
    table = pd.read_csv(finished[0] / "run" / "predictions.csv")
    assert list(table.columns) == ["model", "set", "case", "fold", "probability", "event"]
    assert (table.groupby("model")["case"].nunique() == 16).all()
    assert len(table) == 11 * 16


def test_a_finished_run_started_again_changes_nothing(finished, tmp_path):
    folder, own = finished
    again = shutil.copytree(folder / "run", tmp_path / "run")
    times = {path: path.stat().st_mtime_ns for path in (again / "features").rglob("*.parquet")}
    with unrendered():
        run(own.model_copy(update={"output": again}))
    assert (again / "metrics.csv").read_bytes() == (folder / "run" / "metrics.csv").read_bytes()
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_no_case_or_patient_in_log_and_report(finished):
    folder = finished[0] / "run"
    text = (folder / "log.jsonl").read_text() + (folder / "report.html").read_text()
    names = [f"c{n}_" for n in range(16)] + [f">{k}{n}<" for k in "cp" for n in range(16)]
    assert not any(name in text for name in names)


def test_another_config_in_the_same_folder_is_refused(finished):
    with pytest.raises(RunError, match=r"seed = 5; expected 0, with which this folder was begun"):
        run(finished[1].model_copy(update={"seed": 5}))


def test_workers_and_output_do_not_count_as_another_config(finished):
    folder, own = finished
    again = own.model_copy(update={"jobs": 2, "output": folder / "again"})
    judged(again)
    for name in ("predictions.csv", "metrics.csv"):
        assert (folder / "again" / name).read_bytes() == (folder / "run" / name).read_bytes()


def test_changed_data_are_noticed(tmp_path):
    toy.cohort(tmp_path)
    own = toy.run(tmp_path)
    part(own, REGIONS)
    toy.cohort(tmp_path, seed=1)
    with pytest.raises(RunError, match="data_sha256"):
        run(own)


def test_an_edited_ring_is_read_back(tmp_path):
    toy.cohort(tmp_path)
    own = toy.run(tmp_path)
    part(own, REGIONS)
    edited = tmp_path / "run" / "regions" / "c0_external2.nii.gz"
    ring = sitk.ReadImage(str(edited))
    values = sitk.GetArrayFromImage(ring)
    values[:, :, 20:] = 0
    changed = sitk.GetImageFromArray(values)
    changed.CopyInformation(ring)
    sitk.WriteImage(changed, str(edited))
    part(own, EXTRACT)
    volume = pd.read_parquet(tmp_path / "run/features/radiomics_external2.parquet")["original_shape_VoxelVolume"]
    assert volume["c0"] == values.sum() * 3.0


def test_without_networks_and_clinical_columns_three_models_remain(tmp_path):
    toy.cohort(tmp_path)
    own = toy.run(tmp_path)
    own = own.model_copy(update={"cohort": own.cohort.model_copy(update={"clinical": {}})})
    judged(own)
    assert pd.read_csv(tmp_path / "run/metrics.csv")["model"].nunique() == 3


def test_without_a_test_set_the_out_of_fold_rows_remain(tmp_path):
    toy.cohort(tmp_path)
    judged(toy.run(tmp_path, "split.test_fraction=0"))
    assert set(pd.read_csv(tmp_path / "run/metrics.csv")["set"]) == {"train_oof"}


@pytest.mark.slow
def test_tiny_ct_killed_five_times_ends_with_the_same_bytes(tmp_path, monkeypatch):
    from pathlib import Path

    text = Path("configs/tiny_ct.yaml").read_text()
    monkeypatch.chdir(tmp_path)
    whole, killed = (parse(text, [f"output={tmp_path / name}"]) for name in ("whole", "killed"))
    run(whole)
    kill_and_finish(killed, kills=5, seed=1, longest_s=60)
    for name in ("predictions.csv", "metrics.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def kill_and_finish(own, kills: int, seed: int, longest_s: float) -> None:
    """Start the command, kill it after a random time, as often as asked; then let it finish."""
    own.folder.mkdir(parents=True)
    config = own.folder.with_suffix(".yaml")
    config.write_text(dump(own))
    command = [sys.executable, "-c", "from fusion.cli import main; main()", "run", str(config)]
    draw = random.Random(seed)
    for _ in range(kills):
        started = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(draw.uniform(0.3, 1) * longest_s)
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().endswith("report.html")


def test_a_leak_free_shuffle_scores_chance(tmp_path):
    toy.cohort(tmp_path, cases=40)
    cache = tmp_path / "cache"
    aucs = []
    for seed in range(3):
        own = toy.run(tmp_path, "cohort.shuffle_outcome=true", f"seed={seed}", f"cache={cache}")
        judged(own.model_copy(update={"output": tmp_path / f"s{seed}"}))
        table = pd.read_csv(tmp_path / f"s{seed}/metrics.csv")
        aucs.append(table[table["set"] == "train_oof"]["auc"].mean())
    assert 0.3 < np.mean(aucs) < 0.7


def test_a_run_without_networks_has_a_bundle_of_every_model(tmp_path):
    toy.cohort(tmp_path)
    own = toy.run(tmp_path)
    folder = part(own, EVERYTHING)
    stages.evaluate(folder, own)
    bundle = bundle_of(folder)  # which asks each model for the probabilities of predictions.csv
    assert [model for question in bundle.deployed.questions for model in question.models] == list(bundle.run.models)
