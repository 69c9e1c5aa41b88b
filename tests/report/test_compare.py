import re

import numpy as np
import pandas as pd
import pytest

from fusion.config import dump
from fusion.errors import FusionError
from fusion.evaluate.discrimination import delong_test
from fusion.evaluate.metrics import metrics
from fusion.flow import stages
from fusion.report import contrasts
from fusion.report.compare import compare, differences, lettered
from fusion.report.pairs import corrected, paired, same_cases
from fusion.report.results import read


@pytest.fixture(scope="module")
def two(make_run):
    """Two runs over the same cases: all models, and without networks; the second a worse Clinical."""
    first = make_run()
    second = make_run("network=null", "name=plain", "seed=3")
    rewritten(
        *second, lambda table: np.where(table["model"] == "Clinical", 0.5 - 0.4 * table["event"], table["probability"])
    )
    for folder, run in (first, second):
        (folder / "run.yaml").write_text(dump(run))
    return first, second


@pytest.fixture(scope="module")
def runs(two):
    return lettered([read(*own) for own in two])


def rewritten(folder, run, change):
    table = pd.read_csv(folder / "predictions.csv")
    table["probability"] = change(table)
    table.to_csv(folder / "predictions.csv", index=False)
    metrics(table, run.evaluate, run.seed).to_csv(folder / "metrics.csv", index=False)


def test_only_fields_that_differ_are_shown_and_a_part_that_one_lacks_is_one_row(runs):
    table = differences(runs).set_index("Field")
    assert list(table.index) == ["name", "seed", "network"]
    assert table.loc["network", "B plain"] == "null"
    assert "backbone" in table.loc["network", "A fake"]
    assert list(table.loc["seed"]) == ["0", "3"]


def test_the_same_model_is_tested_over_the_same_cases(runs):
    pairs = paired(runs)
    one, other = (own.predictions.query("model == 'Clinical' and set == 'test'") for own in runs.values())
    expected = delong_test(one["probability"].to_numpy(), other["probability"].to_numpy(), one["event"].to_numpy())
    found = next(pair for pair in pairs if pair.model == "Clinical" and pair.set == "test")
    assert (found.test.difference, found.test.p) == (expected.difference, expected.p)
    assert (found.n, found.events) == (105, 27)
    assert {pair.model for pair in pairs} == set(runs["B plain"].models)


def test_holm_runs_over_the_comparisons_of_a_set(runs):
    pairs = paired(runs)
    for pair, p in zip(pairs, corrected(pairs), strict=True):
        assert p >= pair.test.p
    tests = sum(pair.set == "test" for pair in pairs)
    smallest = min((pair.test.p, p) for pair, p in zip(pairs, corrected(pairs), strict=True) if pair.set == "test")
    assert smallest[1] == pytest.approx(min(1, tests * smallest[0]))


def test_a_difference_that_is_there_is_told_and_equal_models_are_none(runs):
    *_, verdict = contrasts.sentences(runs, paired(runs))
    assert "1 outlasts Holm's correction: Clinical is " in verdict
    assert "higher in A fake than in B plain (test set, P <0.001)" in verdict


def test_too_few_cases_for_the_test_are_told(make_run):
    told = lettered([read(*make_run("network=null", f"seed={seed}", cases=60)) for seed in (0, 1)])
    assert contrasts.sentences(told, paired(told))[-1].startswith("With 3 cases in the smaller class DeLong's")


def test_only_shared_names_of_other_patients_are_not_the_same_cases(make_run, runs):
    folder, run = make_run("network=null")
    assert same_cases(runs["A fake"], read(folder, run))
    cohort = pd.read_csv(folder / "cohort.csv", dtype=str)
    cohort.loc[0, "age"] = "7.0"
    cohort.to_csv(folder / "cohort.csv", index=False)
    other = read(folder, run)
    other.environment["data_sha256"] = "cd" * 32
    assert not same_cases(runs["A fake"], other)
    told = lettered([runs["A fake"], other])
    assert paired(told) == []
    assert " and ".join(told) + " have different cases" in "\n".join(contrasts.cautions(told))
    assert "no difference between runs can be tested" in contrasts.sentences(told, [])[-1]


def test_cases_that_one_learned_from_and_the_other_set_aside_are_told(make_run, runs):
    other = read(*make_run("network=null", sets=("train",)))
    told = lettered([runs["A fake"], other])
    assert list(told) == [f"A {runs['A fake'].folder.name}", f"B {other.folder.name}"]  # one name, so the folders tell
    assert f"105 cases that one of {' and '.join(told)} learned from were set aside" in "\n".join(
        contrasts.cautions(told)
    )


def test_the_page_has_every_model_of_every_run_once_a_set(two, tmp_path):
    path = stages.compare([folder for folder, _ in two], tmp_path / "both.html", pdf=True)
    text = path.read_text(encoding="utf-8").replace("<wbr>", "")
    models = text[text.index('<section id="models"') : text.index('<section id="tests"')]
    rows = re.findall(r"<tr><td[^>]*>([^<]*)</td><td[^>]*>([^<]*)</td>", models)
    assert len(rows) == 2 * (11 + 5)
    assert rows.count(("Clinical", "B plain")) == 2
    assert "secret" not in text
    assert "private" not in text
    assert re.findall(r"""\b(?:src|href)\s*=\s*["'](?!#)""", text) == []
    assert (tmp_path / "both.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(own.name for own in tmp_path.iterdir()) == ["both.html", "both.pdf"]


def test_the_reference_models_are_overlaid(runs):
    _, plots = compare(list(runs.values()))
    assert list(plots) == ["roc_test", "roc_train_oof"]
    figure = plots["roc_test"]()
    labels = [line.get_label() for line in figure.axes[0].get_lines()]
    assert [label.split("  ")[0] for label in labels[:2]] == ["A fake, Combined", "B plain, Combined"]
    assert "105 (27 malignant), 105 (27 malignant)" in figure.get_suptitle().replace("\n", " ")


def test_folders_without_a_finished_run_are_told_at_once(two, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    (half / "run.yaml").write_text((two[0][0] / "run.yaml").read_text())
    with pytest.raises(FusionError, match=r"no run\.yaml") as told:
        stages.compare([two[0][0], half, tmp_path / "nothing"], tmp_path / "out.html")
    assert "no cohort.csv, predictions.csv, metrics.csv" in str(told.value)
    assert not (tmp_path / "out.html").exists()


def test_the_verb_compares_or_reports_by_the_count_of_folders(two, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from fusion.cli import app

    folders = [str(folder) for folder, _ in two]
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["report", *folders])
    assert (done.exit_code, done.stdout.strip()) == (0, "compare.html")
    assert (tmp_path / "compare.html").is_file()
    assert CliRunner().invoke(app, ["report", folders[0], "--out", "x.html"]).exit_code == 2
    assert CliRunner().invoke(app, ["report"]).exit_code == 2
