import re

import numpy as np
import pandas as pd
import pytest
import yaml

from fusion.errors import RunError
from fusion.report.sweep import write
from fusion.report.sweep.cautions import banners, cautions, largest_of_nothing
from fusion.report.sweep.cells import cells, models
from fusion.report.sweep.chosen import sentences
from fusion.report.sweep.drawn import drawn
from fusion.report.sweep.page import report
from fusion.report.sweep.read import read
from tests.report.sweep import made

TABLES = ["choice.csv", "chosen.csv", "chosen_metrics.csv", "comparison.csv"]
EIGHT = {"heads.top": ["3", "5", "10", "20"], "heads.selection": ["{kind: lasso}", "{kind: mrmr, width: 10}"]}


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    """Eight cells of three rounds, one of them failed."""
    folder = made.write(tmp_path_factory.mktemp("nested"), EIGHT, "cohort.phantom={}", split=3, failed=["c04"])
    write(folder)
    return folder


def text_of(folder):
    return (folder / "comparison.html").read_text(encoding="utf-8").replace("<wbr>", "").replace("−", "-")


def test_the_page_asks_nothing_of_a_network_and_names_no_patient(nested):
    text = text_of(nested)
    assert re.findall(r"""\b(?:src|href)\s*=\s*["'](?!#)""", text) == []
    assert "secret" not in text
    assert "private" not in text
    assert "found no voxel; expected one" in text


def test_the_honest_figure_comes_first_and_the_largest_auc_beside_it(nested):
    row = pd.read_csv(nested / "chosen_metrics.csv").iloc[0]
    text = text_of(nested)
    honest = text.index(f"is worth AUC {row['auc']:.3f}")
    best = text.index(f"AUC of the 7 cells in these cases is {row['best_auc']:.3f} ({row['best_cell']})")
    assert 0 < honest < best
    assert row["optimism"] == pytest.approx(row["best_auc"] - row["auc"])


def test_a_failed_cell_is_told_loudly_and_is_in_no_table(nested):
    swept = read(nested)
    assert banners(swept)[0] == "Synthetic cohort: a digital phantom, not patients."
    assert "1 of 8 cells failed: c04." in banners(swept)[1]
    assert any("1 cell failed (c04)" in told for told in cautions(swept))
    for name in ("comparison.csv", "choice.csv", "chosen.csv"):
        assert "c04" not in set(pd.read_csv(nested / name)["cell"])


def test_every_finished_cell_is_once_in_the_table_of_a_set_as_typed(nested):
    swept = read(nested)
    table = cells(swept, "test")
    assert list(table["Cell"]) == ["c01", "c02", "c03", "c05", "c06", "c07", "c08"]
    assert list(table["selection"][:2]) == EIGHT["heads.selection"]
    of_choice = swept.of_choice.set_index(["set", "cell"]).loc["test"]
    assert list(table["AUC"]) == [f"{area:.3f}" for area in of_choice["auc"]]
    counts = pd.read_csv(nested / "choice.csv")["cell"].value_counts()
    assert {c: t for c, t in zip(table["Cell"], table["Chosen"], strict=True) if t} == {
        name: f"{n} of 3" for name, n in counts.items()
    }
    assert list(models(swept, "test").columns) == ["Cell", *made.MODELS]


def test_the_chosen_predictions_hold_every_case_once(nested):
    chosen, choice = (pd.read_csv(nested / name) for name in ("chosen.csv", "choice.csv"))
    assert (len(chosen), chosen["case"].nunique()) == (120, 120)
    assert chosen.groupby("round")["cell"].unique().str[0].to_dict() == dict(
        zip(choice["round"], choice["cell"], strict=True)
    )
    assert set(chosen["model"]) == {"Combined"}


def test_what_is_written_again_is_byte_equal(nested):
    before = {name: (nested / name).read_bytes() for name in [*TABLES, "comparison.html"]}
    write(nested)
    assert before == {name: (nested / name).read_bytes() for name in before}


def test_the_model_that_decides_can_be_named(tmp_path):
    folder = made.write(tmp_path, {"heads.top": ["3", "5"]}, by="Clinical")
    write(folder)
    assert set(pd.read_csv(folder / "chosen.csv")["model"]) == {"Clinical"}
    assert pd.read_csv(folder / "chosen_metrics.csv")["model"][0] == "Clinical"


def test_one_holdout_is_judged_on_its_test_set(tmp_path):
    folder = made.write(tmp_path, {"heads.top": ["3", "5", "10"]}, cases=60)
    write(folder)
    row, chosen = pd.read_csv(folder / "chosen_metrics.csv").iloc[0], pd.read_csv(folder / "choice.csv")["cell"][0]
    its = pd.read_csv(folder / "cells" / chosen / "metrics.csv").query("model == 'Combined' and set == 'test'").iloc[0]
    assert (row["auc"], row["auc_low"], row["auc_high"]) == (its["auc"], its["auc_low"], its["auc_high"])
    assert f"The choice is {chosen} (top=" in " ".join(sentences(read(folder)))
    assert any(told.startswith("The smaller class has 8 cases (test set): DeLong's") for told in cautions(read(folder)))


def test_without_a_test_set_no_figure_is_made_up_and_the_page_says_how_to_get_one(tmp_path):
    folder = made.write(tmp_path, {"heads.top": ["3", "5", "10"]}, split=made.REPEATED)
    for name in ("chosen.csv", "chosen_metrics.csv"):  # of an earlier start that had a test set
        (folder / name).write_text("model,auc\nCombined,0.9\n")
    write(folder)
    assert len(pd.read_csv(folder / "choice.csv")) == 3
    assert pd.read_csv(folder / "chosen_metrics.csv").empty
    assert pd.read_csv(folder / "chosen.csv").empty
    text = text_of(folder)
    assert "no cases were set aside to judge the choice" in text
    assert "split.kind=nested" in text
    assert "Diamond" not in text


def test_what_is_not_finished_is_left_out_and_told(tmp_path):
    folder = made.write(tmp_path, {"heads.top": ["3", "5", "10"]}, waiting=["c01", "c03"])
    write(folder)
    assert set(pd.read_csv(folder / "comparison.csv")["cell"]) == {"c02"}
    told = " ".join([*banners(read(folder)), *cautions(read(folder)), *sentences(read(folder))])
    assert "2 of 3 cells not finished yet: c01, c03." in told
    assert "Cells are compared with c02, as c01 is not finished." in told
    assert "there was no choice to make" in told


def test_cells_over_other_cases_are_shown_without_a_test_and_with_the_reason(tmp_path):
    folder = made.write(tmp_path, {"seed": ["0", "1", "2"]})
    path = folder / "cells/c03/predictions.csv"
    table = pd.read_csv(path)
    table = table[table["case"] != table["case"].iloc[-1]]
    table.to_csv(path, index=False)
    write(folder)
    text = text_of(folder)
    assert "No test of c03: other cases" in text
    assert "Could not be chosen (other cases than c01 (train_oof)): c03." in text


def test_cells_that_predict_the_same_are_told(tmp_path):
    folder = made.write(tmp_path, {"heads.top": ["3", "5", "10"]}, models=("Combined",))
    for name in ("predictions.csv", "metrics.csv"):
        (folder / "cells/c03" / name).write_bytes((folder / "cells/c01" / name).read_bytes())
    swept = read(folder)
    assert "c01, c03 predict the same, case by case" in " ".join(cautions(swept))
    assert swept.of_choice.set_index(["cell", "set"])["p"]["c03", "test"] == 1


def test_a_folder_without_a_finished_cell_or_with_lost_files_is_told(tmp_path):
    with pytest.raises(RunError, match=r"no sweep\.yaml, cells\.csv"):
        write(tmp_path)
    folder = made.write(tmp_path / "a", {"heads.top": ["3", "5"]}, failed=["c01", "c02"])
    with pytest.raises(RunError, match="no finished cell"):
        write(folder)
    folder = made.write(tmp_path / "b", {"heads.top": ["3", "5"]})
    (folder / "sweep.yaml").write_text("by: Tumor_DL\n")
    with pytest.raises(RunError, match="by: Tumor_DL, which no finished cell has; expected one of Tumor_RAD"):
        write(folder)
    (folder / "cells/c01/metrics.csv").unlink()
    (folder / "cells/c02/predictions.csv").unlink()
    with pytest.raises(RunError) as told:
        write(folder)
    assert [str(fault.file).rpartition("cells/")[2] for fault in told.value.faults] == [
        "c01/metrics.csv", "c02/predictions.csv",
    ]  # fmt: skip


def test_words_that_are_values_stay_words(tmp_path):
    folder = made.write(tmp_path, {"network": ["null", "none"], "seed": ["007", "1"]})
    told = yaml.safe_load((folder / "sweep.yaml").read_text())
    assert read(folder).words == tuple(told["words"])
    assert [own.values["network"] for own in read(folder).done] == ["null", "null", "none", "none"]
    assert [own.values["seed"] for own in read(folder).done] == ["007", "1"] * 2


def test_rounds_are_read_by_their_number(tmp_path):
    folder = made.write(tmp_path, {"heads.top": ["3"]}, split=12, cases=240)
    assert list(read(folder).done[0].rounds) == [f"outer_{n}" for n in range(1, 13)]


def test_many_cells_stay_one_page_with_one_line_each(tmp_path):
    many = {"heads.top": [str(n) for n in range(1, 34)]}
    swept = read(made.write(tmp_path, many, cases=60, models=("Combined",)))
    assert [own.anchor for own in report(swept).sections] == ["says", "swept", "choice", "cells", "models", "costs"]
    figure = drawn(swept)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[:2] == ["the choice", "c01  top=1"]
    assert len(labels) == 34
    assert figure.get_size_inches()[1] < 9


def test_the_largest_of_models_that_know_nothing_is_as_simulated():
    generator = np.random.default_rng(0)
    events = np.arange(90) < 30
    ranks = generator.random((2000, 20, 90)).argsort(axis=2).argsort(axis=2) + 1
    areas = (ranks[:, :, events].sum(axis=2) - 30 * 31 / 2) / (30 * 60)
    assert largest_of_nothing(20, 30, 60) == pytest.approx(areas.max(axis=1).mean(), abs=0.005)
    assert largest_of_nothing(1, 30, 60) == 0.5


def test_fusion_report_makes_the_page_of_a_sweep_again(nested):
    from typer.testing import CliRunner

    from fusion.cli import app

    page = nested / "comparison.html"
    before = page.read_bytes()
    page.unlink()
    done = CliRunner().invoke(app, ["report", str(nested)])
    assert (done.exit_code, done.stdout.strip()) == (0, str(page))
    assert page.read_bytes() == before


@pytest.mark.parametrize("by", [None, "all/T2-w"])
def test_a_sweep_of_tasks_has_its_page_for_two_classes_and_for_more(tmp_path, by):
    from fusion.config import dump
    from tests.report.made_task_run import write as write_task_run

    for name in ("c01", "c02"):
        folder = tmp_path / "cells" / name
        run = write_task_run(
            folder, "literal=null", "evaluate.bootstrap=200", f"seed={name[-1]}", cases=80, sets=("train", "test")
        )
        (folder / "run.yaml").write_text(dump(run))
    (tmp_path / "cells.csv").write_text("cell,seed,state\nc01,1,done\nc02,2,done\n")
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump({"by": by, "words": ["seed=1,2"]}))
    write(tmp_path)
    row = pd.read_csv(tmp_path / "chosen_metrics.csv").iloc[0]
    its = pd.read_csv(tmp_path / "cells/c01/metrics.csv").query("set == 'test'").set_index("model").loc[row["model"]]
    assert row["model"] == (by or read(tmp_path).done[0].reference)
    names = ["n", "auc", "auc_low", "auc_high", "brier"]
    assert row[names].astype(float).tolist() == pytest.approx(its[names].astype(float).tolist(), nan_ok=True)
    assert np.isnan(row["events"]) == (by is not None)
