"""The IBSI table: verdicts, layout, and, where the phantoms are, every feature within tolerance."""

import importlib.util
import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from fusion.errors import CohortError

ROOT = Path(__file__).parents[2]
PHANTOMS = ROOT.parent / "shared/data/dicom_edge_cases/dicom_edge_cases.tar.gz"
REFERENCE = ROOT.parent / "shared/reference"
spec = importlib.util.spec_from_file_location("ibsi_run", ROOT / "experiments/ibsi/run.py")
ibsi = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ibsi)
real = pytest.mark.skipif(
    not (PHANTOMS.is_file() and (REFERENCE / "ibsi1_reference_values.csv").is_file()),
    reason=f"IBSI's phantoms and reference values are not at {PHANTOMS} and {REFERENCE}",
)


@pytest.fixture(scope="module")
def table():
    return ibsi.compare(PHANTOMS, REFERENCE)


@pytest.mark.parametrize(
    ("value", "reference", "tolerance", "verdict"),
    [
        (-0.35462, -0.355, 0, True),
        (1494.6, 1490, 0, True),
        (1495.1, 1490, 0, False),
        (0.113, 0.111, 0.002, True),
        (0.11301, 0.111, 0.002, False),
        (-51.9, -49, 2.9, True),
        (float("nan"), 1, 0.1, False),
        (float("nan"), 1, 0, False),
    ],
)
def test_the_verdict(value, reference, tolerance, verdict):
    assert ibsi.within(value, reference, tolerance) is verdict


def test_the_readme_keeps_its_words_and_gets_the_table(tmp_path, monkeypatch, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{ibsi.BEGIN}old\n{ibsi.END}after\n")
    columns = ["configuration", "feature", "value", "reference", "tolerance", "within"]
    rows = pd.DataFrame([("a", "f", 1.23456789, 1.2, 0.1, True), ("a", "g", 2.0, 1.2, 0.1, False)], columns=columns)
    monkeypatch.setattr(ibsi, "compare", lambda *_: rows)
    with pytest.raises(SystemExit, match="outside"):
        ibsi.main(readme=readme)
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| a | 1 of 2 |" in text
    assert "| f | a | 1.23457 | 1.2 | 0.1 | within |" in text
    assert "| g | a | 2 | 1.2 | 0.1 | **outside** |" in text
    assert json.loads(capsys.readouterr().out) == {"a": 1}


def test_missing_files_are_named(tmp_path):
    with pytest.raises(CohortError, match="pyradiomics_to_ibsi_map") as error:
        ibsi.compare(tmp_path / "none.tar.gz", tmp_path)
    assert len(error.value.faults) == 2
    with pytest.raises(CohortError, match=r"none\.tar\.gz"):
        ibsi._phantom(tmp_path / "none.tar.gz", "digital")


def test_the_command_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["run.py"])
    with pytest.raises(SystemExit, match="pass --reference"):
        ibsi.main(reference=tmp_path)


@real
@pytest.mark.parametrize("configuration", ibsi.CONFIGURATIONS)
def test_every_shared_feature_is_within_its_tolerance(table, configuration):
    own = table[table["configuration"] == configuration]
    assert len(own) == 102
    assert own[~own["within"]].to_dict("records") == []


@real
def test_the_readme_shows_what_is_measured(table):
    text = (ROOT / "experiments/ibsi/README.md").read_text()
    for name, own in table.groupby("configuration"):
        assert f"| {name} | {own['within'].sum()} of 102 |" in text
    assert text.count(" | within |") == 612
