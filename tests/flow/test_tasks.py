"""A run of tasks on made-up slices: its files, its resumption, its faults, and what the leaking protocol adds."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from fusion.config import load, parse
from fusion.config.tasks import Literal, Task
from fusion.errors import CohortError, ConfigError, RunError
from fusion.evaluate import task_predictions
from fusion.flow import canary, export, stages
from fusion.flow.augment_then_split import JUDGED, images, turned
from fusion.flow.check import check
from fusion.flow.run import EVERYTHING, EXTRACT, part, run
from tests import toy_slices

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs/tiny_mri.yaml"
SMALL = [
    "cohort.phantom=null", "network.backbone=test_resnet", "network.epochs=1", "network.drop_path=0", "jobs=1",
    "roi.slice.shape=[32, 32]", "literal.copies=2", "bundle=false",
]  # fmt: skip
FILES = [
    "metrics.csv",
    "predictions.csv",
    "predictions_paper_literal.csv",
    "metrics_paper_literal.csv",
    "selection.csv",
]


def config(folder: Path, *words: str):
    table = toy_slices.cohort(folder, load(CONFIG, ["cohort.phantom=null"]).cohort)
    return load(CONFIG, [*SMALL, f"cohort.table={table}", f"output={folder / 'run'}", *words])


def judged(own):
    """A run but its report, whose figures take longer than the rest."""
    part(own, EVERYTHING)
    stages.evaluate(own.folder, own)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    own = config(tmp_path_factory.mktemp("tasks"))
    run(own)
    return own


def test_every_model_of_every_task_is_there_and_judged(finished):
    table = pd.read_csv(finished.folder / "metrics.csv")
    assert table["model"].tolist() == list(finished.models)
    assert set(table["set"]) == {"train_oof"}
    literal = pd.read_csv(finished.folder / "metrics_paper_literal.csv")
    assert set(literal["model"]) == {f"{task}/{name}" for task in finished.used_tasks for name in ("T2-w", "ADC")}
    assert (literal["n"] > 0).all()
    assert (literal["cases"] <= literal["n"]).all()


def test_predictions_are_what_the_contract_says(finished):
    for name in FILES[1:3]:
        found = task_predictions.read(finished.folder / name, finished.used_tasks)
        assert len(found)
    assert list(pd.read_csv(finished.folder / "predictions.csv").columns) == list(
        task_predictions.columns(finished.used_tasks)
    )


def test_a_missing_sequence_leaves_out_that_model_alone(finished):
    lacks = pd.read_csv(finished.folder / "cohort.csv").query("has_ADC == 0")["case"].tolist()
    table = pd.read_csv(finished.folder / "predictions.csv")
    assert len(lacks) == 1
    tasks_of = table[table["case"].isin(lacks)]["model"]
    assert not tasks_of.str.endswith("/ADC").any()
    assert {name.split("/")[1] for name in tasks_of} == {"T2-w", "fused", "RAD", "RAD+DL", "Clinical", "Combined"}


def test_deep_features_are_kept_by_task_and_view(finished):
    for task in finished.used_tasks:
        for view in finished.views:
            table = pd.read_parquet(finished.folder / f"features/deep_{task}/{view}.parquet")
            assert {"d000", "fold", "set"} <= set(table.columns)
            assert table.index.is_unique


def test_a_run_that_lost_its_end_ends_with_the_same_bytes(finished, tmp_path):
    again = tmp_path / "run"
    shutil.copytree(finished.folder, again)
    for name in (*FILES, "features/deep_scores_all.parquet", "checkpoints/paper_literal/all/ADC.parquet"):
        (again / name).unlink()
    for path in (again / "checkpoints/all/checkpoints").glob("ADC_*"):
        path.unlink()
    judged(finished.model_copy(update={"output": again}))
    for name in FILES:
        assert (again / name).read_bytes() == (finished.folder / name).read_bytes(), name


def test_nothing_of_a_patient_is_in_the_log_or_the_page(finished):
    words = (finished.folder / "log.jsonl").read_text() + (finished.folder / "report.html").read_text()
    ids = pd.read_csv(finished.folder / "cohort.csv")
    assert not [name for name in (*ids["case"], *ids["patient"]) if name in words]


def test_a_part_of_the_tasks_and_sequences_alone(tmp_path):
    own = config(tmp_path, "tasks=PA-Warthin", "sequences=ADC", "fused=[]", "literal=null")
    judged(own)
    assert set(pd.read_csv(own.folder / "metrics.csv")["view"]) == {"ADC", "RAD", "Clinical", "Combined"}
    assert not (own.folder / "predictions_paper_literal.csv").exists()


def test_a_fifth_of_the_patients_kept_apart_is_judged_by_the_mean_of_the_folds_networks(tmp_path):
    own = config(tmp_path, "split.test_fraction=0.34", "tasks=all", "literal=null", "sequences=T2-w", "fused=[]")
    judged(own)
    predictions = pd.read_csv(own.folder / "predictions.csv")
    cohort = pd.read_csv(own.folder / "cohort.csv")
    assert set(predictions["set"]) == {"train_oof", "test"}
    test = predictions.query("set == 'test' and model == 'all/T2-w'")
    assert sorted(test["case"]) == sorted(cohort.query("set == 'test'")["case"])
    scores = pd.read_parquet(own.folder / "features/task_scores.parquet").query("source == 'T2-w' and set == 'test'")
    assert set(scores["fold"]) == {-1}
    centred = scores.groupby("case")["score"].sum()
    assert centred.abs().max() < 1e-5  # logits less their mean over the classes


def test_extraction_leaves_a_table_a_sequence_and_no_network(tmp_path):
    folder = part(config(tmp_path), EXTRACT)
    tables = {name: pd.read_parquet(folder / f"features/radiomics_{name}.parquet") for name in ("T2-w", "ADC")}
    assert len(tables["T2-w"]) == len(tables["ADC"]) + 1
    assert "original_shape2D_Perimeter" in tables["ADC"]
    assert not list(folder.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("heads.icc={kind: '2,1'}", "heads.icc is for regions"),
        ("heads.harmonise={unseen: as_is}", "heads.harmonise is for regions"),
        ("network.input.kind=slices", "picture, for cohort.sequences"),
        ("network.mixup=0.2", "a mixed picture hides a missing one"),
        ("tasks=lipoma", "cohort.tasks has benign-malignant"),
        ("fused=[[T2-w, CT]]", r"fused names \['CT'\]"),
        ("heads.stacking=paper_literal", "oof_score, the one for cohort.tasks"),
    ],
)
def test_what_a_task_run_cannot_do_is_refused_by_its_config(word, told):
    with pytest.raises(ConfigError, match=told):
        load(CONFIG, [word])


def test_canary_and_export_say_what_to_do_instead(finished):
    with pytest.raises(ConfigError, match="shuffle_outcome=true"):
        canary.canary(finished)
    with pytest.raises(RunError, match="deep_TASK/VIEW"):
        export.export(finished, finished.folder, export.Wanted(onnx=False))


def test_all_faults_of_slices_come_at_once(tmp_path):
    own = config(tmp_path)
    table = pd.read_csv(own.cohort.table, dtype=str, keep_default_na=False)
    pixels = np.random.default_rng(0).integers(0, 255, (48, 48, 4)).astype(np.uint8)
    faulty = {1: pixels, 2: pixels[..., :3], 3: pixels[:1, :1, 0], 4: pixels[..., :2]}
    for row, picture in faulty.items():
        Image.fromarray(picture).save(tmp_path / table.loc[row, "t2w"])
    (tmp_path / table.loc[5, "t2w"]).write_bytes(b"no picture")
    with pytest.raises(CohortError) as caught:
        check(own)
    told = {fault.case: str(fault) for fault in caught.value.faults}
    assert set(table.loc[[1, 2, 3, 4, 5], "case"]) <= set(told)
    assert all("\n" not in line and "expected" in line for line in told.values())


def test_a_class_with_one_patient_is_one_message(tmp_path):
    own = config(tmp_path)
    table = pd.read_csv(own.cohort.table, dtype=str, keep_default_na=False)
    rare = table["histology"] == "MEC"
    table = table[~rare | (rare.cumsum() == 1)]
    table.to_csv(own.cohort.table, index=False)
    with pytest.raises(CohortError) as caught:
        check(own)
    (fault,) = caught.value.faults
    assert "1" in fault.found
    assert "MEC" in str(fault)


def test_check_counts_outcomes_on_the_command_line(tmp_path, capsys, monkeypatch):
    from fusion import cli

    own = config(tmp_path)
    words = ["fusion", "check", str(CONFIG), *SMALL, f"cohort.table={own.cohort.table}", "--json"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    found = json.loads(capsys.readouterr().out)
    assert found["sets"]["train"]["outcomes"]["MEC"] == 6


TASK = Task(classes={"a": ("a",), "b": ("b",)}, positive="b", images={"a": 30, "b": 100})


def test_images_are_dealt_over_the_tumours_and_split_without_regard_to_them():
    rows = pd.DataFrame({"case": [f"c{n}" for n in range(10)], "label": [0] * 6 + [1] * 4})
    made = images(rows, TASK, Literal(), rows["label"].value_counts(), np.random.default_rng(0))
    counts = made.groupby(["label", "case"]).size()
    assert counts[0].tolist() == [5] * 6
    assert counts[1].tolist() == [25] * 4
    assert (made["fold"] == JUDGED).groupby(made["label"]).sum().tolist() == [6, 20]
    assert (made[made["angle"] == 0].groupby("case").size() >= 1).all()
    assert made["angle"].between(-45, 45).all()
    assert made["image"].is_unique
    judged = set(made["case"][made["fold"] == JUDGED])
    assert judged <= set(made["case"][made["fold"] != JUDGED])  # the leak: every tumour that judges was learnt from


def test_fewer_cases_of_a_sequence_make_as_many_fewer_images():
    rows = pd.DataFrame({"case": [f"c{n}" for n in range(10)], "label": [0] * 6 + [1] * 4})
    made = images(rows.iloc[3:], TASK, Literal(), rows["label"].value_counts(), np.random.default_rng(0))
    assert made.groupby("label").size().tolist() == [15, 100]


def test_a_turn_by_a_right_angle_is_a_turn_by_a_right_angle():
    grey = np.random.default_rng(0).integers(0, 256, (33, 33)).astype(np.uint8)
    assert np.array_equal(turned(grey, 90.0), np.rot90(grey))
    assert turned(grey, 0.0) is grey


NOISE = """
name: noise
cohort:
  table: {table}
  sequences: {{A: {{column: picture}}}}
  outcome: outcome
  tasks: {{ab: {{classes: {{a: [a], b: [b]}}, positive: b}}}}
split: {{test_fraction: 0, folds: 3}}
roi: {{slice: {{shape: [32, 32]}}}}
literal: {{copies: 15}}
network:
  {{backbone: test_resnet, weights: none, input: {{kind: picture}}, epochs: 40, warmup_epochs: 0, batch: 32, ema: 0,
   lr_head: 3.0e-3, lr_backbone: 3.0e-3, drop_path: 0, dropout: 0, augment: rotation}}
evaluate: {{bootstrap: 200, threshold: {{kind: fixed, probability: 0.5}}}}
bundle: false
"""


def test_on_pictures_of_noise_the_leaking_protocol_scores_far_above_chance_and_the_honest_one_does_not(tmp_path):
    rng, rows = np.random.default_rng(0), []
    for number in range(24):
        noise = gaussian_filter(rng.normal(size=(32, 32)), 1.5)
        Image.fromarray((128 + 45 * noise / noise.std()).clip(0, 255).astype(np.uint8)).save(tmp_path / f"{number}.png")
        rows.append({"case": f"c{number}", "picture": f"{number}.png", "outcome": "ab"[number % 2]})
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    own = parse(NOISE.format(table=tmp_path / "table.csv"), [f"output={tmp_path / 'run'}", "jobs=1"])
    judged(own)
    honest, literal = (pd.read_csv(own.folder / f"metrics{kind}.csv").iloc[0] for kind in ("", "_paper_literal"))
    assert 0.25 <= honest["accuracy"] <= 0.75  # 24 cases: chance within 2.5 standard errors
    assert literal["accuracy"] >= 0.85
    assert literal["auc"] >= 0.9
