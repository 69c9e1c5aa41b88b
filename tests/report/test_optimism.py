import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fusion.report import optimism, page
from tests.unrendered import unrendered


@pytest.fixture(scope="module")
def leaking_run(make_run, literal):
    """A finished run with the plain reading beside it, and its page."""
    folder, run = make_run("heads.stacking=paper_literal")
    literal(pd.read_csv(folder / "cohort.csv")).to_csv(folder / optimism.FILE, index=False)
    with unrendered():
        page.write(folder, run)
    return folder, run


@pytest.fixture(scope="module")
def leaking(leaking_run):
    return leaking_run[0]


@pytest.fixture(scope="module")
def table(leaking):
    return pd.read_csv(leaking / optimism.TABLE).set_index("model")


def test_the_page_writes_the_same_table_as_the_experiment(leaking_run, table):
    path = optimism.write(*leaking_run)
    assert pd.read_csv(path).set_index("model").equals(table)


def test_in_sample_and_unseen_auc_come_from_the_plain_reading(leaking, table):
    rows = pd.read_csv(leaking / optimism.FILE).query("model == 'Combined'")
    for name, set_ in (("literal_train", "train"), ("literal", "test")):
        own = rows[rows["set"] == set_]
        assert table.loc["Combined", name] == pytest.approx(roc_auc_score(own["event"], own["probability"]))
        assert (
            table.loc["Combined", f"{name}_low"] <= table.loc["Combined", name] <= table.loc["Combined", f"{name}_high"]
        )


def test_the_honest_auc_is_that_of_the_metrics(leaking, table):
    metrics = pd.read_csv(leaking / "metrics.csv").query("set == 'test'").set_index("model")
    assert table["honest"].equals(metrics["auc"].loc[table.index].rename("honest"))


def test_the_optimism_is_in_sample_minus_unseen(table):
    assert (table["optimism"] - (table["literal_train"] - table["literal"])).abs().max() < 1e-12
    assert (table["optimism"] > 0.2).all()


def test_without_a_test_set_the_left_out_folds_are_the_unseen_cases(make_run, literal):
    folder, run = make_run("heads.stacking=paper_literal", sets=("train",))
    literal(pd.read_csv(folder / "cohort.csv")).to_csv(folder / optimism.FILE, index=False)
    optimism.write(folder, run)
    assert set(pd.read_csv(folder / optimism.TABLE)["set"]) == {"train_oof"}


def test_a_line_a_model_is_told(leaking):
    lines = optimism.lines(leaking)
    assert len(lines) == 8
    assert lines[-1].startswith("Combined: in-sample AUC 1.000, test set ")


def test_the_page_warns_and_names_the_mode(leaking):
    text = (leaking / "report.html").read_text(encoding="utf-8")
    assert "Warning: this table leaks on purpose" in text
    assert "paper_literal: a network&#39;s score" in text
    assert "by one temperature fitted on out-of-fold log-odds" in text


def test_an_honest_run_has_no_such_section(finished):
    folder, run = finished
    assert optimism.write(folder, run) is None
    assert optimism.lines(folder) == []
    assert 'id="optimism"' not in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("mode", "words"), [("frozen_backbone", "untrained ImageNet pyramid"), ("nested_vector", "two thirds")]
)
def test_the_method_names_every_mode(make_run, mode, words):
    folder, run = make_run(f"heads.stacking={mode}", sets=("train",), models=("Tumor_DL", "Combined"))
    text = page.write(folder, run).read_text(encoding="utf-8")
    assert words in text
    assert "by one temperature" not in text
