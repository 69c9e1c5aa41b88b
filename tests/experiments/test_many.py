"""The benchmark of many runs: its arithmetic, and each of its parts on next to nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.benchmarks import sweep
from experiments.benchmarks.many import costs, model

FEW = {
    "cases": 20, "trained": 10, "look_s": 2.0, "measure_s": 4.0, "prepare_s": 1.0, "train_s": {"1": 3.0, "3": 5.0},
    "finish_s": 2.0, "comparison_s": 0.5, "heads_s": 6.0, "cell_mb": 10.0, "cell_files": 50, "shared_mb": 3.0,
    "shared_files": 22, "patches_mb": 15.0, "peak_mb": 900.0,
}  # fmt: skip
MANY = FEW | {
    "cases": 30, "trained": 20, "look_s": 3.0, "measure_s": 6.0, "train_s": {"1": 4.0, "3": 8.0}, "finish_s": 2.5,
    "shared_mb": 4.0, "shared_files": 32, "patches_mb": 22.5, "cell_mb": 9.0,
}  # fmt: skip


def test_what_a_case_and_an_epoch_more_cost_are_differences():
    own = model.Costs.of(FEW, MANY)
    assert (own.look_s_a_case, own.measure_s_a_case) == pytest.approx((0.1, 0.2))
    assert (own.train_s, own.train_s_a_case_and_epoch) == pytest.approx((2.0, 0.1))
    assert (own.finish_s, own.finish_s_a_case) == pytest.approx((1.0, 0.05))
    assert (own.patches_mb_a_case, own.shared_files_a_case) == pytest.approx((0.75, 1.0))
    assert own.cell_mb_a_case == 0  # smaller with more cases is noise


def test_the_large_sweep_is_the_sum_of_its_jobs():
    own = model.Costs.of(FEW, MANY)
    found = model.large(own, cases=100, cells=10, folds=5, epochs=10)
    train_s = 2 + 10 * 56 * 0.1
    jobs_s = 10 * (5 * train_s + 6 * 6 + 1 + 100 * 0.05)
    assert found["jobs"] == 70
    assert found["cpu_hours_of_networks"] == pytest.approx(50 * train_s / 3600, rel=0.01)
    assert found["cpu_hours"] == pytest.approx((100 * 0.3 + jobs_s + 10 * 1.5) / 3600, rel=0.01)
    assert found["wall_hours"]["1"] == found["cpu_hours"]
    assert found["wall_hours"]["10"] >= found["cpu_hours"] / 10


def test_heads_of_made_up_features_are_fitted(monkeypatch):
    monkeypatch.setattr(costs, "FEATURES", 25)
    assert costs.heads(60) > 0


def test_a_linked_file_weighs_once(tmp_path):
    for name in ("shared", "cell"):
        (tmp_path / name).mkdir()
    (tmp_path / "shared/a").write_bytes(b"x" * 1000)
    os.link(tmp_path / "shared/a", tmp_path / "cell/a")
    (tmp_path / "cell/b").write_bytes(b"x" * 500)
    assert costs.weight(tmp_path / "shared", shared=True) == (0.001, 1)
    assert costs.weight(tmp_path / "cell", shared=False) == (0.0005, 2)


def test_the_command_ends_with_json(monkeypatch, capsys):
    monkeypatch.setattr(sweep, "COMMAND", [sys.executable, "-c", "import time; time.sleep(0.5)", "sweep"])
    monkeypatch.setattr(sweep, "costs", lambda folder, cases, *_: FEW if cases == 20 else MANY)
    sweep.main(["--cases", "20", "30"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["workers"] == [1, 2]
    assert found["costs"]["train_s"] == 2
    assert (found["large"]["cases"], found["large"]["cells"]) == (1000, 100)


@pytest.mark.slow
def test_the_costs_of_a_tiny_sweep(tmp_path):
    words = [str(tmp_path), "24", "mobilenetv3_small_100", "40", "split.folds=2", "radiomics.images=[original]"]
    told = subprocess.run(
        [sys.executable, str(Path(costs.__file__)), *words], check=True, capture_output=True, text=True,
        env=os.environ | costs.ONE_THREAD,
    ).stdout  # fmt: skip
    found = json.loads(told.splitlines()[-1])
    assert found.keys() == FEW.keys()
    assert found["patches_mb"] / found["cases"] == pytest.approx(0.75, abs=0.05)
