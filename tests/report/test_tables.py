import pandas as pd
import pytest

from fusion.errors import RunError
from fusion.report import page
from fusion.report.results import read


def test_table_one_has_a_row_a_model_and_set(finished):
    folder, _run = finished
    table = pd.read_csv(folder / "tables/table1.csv")
    assert len(table) == 22
    assert list(table.columns) == [
        "Model", "Set", "n", "Events", "AUC", "95% CI", "95% CI (DeLong)", "P vs Combined", "P (Holm)",
        "ACC", "SEN", "SPE", "PPV", "NPV", "F1", "Brier",
    ]  # fmt: skip


def test_table_one_prints_the_metrics_to_three_decimals(finished):
    folder, _run = finished
    metrics = pd.read_csv(folder / "metrics.csv")
    table = pd.read_csv(folder / "tables/table1.csv", dtype=str).set_index(["Model", "Set"])
    for row in metrics.itertuples():
        assert table.loc[(row.model, row.set), "AUC"] == f"{row.auc:.3f}"


def test_the_reference_has_no_p(finished):
    folder, _run = finished
    table = pd.read_csv(folder / "tables/table1.csv", dtype=str)
    assert set(table[table["Model"] == "Combined"]["P vs Combined"]) == {"–"}


def test_the_cohort_table_counts_every_case_once(finished):
    folder, _run = finished
    table = pd.read_csv(folder / "tables/cohort.csv", dtype=str)
    groups = [name for name in table.columns if name.startswith(("train: ", "test: "))]
    assert table.loc[0, groups].astype(int).sum() == 357
    levels = table.loc[table["Variable"] == "margin", groups]
    assert sum(int(cell.split()[0]) for cell in levels.to_numpy().ravel()) == 357


def test_the_cohort_table_gives_mean_and_sd(finished):
    folder, run = finished
    rows = read(folder, run).cohort.query("set == 'test' and event == 1")
    table = pd.read_csv(folder / "tables/cohort.csv", dtype=str).set_index(["Variable", "Level"])
    assert table.loc[("age", "mean ± SD"), "test: malignant"] == f"{rows['age'].mean():.2f} ± {rows['age'].std():.2f}"


def test_the_features_table_tells_how_many_folds_agree(finished):
    folder, _run = finished
    table = pd.read_csv(folder / "tables/features.csv")
    assert set(table["Folds"]) == {"5 of 5"}
    assert (table["Model"] == "Tumor+External2_RAD").sum() == 14


def test_an_unfinished_run_is_told(make_run, tmp_path):
    _, run = make_run("network=null")
    with pytest.raises(RunError, match=r"no cohort.csv, predictions.csv, metrics.csv"):
        page.write(tmp_path, run)
