"""What a user types: exit codes, and nothing but JSON where JSON was asked for."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fusion import cli
from tests import toy

COMMAND = [sys.executable, "-c", "from fusion.cli import main; main()"]


def typed(monkeypatch, *words) -> int:
    """The exit code of a command."""
    monkeypatch.setattr("sys.argv", ["fusion", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code or 0


@pytest.fixture
def config(tmp_path):
    toy.cohort(tmp_path)
    path = tmp_path / "a.yaml"
    path.write_text(toy.CONFIG.format(table=tmp_path / "table.csv"))
    return path


def test_a_sound_cohort_exits_0(config, monkeypatch, capsys):
    assert typed(monkeypatch, "check", config, "jobs=1") == 0
    assert "16 cases, no fault: test 5" in capsys.readouterr().out


def test_check_as_json_is_one_document(config, monkeypatch, capsys):
    typed(monkeypatch, "check", config, "jobs=1", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"]
    assert sum(part["n"] for part in answer["sets"].values()) == 16


def test_wrong_usage_exits_2(monkeypatch, capsys):
    assert typed(monkeypatch, "run") == 2
    assert typed(monkeypatch, "rnu", "a.yaml") == 2


def test_a_missing_config_exits_1(monkeypatch, capsys):
    assert typed(monkeypatch, "run", "nothing.yaml") == 1
    assert capsys.readouterr().err == ("nothing.yaml: found no such file; expected a YAML config; check the path\n")


def test_a_folder_that_is_no_run_exits_1(tmp_path, monkeypatch, capsys):
    assert typed(monkeypatch, "evaluate", tmp_path) == 1
    assert "found no run.yaml" in capsys.readouterr().err


def test_the_schema_is_json(monkeypatch, capsys):
    assert typed(monkeypatch, "config", "--schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Run"


def test_a_phantom_of_too_few_cases_exits_1(tmp_path, monkeypatch, capsys):
    assert typed(monkeypatch, "phantom", "ct", tmp_path, "--cases", 2) == 1
    assert "cases = 2" in capsys.readouterr().err


def test_a_phantom_of_slices_leaves_its_table(tmp_path, monkeypatch, capsys):
    words = ("phantom", "mri", tmp_path, "--cases", 10, "--pixels", 32, "--preset", "noise", "--seed", 3, "--jobs", 1)
    assert typed(monkeypatch, *words) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'clinical.csv'}\n"
    made = json.loads((tmp_path / "phantom.json").read_text())["spec"]
    assert made == {"kind": "mri", "cases": 10, "preset": "noise", "pixels": 32, "seed": 3}


@pytest.mark.parametrize(("kind", "foreign"), [("mri", ("--size", "crop")), ("ct", ("--pixels", "64"))])
def test_an_option_of_the_other_phantom_is_refused(tmp_path, monkeypatch, capsys, kind, foreign):
    assert typed(monkeypatch, "phantom", kind, tmp_path / "out", *foreign) == 2
    assert f"{foreign[0]}: not of {kind}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_preset_of_the_other_phantom_exits_1(tmp_path, monkeypatch, capsys):
    assert typed(monkeypatch, "phantom", "mri", tmp_path, "--preset", "strong") == 1
    assert "preset = 'strong'" in capsys.readouterr().err


def test_verbs_leave_their_part_and_evaluate_answers_in_json(config, tmp_path, monkeypatch, capsys):
    out = tmp_path / "run"
    words = [config, f"output={out}", "jobs=1"]
    assert typed(monkeypatch, "regions", *words) == 0
    assert len(list((out / "regions").glob("*_external2.nii.gz"))) == 16
    assert typed(monkeypatch, "extract", *words) == 0
    assert (out / "features/radiomics_tumour.parquet").is_file()
    assert not (out / "predictions.csv").exists()
    assert typed(monkeypatch, "run", *words) == 0
    capsys.readouterr()
    assert typed(monkeypatch, "evaluate", out, "--json") == 0
    assert {row["model"] for row in json.loads(capsys.readouterr().out)} >= {"Tumor_RAD", "Combined"}


def heed_interrupts():
    """A suite started in the background ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupt_exits_130_and_the_next_start_finishes(config, tmp_path):
    command = [*COMMAND, "run", str(config), f"output={tmp_path / 'run'}", "radiomics.images=[original, wavelet-LLH]"]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True,
                               preexec_fn=heed_interrupts)  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "regions").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(started.pid, signal.SIGINT)
    _, errors = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "Traceback" not in errors
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_export_asks_for_the_run_folder(config, monkeypatch, capsys):
    assert typed(monkeypatch, "export", config) == 2
    assert "--run" in capsys.readouterr().err
