import dataclasses
import importlib.util
import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.benchmarks import gpu
from fusion import cli
from fusion.config.radiomics import Radiomics
from fusion.data.image import read_labels
from tests.serve.conftest import ct_bundle, ct_run, made_once, mri_bundle, mri_run  # noqa: F401  # shared with them

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
FOLDER = ROOT / "experiments/benchmarks"
real = pytest.mark.skipif(not (SHARED / "data").is_dir(), reason=f"the real cases are not at {SHARED / 'data'}")


def script(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{Path(name).stem}", FOLDER / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


radiomics, cases, measure, peer = map(script, ("radiomics.py", "pair/cases.py", "pair/measure.py", "pair/peer.py"))
extraction, training = script("extraction.py"), script("training.py")
predict, one_case, scale = script("predict.py"), script("one_case/answer.py"), script("scale.py")
FEW = Radiomics(images=("original", "square"))


@pytest.fixture(scope="module")
def lesion():
    return dataclasses.replace(cases.lesion23(size=(16, 64, 64)), radiomics=FEW)


def pair(name="sts001"):
    one, two, oracle = (radiomics.Cost(s, s, 100, mb) for s, mb in ((2.0, 400), (1.0, 500), (40.0, 1600)))
    return radiomics.Pair(name, f"case {name}", (6650.0, 2400.0), one, two, oracle, 1e-9, "tumour a")


def test_the_lesion_is_23_mm_wide_and_the_same_every_time(lesion):
    voxels_mm3 = lesion.case.tumour.sum() * np.prod(lesion.case.geometry.spacing_mm)
    assert np.cbrt(voxels_mm3 * 6 / np.pi) == pytest.approx(23, abs=2)
    assert np.array_equal(lesion.case.image, cases.lesion23(size=(16, 64, 64)).case.image)


@pytest.mark.parametrize(
    ("found", "expected", "difference"),
    [(2.5, 2.0, 0.25), (-2.0, -2.0, 0), (1e-14, 0.0, 0), (1e-3, 0.0, 1e9), (1e-12 + 1e-15, 1e-12, 0)],
)
def test_the_relative_difference(found, expected, difference):
    assert radiomics.largest_difference({"a": found}, {"a": expected}) == (pytest.approx(difference), "a")


def test_ratios_and_figures_that_are_not_there():
    figures = radiomics.figures([pair()])
    assert (figures["cpu_ratio_sts001"], figures["smallest_wall_ratio_two_threads"]) == (20, 40)
    assert (figures["peak_memory_ratio"], figures["peak_memory_ratio_added"]) == (0.25, 0.2)
    assert figures["cpu_ratio_lesion23"] is None
    assert radiomics.figures([pair("phantom")])["peak_memory_ratio"] is None


def test_the_table_says_what_is_absent():
    rows = radiomics.render([pair()], {"lidc": "no shared data"}).splitlines()
    assert rows[2].startswith("| case sts001 | 6,650 + 2,400 | 40.00 | 2.000 | **20.0** | 40.00 | 1.000 | **40.0** |")
    assert "| lidc | not measured: no shared data |" in rows[3]
    assert len({row.count("|") for row in rows}) == 1


def test_both_engines_agree_on_a_tiny_case(lesion, tmp_path):
    cases.write(lesion, tmp_path / "lesion23")
    own = radiomics.compare(tmp_path / "lesion23", repeats=1, oracle_repeats=1)
    assert own.difference < 1e-6
    assert own.volumes_mm3[0] == pytest.approx(6650, rel=0.25)
    assert own.cpu_ratio > 0
    assert own.one.peak_mb >= own.one.loaded_mb > 10


def test_the_command_writes_the_readme_and_ends_with_json(tmp_path, monkeypatch, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{radiomics.BEGIN}old\n{radiomics.END}after\n")
    made = {"cases": ["phantom"], "absent": {"sts001": "no data"}}
    monkeypatch.setattr(radiomics, "_told", lambda *_: made)
    monkeypatch.setattr(radiomics, "_measure", lambda *_: None)
    monkeypatch.setattr(radiomics, "compare", lambda case, *_: pair(case.name))
    radiomics.main(tmp_path, None, 1, 1, False, 1, readme)
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "case phantom" in text
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["cases"] == ["phantom"]


def test_cases_on_a_bare_clone(tmp_path, capsys):
    cases.main(tmp_path / "out", tmp_path / "none", ["phantom", "sts001"])
    assert json.loads(capsys.readouterr().out) == {
        "cases": ["phantom"],
        "absent": {"sts001": f"no {tmp_path}/none/data"},
    }
    image, masks, geometry = measure.read(tmp_path / "out/phantom")
    assert image.dtype == np.float32
    assert geometry.size == (12, 112, 112)
    assert not (masks["tumour"] & masks["external2"]).any()


@real
@pytest.mark.parametrize("name", ["sts001_pet", "ibsi_ct", "lidc"])
def test_real_cases(name, tmp_path):
    cases.write(cases.makers(SHARED)[name](), tmp_path / "case")
    assert all(read_labels(tmp_path / f"case/{region}.nii").values.sum() > 50 for region in measure.REGIONS)


def test_a_peer_that_does_not_install_and_one_that_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(radiomics, "PEERS", {"gone": (str(tmp_path / "gone"),)})
    assert "| gone | does not install (" in radiomics.peers([tmp_path], tmp_path, 10)
    assert "fails (KeyError: 'gone')" in radiomics._peer(radiomics.sys.executable, "gone", tmp_path, 60)


def test_a_peer_is_timed(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(peer.PEERS, "three", lambda case: lambda: 3)
    peer.main("three", tmp_path)
    assert json.loads(capsys.readouterr().out)["features"] == 3


def test_extraction_of_a_tiny_cohort(capsys):
    extraction.main(8, ["radiomics.images=[original]", "radiomics.classes={firstorder: null}", "jobs=1"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["cases"] == 8
    assert figures["max_relative_difference"] < 1e-6


def test_the_scale_of_a_tiny_cohort(monkeypatch, capsys):
    """Where the command, which takes seconds to load, is one that holds 50 MB."""
    monkeypatch.setattr(
        scale, "COMMAND", [sys.executable, "-c", "import time; held = b'x' * 50_000_000; time.sleep(1)"]
    )
    scale.main([2], 1)
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["cases"] == [2]
    assert 50 < figures["parent_peak_mb"][0] < 300
    assert figures["worker_peak_mb"] == [0]


def test_the_cases_of_the_scale_are_extracted(tmp_path):
    scale.write(tmp_path, 12, 1)
    cli.app(["extract", str(tmp_path / "scale.yaml")], standalone_mode=False)
    table = pd.read_parquet(tmp_path / "run/features/radiomics_tumour.parquet")
    assert table.shape == (12, 107)
    assert table.index.is_unique
    assert table["original_firstorder_Mean"].nunique() == 12


def test_figures_of_scale_are_of_a_case_more():
    few, many = scale.Cost(200, 30.0, 50.0, 400.0, 450.0), scale.Cost(2200, 130.0, 250.0, 410.0, 450.0)
    figures = scale.figures([few, many], jobs=2)
    assert figures["seconds_of_a_case_more"] == 0.05
    assert figures["cpu_seconds_of_a_case_more"] == 0.1
    assert figures["parent_kb_of_a_case_more"] == pytest.approx(5.12)


def test_networks_together_are_timed_against_the_same_alone(capsys):
    training.main(["--box", "4", "32", "32", "--batch", "4", "--rounds", "1"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["stacked_over_plain"] == figures["plain_seconds"] / figures["stacked_seconds"] > 0
    assert figures["networks"] == 6


@pytest.fixture
def answered(monkeypatch, capsys):
    """``answered(bundle, table, how, sequences)`` is what a process of its own would measure of two cases."""
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None)

    def run(bundle, table, how, sequences=(), environment=None):
        given = ["--sequences", *sequences] if sequences else []
        one_case.main([str(bundle), str(table), "--how", how, "--cases", "2", *given])
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def test_a_case_is_answered_alike_by_the_product_and_by_the_plain_path(answered, ct_run, ct_bundle):  # noqa: F811
    own, plain = (answered(ct_bundle, ct_run.parent / "table.csv", how) for how in ("fusion", "plain"))
    assert len(own["probabilities"]) == 2
    assert all(len(models) == 11 for models in own["probabilities"].values())
    assert predict.difference(own["probabilities"], plain["probabilities"]) < 1e-6


def test_a_slice_alone_is_answered_alike_too(answered, mri_run, mri_bundle):  # noqa: F811
    table = mri_run.parent / "own.csv"
    own, plain = (answered(mri_bundle, table, how, ["T2-w"]) for how in ("fusion", "plain"))
    assert predict.difference(own["probabilities"], plain["probabilities"]) < 1e-6


def test_the_figures_of_a_case_leave_out_the_first(monkeypatch, answered, ct_run, ct_bundle, capsys):  # noqa: F811
    monkeypatch.setattr(predict, "in_its_own_process", answered)
    monkeypatch.setattr(predict, "made", lambda *_: ct_bundle)
    monkeypatch.setattr(predict, "new_ct", lambda *_: ct_run.parent / "table.csv")
    predict.main(["--only", "ct", "--cold"])
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["ct_ratio"] == figures["ct_plain_seconds"] / figures["ct_seconds"] > 0
    assert (figures["ct_models"], figures["ct_networks"], figures["cores"]) == (11, 6, 2)
    assert figures["ct_cold_start_seconds"] > 0


@pytest.mark.slow
def test_the_ways_to_train_on_a_gpu_run_on_a_cpu_too(capsys):
    words = ["--cases", "10", "--folds", "2", "--batch", "4", "--box", "4", "32", "32", "--epochs", "1", "--of", "2",
             "--workers", "0", "--backbone", "mobilenetv3_small_100", "--precisions", "float32"]  # fmt: skip
    gpu.main(words)
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"loader_float32", "resident_float32", "stacked_float32"} <= set(figures["seconds"])
    assert figures["floor_seconds_bf16"] > 0
