import numpy as np
import pandas as pd
import pytest

from fusion.evaluate import discrimination
from fusion.evaluate.metrics import compare
from fusion.evaluate.sweep.comparison import JUDGED, comparison
from tests.evaluate.sweep import made


@pytest.fixture(scope="module")
def whole():
    return made.cohort(90)


@pytest.fixture(scope="module")
def cells(whole):
    """Three cells of one round over the same cases, rising in signal."""
    generator = np.random.default_rng(0)
    return [
        made.cell(f"c0{n}", {"": made.round_(whole, range(60, 90), n / 2, generator)}, whole, x=str(n))
        for n in (1, 2, 3)
    ]


def test_what_a_cell_scored_is_as_its_own_metrics_have_it(cells):
    table = comparison(cells)
    for own in cells:
        mine = table[table["cell"] == own.name].set_index(["model", "set"])
        its = own.metrics.set_index(["model", "set"])
        assert mine[list(JUDGED)].astype(float).equals(its.loc[mine.index, list(JUDGED)].astype(float))
        assert set(mine["x"]) == {own.values["x"]}


def test_each_cell_is_tested_against_the_first_as_two_models_of_one_run_are(cells):
    table = comparison(cells).set_index(["cell", "model", "set"])
    rows = {own.name: own.rounds[""].query("model == 'Clinical'").assign(model=own.name) for own in cells}
    both = pd.concat(rows.values())
    for name in ("c02", "c03"):
        expected = compare(both, name, "c01", "test")
        found = table.loc[(name, "Clinical", "test")]
        assert (found["difference"], found["difference_low"], found["p"]) == (
            expected.difference, expected.low, expected.p,
        )  # fmt: skip
        assert (found["against"], found["test"]) == ("c01", "DeLong")
    assert table.loc[("c01", "Clinical", "test")][["difference", "p", "p_holm"]].isna().all()


def test_a_difference_is_that_of_the_areas_and_holm_runs_over_the_cells_of_a_model_and_set(cells):
    table = comparison(cells)
    for _, own in table.groupby(["model", "set"]):
        others = own.iloc[1:]
        assert np.allclose(others["difference"], others["auc"] - own["auc"].iloc[0])
        assert np.allclose(others["p_holm"], discrimination.holm(others["p"].to_numpy()))


def test_cells_over_other_cases_outcomes_or_folds_have_no_test_but_a_reason(whole, cells):
    generator = np.random.default_rng(1)
    other_test = made.cell("c04", {"": made.round_(whole, range(30), 1, generator)}, whole)
    other_folds = made.cell("c05", {"": made.round_(whole, range(60, 90), 1, generator, folds=5)}, whole)
    swapped = whole.assign(event=1 - whole["event"])
    other_outcome = made.cell("c06", {"": made.round_(swapped, range(60, 90), 1, generator)}, swapped)
    renamed = whole.assign(patient="other" + whole["patient"])
    other_people = made.cell("c07", {"": made.round_(whole, range(60, 90), 1, generator)}, renamed, data="cd")
    table = comparison([cells[0], other_test, other_folds, other_outcome, other_people]).query("model == 'Combined'")
    told = table.set_index(["cell", "set"])["test"]
    assert told["c04", "test"] == told["c04", "train_oof"] == "none: other cases"
    assert (told["c05", "test"], told["c05", "train_oof"]) == ("DeLong", "none: other folds")
    assert told["c06", "test"] == "none: other outcomes"
    assert told["c07", "test"] == "none: other patients"
    assert table[table["test"].str.startswith("none")][["difference", "p", "p_holm"]].isna().all(axis=None)


def test_rounds_that_part_the_cases_are_pooled_and_tested_by_delong(whole):
    generator = np.random.default_rng(2)
    one, two = (made.nested(name, whole, signal, generator) for name, signal in (("c01", 0.5), ("c02", 1.5)))
    row = comparison([one, two]).query("set == 'test' and cell == 'c02'").iloc[0]
    first, second = (pd.concat(own.rounds.values()).query("set == 'test'").sort_values("case") for own in (one, two))
    expected = discrimination.delong_test(
        second["probability"].to_numpy(), first["probability"].to_numpy(), first["event"].to_numpy()
    )
    assert (row["test"], row["p"], row["difference"]) == ("DeLong", expected.p, expected.difference)
    assert row["difference"] == pytest.approx(row["auc"] - one.metrics["auc"].iloc[0])


def repeated(name, whole, signal, generator, count=3):
    """Out-of-fold predictions of the whole cohort, ``count`` times with other folds."""
    rounds = {f"r{n}": made.round_(whole, (), signal, generator, models=("Combined",)) for n in range(count)}
    return made.cell(name, rounds, whole)


def test_repeated_rounds_are_tested_by_drawing_patients(whole):
    generator = np.random.default_rng(3)
    cells = [repeated(name, whole, s, generator) for name, s in (("c01", 0.3), ("c02", 0.4), ("c03", 2.0))]
    rows = comparison(cells).set_index("cell")
    means = {own.name: np.mean([s.auc for s in own.scores("Combined", "train_oof").values()]) for own in cells}
    assert set(rows["test"][1:]) == {"bootstrap of patients"}
    for name in ("c02", "c03"):
        assert rows["difference"][name] == pytest.approx(means[name] - means["c01"])
        assert rows["difference"][name] == pytest.approx(rows["auc"][name] - rows["auc"]["c01"])
        assert rows["difference_low"][name] < rows["difference"][name] < rows["difference_high"][name]
    assert rows["p"]["c03"] < 0.001 < 0.05 < rows["p"]["c02"]


def test_the_bootstrap_agrees_with_delong_where_both_can_be_made(whole):
    generator = np.random.default_rng(4)
    once = [made.cell(n, {"": made.round_(whole, (), s, generator)}, whole) for n, s in (("c01", 0.5), ("c02", 1.1))]
    twice = [
        made.cell(own.name, {"a": own.rounds[""], "b": own.rounds[""]}, whole) for own in once
    ]  # the same again, so that the mean over repeats is the one AUC
    delong, bootstrap = (comparison(cells).query("cell == 'c02'").iloc[0] for cells in (once, twice))
    assert bootstrap["difference"] == pytest.approx(delong["difference"])
    assert bootstrap["difference_low"] == pytest.approx(delong["difference_low"], abs=0.03)
    assert bootstrap["p"] == pytest.approx(delong["p"], rel=0.5)


def test_a_single_cell_has_rows_and_no_test(cells):
    table = comparison(cells[:1])
    assert len(table) == 4
    assert (table["against"] == "").all()


def test_tasks_are_compared_and_more_than_two_classes_by_drawing_patients(tmp_path):
    from fusion.evaluate.sweep.cell import Cell
    from tests.report.made_task_run import write

    cells = []
    for place, name in enumerate(("c01", "c02")):
        run = write(tmp_path / name, "literal=null", "evaluate.bootstrap=200", cases=60)
        table = pd.read_csv(tmp_path / name / "predictions.csv", dtype={"case": str})
        judged, whole = (pd.read_csv(tmp_path / name / f"{file}.csv", dtype=str) for file in ("metrics", "cohort"))
        judged["auc"] = judged["auc"].astype(float)
        if place:
            columns = [c for c in table if c.startswith("probability_")]
            table[columns] = table.groupby("model")[columns].shift(1).fillna(table[columns])
            table["probability"] = table["probability"].mask(table["event"].notna(), 0.5)
        cells.append(Cell(name, {"x": name}, run, judged, {"": table}, whole))
    rows = comparison(cells).query("cell == 'c02'")
    kinds = {model: cells[0].run.cohort.tasks[model.partition("/")[0]].positive is None for model in rows["model"]}
    assert set(rows["test"]) == {"DeLong", "bootstrap of patients"}
    for model, test in zip(rows["model"], rows["test"], strict=True):
        assert (test == "bootstrap of patients") == kinds[model]
