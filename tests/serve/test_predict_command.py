"""`fusion predict` as typed, and many cases of a table."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pytest

from fusion import cli
from fusion.errors import CohortError
from fusion.serve import bundle as bundles
from fusion.serve import cohort_predict
from fusion.serve.cohort_predict import Wanted, predict_cohort
from fusion.serve.typed import Typed, asked

COMMAND = [sys.executable, "-c", "from fusion.cli import main; main()"]
PLAIN = Wanted(explain=False)


@pytest.fixture(scope="module")
def folder(ct_run):
    """With the cohort's table and images."""
    return ct_run.parent


@pytest.fixture
def typed(monkeypatch, capsys, folder, ct_run):
    """What a command leaves: exit code, stdout, stderr."""

    def run(*words):
        monkeypatch.setattr("sys.argv", ["fusion", "predict", str(ct_run), *map(str, words)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return (stop.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def case(folder):
    """The options of one case."""
    row = pd.read_csv(folder / "table.csv", dtype=str).iloc[0]
    return ("--image", folder / row["ct"], "--mask", folder / row["tumour"], "--no-heat-map",
            "--clinical", f"margin={row['margin']}", "--clinical", f"age={row['age']}")  # fmt: skip


def test_one_case_is_json_on_stdout_and_nothing_else(typed, case):
    code, out, err = typed(*case, "--case", "c0")
    assert (code, err) == (0, "")
    assert json.loads(out)["case"] == "c0"
    assert len(json.loads(out)["answers"]) == 11


def test_files_go_where_they_are_asked_for(typed, case, tmp_path):
    code, out, _ = typed(*case, "--out", tmp_path / "out", "--sheet", "html", "--model", "Tumor_RAD", "--json")
    assert code == 0
    assert (tmp_path / "out/answer.json").read_text() == out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "answer.json", "external2.nii.gz", "overlay.png", "sheet.html",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--clinical", "age"), 1, "found --clinical age; expected NAME=value"),
        (("--clinical", "age=3"), 1, "found --clinical age twice"),
        (("--mask", "b.nii.gz"), 1, "found 2 --mask; expected one"),
        (("--task", "all"), 1, "found task 'all'; expected no task"),
        (("--case", "../a"), 1, "found case name '../a'"),
        (("--sheet", "html"), 2, "--out"),
        (("--sheet", "doc", "--out", "o"), 2, "html or pdf"),
        (("--cohort", "table.csv", "--out", "o"), 2, "stand in the table"),
    ],
)
def test_what_cannot_be_meant_is_told(typed, case, words, code, told):
    found, out, err = typed(*case, *words)
    assert (found, out) == (code, "")
    assert told in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err


def test_missing_files_and_values_are_a_line_each(typed, folder):
    code, out, err = typed("--image", folder / "none.nii.gz", "--mask", folder / "c0_tumour.nii.gz")
    assert (code, out) == (1, "")
    assert [line.partition(";")[0].partition("found ")[2] for line in err.splitlines()] == [
        "no value of margin, which model Combined reads", "no value of age, which model Combined reads", "no such file",
    ]  # fmt: skip


def test_slices_are_asked_by_sequence(ct_bundle):
    own = bundles.read(ct_bundle)
    slices = replace(own, manifest=own.manifest.model_copy(update={"kind": "slices"}))
    found = asked(Typed("a", ("T2-w=a.png", "ADC=b.png"), ("ADC=c.png",)), slices)
    assert [(scan.sequence, scan.image.name, scan.mask and scan.mask.name) for scan in found.study.scans] == [
        ("T2-w", "a.png", None), ("ADC", "b.png", "c.png"),
    ]  # fmt: skip
    with pytest.raises(CohortError, match=r"found --image a\.png; expected SEQUENCE=path") as told:
        asked(Typed("a", ("a.png",), ("ADC=c.png",)), slices)
    assert "--mask ADC=... without its image" in str(told.value)


@pytest.fixture(scope="module")
def rows(folder, tmp_path_factory):
    """A table of five cases without outcome; one of them lacks a clinical value, one its image."""
    table = pd.read_csv(folder / "table.csv", dtype=str).drop(columns="malignant").head(5)
    for column in ("ct", "tumour"):
        table[column] = [str(folder / name) for name in table[column]]
    table.loc[1, "age"] = ""
    table.loc[3, "ct"] = str(folder / "none.nii.gz")
    path = tmp_path_factory.mktemp("new") / "new.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def done(ct_run, rows, tmp_path_factory):
    out = tmp_path_factory.mktemp("many")
    found = predict_cohort(ct_run, rows, out, PLAIN, jobs=1)
    return found, out, found.predictions.read_bytes()


def test_every_case_that_can_be_answered_is(done):
    found, out, _ = done
    table = pd.read_csv(found.predictions)
    assert list(table.columns) == ["case", "model", "probability", "label", "set", "refer", "warnings"]
    assert list(table["case"].unique()) == ["c0", "c2", "c4"]
    assert found.answered == 3
    assert [(fault.case, fault.found.partition(",")[0]) for fault in found.faults] == [
        ("c1", "no value of age"), ("c3", "no such file"),
    ]  # fmt: skip
    assert {path.name for path in (out / "c0").iterdir()} == {
        "answer.json", "external2.nii.gz", "inputs.json", "overlay.png",
    }  # fmt: skip


def test_the_answers_are_those_of_each_case_alone(done, typed, case):
    _, out, _ = done
    assert (out / "c0/answer.json").read_text() == typed(*case, "--case", "c0")[1]


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(done, ct_run, rows, tmp_path):
    found = predict_cohort(ct_run, rows, tmp_path, PLAIN, jobs=2)
    assert found.predictions.read_bytes() == done[2]
    assert found.faults == done[0].faults


def test_only_what_is_missing_or_changed_is_done_again(done, ct_run, rows, monkeypatch):
    _, out, before = done
    asked_again = []
    deliver = cohort_predict.deliver
    monkeypatch.setattr(
        cohort_predict,
        "deliver",
        lambda own, asked, outputs: asked_again.append(asked.case) or deliver(own, asked, outputs),
    )
    (out / "c2/overlay.png").unlink()
    (out / "c4/inputs.json").unlink()
    assert predict_cohort(ct_run, rows, out, PLAIN, jobs=1).predictions.read_bytes() == before
    assert asked_again == ["c1", "c2", "c3", "c4"]
    asked_again.clear()
    predict_cohort(ct_run, rows, out, Wanted(models=("Tumor_RAD",), explain=False), jobs=1)
    assert asked_again == ["c0", "c1", "c2", "c3", "c4"]


def test_a_killed_call_goes_on_and_ends_with_the_same_numbers(done, ct_run, rows, tmp_path):
    words = ["predict", str(ct_run), "--cohort", str(rows), "--out", str(tmp_path), "--no-heat-map", "--jobs", "1"]
    process = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ)
    for _ in range(600):
        if (tmp_path / "c0/inputs.json").is_file() or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = predict_cohort(ct_run, rows, tmp_path, PLAIN, jobs=1)
    assert (tmp_path / "c0/inputs.json").is_file()
    assert again.predictions.read_bytes() == done[2]


def test_the_command_tells_what_failed_once_all_others_are_done(typed, rows, tmp_path):
    code, out, err = typed("--cohort", rows, "--out", tmp_path, "--model", "Tumor_RAD", "--no-heat-map", "--jobs", 1)
    told = json.loads(out)
    assert (code, told["answered"]) == (1, 4)
    assert [fault["case"] for fault in told["faults"]] == ["c3"]
    assert "case c3: " in err
    assert "Traceback" not in err
