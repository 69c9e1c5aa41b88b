"""The bundle that a run leaves says what the run said, names no one, and stays what it is."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from fusion import cli
from fusion.errors import BundleError, RunError
from fusion.evaluate import task_predictions
from fusion.flow.bundle import cannot, write_bundle
from fusion.flow.folder import stored_run
from fusion.serve import bundle as bundles
from fusion.serve.score import Scorer
from fusion.store import write_csv
from tests import toy
from tests.serve import made


@pytest.fixture(scope="module", params=["ct", "mri"])
def finished(request):
    return request.getfixturevalue(f"{request.param}_run")


def test_no_case_and_no_patient_is_in_it(finished):
    cases = pd.read_csv(finished / "cohort.csv", dtype=str)
    names = re.compile(
        "|".join(rf"(?<![A-Za-z0-9-]){re.escape(name)}(?![A-Za-z0-9-])" for name in cases["case"]).encode()
    )
    own = bundles.read(finished)
    assert cases["patient"].str.startswith(made.PATIENT).all()
    for path in ("manifest.json", *own.manifest.files):
        content = (finished / "bundle" / path).read_bytes()
        assert made.PATIENT.encode() not in content
        assert str(finished.parent).encode() not in content
        if not path.startswith("networks/"):  # where a case's few letters may stand by chance
            assert not names.search(content), path


def test_weights_carry_no_notes_and_onnx_files_say_what_they_are(finished):
    import onnx

    own = bundles.read(finished)
    for net in own.deployed.networks:
        content = own.bytes(net.weights)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        assert "__metadata__" not in header
        (told,) = onnx.load_from_string(own.bytes(net.onnx)).metadata_props
        notes = json.loads(told.value)
        assert (notes["question"], notes["source"], notes["fold"]) == (net.question, net.source, net.fold)
        assert set(notes) & {"regions", "pictures"}


def test_there_is_a_network_for_every_fold_of_every_source(finished):
    own = bundles.read(finished)
    for question in own.deployed.questions:
        for source in question.networks:
            found = [
                (n.fold, n.seed) for n in own.deployed.networks if (n.question, n.source) == (question.name, source)
            ]
            assert found == [(0, 0), (1, 0)]


def test_thresholds_and_calibration_are_the_runs(finished):
    own, run = bundles.read(finished), stored_run(finished)
    metrics = pd.read_csv(finished / "metrics.csv").set_index(["model", "set"])
    predictions = pd.read_csv(finished / "predictions.csv")
    assert list(own.deployed.judgements) == list(run.models)
    for model, judgement in own.deployed.judgements.items():
        question, _ = own.deployed.question(model)
        rows = task_predictions.of(predictions, model, "train_oof")
        assert sum(map(len, judgement.calibration.values())) == len(rows)
        assert all(list(found) == sorted(found) for found in judgement.calibration.values())
        if len(question.classes) > 2:
            assert (judgement.threshold, judgement.draws) == (None, ())
            continue
        assert judgement.threshold == pytest.approx(metrics.loc[(model, "train_oof"), "threshold"], abs=1e-15)
        events = rows[rows["event"] == 1]["probability"].sort_values()
        np.testing.assert_allclose(judgement.calibration[question.classes[1]], events, atol=1e-12)
        assert len(judgement.draws) in (0, 200)


def test_networks_answer_the_test_cases_as_in_the_run(mri_run):
    """Through ONNX, one case at a time, a missing sequence as zeros."""
    import torch

    from fusion.models.held import hold, plain
    from fusion.roi.slice import Slices

    own, slices = bundles.read(mri_run), Slices.load(mri_run / "checkpoints/slices.npz")
    scores = pd.read_parquet(mri_run / "features/task_scores.parquet")
    wanted = scores[(scores["task"] == "histology") & (scores["source"] == "fused") & (scores["set"] == "test")]
    held, scorer = hold(slices, torch.device("cpu"), (0, 1)), Scorer.of(own)
    for case, rows in wanted.groupby("case"):
        at = torch.tensor([slices.cases.index(case)])
        seen = plain(held, at, own.run.network, own.run.roi).numpy()
        found = scorer.scores("histology", {"fused": seen})["fused"]
        np.testing.assert_allclose(found, rows.set_index("class").loc[["cyst", "polyp", "sarcoma"], "score"], atol=1e-5)


def test_ranges_are_of_training_cases_alone(ct_run):
    own = bundles.read(ct_run)
    cases = pd.read_csv(ct_run / "cohort.csv")
    train = cases[cases["set"] == "train"]
    assert own.ranges.clinical["age"].model_dump() == {"low": train["age"].min(), "high": train["age"].max(), "n": 16}
    assert [(axis.low, axis.high) for axis in own.ranges.spacing_mm["ct"]] == [(3, 3), (1, 1), (1, 1)]
    ring = pd.read_parquet(ct_run / "features/radiomics_external2.parquet").loc[train["case"]]
    low, high = own.ranges.hu["external2"]
    assert low.low == ring["original_firstorder_Minimum"].min()
    assert high.high == ring["original_firstorder_Maximum"].max()
    assert own.ranges.features
    assert all(name.startswith(("tumour:", "external2:")) for name in own.ranges.features)


def test_a_bundle_that_is_there_stays_and_a_missing_one_comes_back_byte_for_byte(ct_run, tmp_path):
    shutil.copytree(ct_run, tmp_path / "run", ignore=shutil.ignore_patterns("cases"))
    run, place = stored_run(tmp_path / "run"), tmp_path / "run/bundle/manifest.json"
    before, when = place.read_bytes(), place.stat().st_mtime_ns
    write_bundle(run.folder, run)
    assert place.stat().st_mtime_ns == when
    shutil.rmtree(tmp_path / "run/bundle")
    write_bundle(run.folder, run)
    assert place.read_bytes() == before
    rows = pd.read_csv(run.folder / "predictions.csv")
    write_csv(
        run.folder / "predictions.csv", rows.assign(probability=rows["probability"].where(rows["set"] == "test", 0.5))
    )
    with pytest.raises(BundleError, match="of other predictions"):
        write_bundle(run.folder, run)


def test_heads_that_no_longer_say_what_the_run_said_are_refused(ct_run, tmp_path):
    shutil.copytree(ct_run, tmp_path / "run", ignore=shutil.ignore_patterns("cases", "bundle"))
    run = stored_run(tmp_path / "run")
    rows = pd.read_csv(run.folder / "predictions.csv")
    turned = rows.assign(probability=rows["probability"].where(rows["model"] != "Tumor_RAD", 1 - rows["probability"]))
    write_csv(run.folder / "predictions.csv", turned)
    with pytest.raises(RunError, match="Tumor_RAD"):
        write_bundle(run.folder, run)
    assert not (run.folder / "bundle").exists()
    assert not list(run.folder.glob(".*-*"))


def test_runs_without_a_bundle_say_why(tmp_path, capsys):
    toy.cohort(tmp_path)
    for words in ("network={weights: none}", "heads.stacking=nested_vector"), ("heads.harmonise={kind: combat}",):
        own = toy.run(tmp_path, *words)
        own.folder.mkdir(exist_ok=True)
        assert cannot(own)
        assert write_bundle(own.folder, own) is None
        assert f"no bundle: {cannot(own)}" in capsys.readouterr().out
        assert cannot(own) in json.loads((own.folder / "log.jsonl").read_text().splitlines()[-1])["what"]
        assert not (own.folder / "bundle").exists()
    assert cannot(toy.run(tmp_path)) == ""


def test_the_command_prints_place_and_digest(ct_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["fusion", "bundle", str(ct_run), "--zip", str(tmp_path / "toy.zip")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    assert capsys.readouterr().out.splitlines() == [
        str(tmp_path / "toy.zip"), f"sha256 {bundles.read(tmp_path / 'toy.zip').digest}",
    ]  # fmt: skip
    monkeypatch.setattr("sys.argv", ["fusion", "bundle", str(tmp_path)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    assert "no run.yaml" in capsys.readouterr().err
