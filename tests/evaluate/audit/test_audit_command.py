"""What a user types: exit codes, and nothing but JSON where JSON was asked for."""

import json
import tomllib
from pathlib import Path

import pytest

from fusion import cli
from fusion.evaluate.audit.shipped import FOLDER, asked

ROOT = Path(__file__).parents[3]
TABLE = "model,accuracy,sensitivity,specificity,p\nA,.787,.741,.852,.03\nB,.731,.667,.753,-\n"


def typed(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["fusion", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code or 0


@pytest.fixture
def table(tmp_path):
    (tmp_path / "table.csv").write_text(TABLE)
    return tmp_path / "table.csv"


def test_an_impossible_row_is_a_finding_not_a_failure(table, monkeypatch, capsys):
    assert typed(monkeypatch, "audit", table, "--positive", 27, "--negative", 81, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["possible"] for row in document["rows"]] == [False, True]
    assert document["rows"][0]["reason"].startswith("accuracy .787 needs 85 correct of 108")
    assert document["permutation"] is None


def test_shipped_cases_go_by_name_and_a_file_of_that_name_goes_first(table, monkeypatch, capsys, tmp_path):
    assert typed(monkeypatch, "audit", "shen2026") == 0
    assert "11 rows: 5 possible, 6 impossible" in capsys.readouterr().out
    table.rename(tmp_path / "shen2026")
    monkeypatch.chdir(tmp_path)
    assert typed(monkeypatch, "audit", "shen2026", "--positive", 27, "--negative", 81) == 0
    assert "2 rows: 1 possible, 1 impossible" in capsys.readouterr().out


def test_options_go_before_a_shipped_cases_own():
    assert asked("shen2026", {"positive": 3, "negative": 4, "odds": None}).positive == 3
    assert asked("shen2026", {"positive": None}).positive == 27


def test_an_unreadable_table_exits_1_with_all_its_faults(table, monkeypatch, capsys):
    table.write_text("model,acc\nA,.5\nA,.5\n")
    assert typed(monkeypatch, "audit", table) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert typed(monkeypatch, "audit", table, "--json") == 1
    assert len(json.loads(capsys.readouterr().out)["faults"]) == 2
    assert typed(monkeypatch, "audit", "nothing.csv") == 1


def test_faults_of_all_files_are_told_at_once(table, monkeypatch, capsys, tmp_path):
    table.write_text("model,acc\nA,.5\n")
    (tmp_path / "odds.csv").write_text("variable,or\nage,1\n")
    assert typed(monkeypatch, "audit", table, "--odds", tmp_path / "odds.csv", "--counts", "none.csv") == 1
    told = capsys.readouterr().err
    assert "did you mean accuracy?" in told
    assert "no column or_low" in told
    assert "none.csv: found no such file" in told


def test_a_reference_or_a_group_that_is_not_there_exits_1(table, monkeypatch, capsys):
    assert typed(monkeypatch, "audit", table, "--reference", "Z") == 1
    assert "expected one of A, B" in capsys.readouterr().err
    assert typed(monkeypatch, "audit", "shen2026", "--odds-group", "validation") == 1
    assert "expected one of train, test" in capsys.readouterr().err
    assert typed(monkeypatch, "audit", "shen2026", "--odds-events", 400) == 1


@pytest.mark.parametrize("words", [["--positive", "27"], ["--positive", "0", "--negative", "3"], ["--rounding", "up"]])
def test_wrong_usage_exits_2(table, monkeypatch, words):
    assert typed(monkeypatch, "audit", table, *words) == 2


def test_the_cases_lie_inside_the_package_that_is_shipped():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["fusion"]
    assert FOLDER.is_relative_to(ROOT / "fusion")
