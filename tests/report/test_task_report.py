"""The report of a task run: what it says, what it leaves out, and that the page holds together."""

import re

import numpy as np
import pandas as pd
import pytest

from fusion.errors import RunError
from fusion.report import page
from fusion.report.tasks import TaskResults
from fusion.report.tasks.inflation import inflation
from fusion.report.tasks.table_one import table1
from tests.report.made_task_run import six, write
from tests.report.test_page import Nesting

SECTIONS = [
    "says", "flow", "slices", "models", "protocols", "roc", "confusion", "classes", "calibration", "selection",
    "method", "failures", "environment",
]  # fmt: skip
PAIR = "tasks=PA-Warthin"


def sections(html: str) -> list[str]:
    return re.findall(r'<section id="([^"]+)"', html)


def made(folder, *overrides: str, **more) -> str:
    return page.write(folder, write(folder, *overrides, **more)).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    run = write(folder)
    page.write(folder, run, pdf=True)
    return folder, run


@pytest.fixture(scope="module")
def html(finished) -> str:
    return (finished[0] / "report.html").read_text(encoding="utf-8")


def test_every_section_is_there_in_order(html):
    assert sections(html) == SECTIONS


def test_tags_are_closed_and_ids_are_unique(html):
    nesting = Nesting()
    nesting.feed(html)
    assert nesting.open == []
    assert len(nesting.ids) == len(set(nesting.ids))


def test_no_case_and_no_patient_is_named_on_the_page_or_in_a_table(finished, html):
    tables = "".join(path.read_text() for path in (finished[0] / "tables").glob("*.csv"))
    assert "secret" not in html + tables
    assert "private" not in html + tables


def test_a_pdf_is_written(finished):
    assert (finished[0] / "report.pdf").read_bytes().startswith(b"%PDF")


def test_every_plot_is_a_picture_and_a_drawing(finished):
    names = {path.stem for path in (finished[0] / "figures").glob("*.svg")}
    assert names == {path.stem for path in (finished[0] / "figures").glob("*.png")}
    assert {"protocols", "slices", "roc_train_oof"} <= names


def test_writing_again_gives_the_same_bytes(finished, html):
    assert page.write(*finished).read_text(encoding="utf-8") == html


def test_table_1_has_a_row_a_model_with_its_interval(finished):
    table = table1(TaskResults.read(*finished))
    assert (table["task"] + "/" + table["view"]).tolist() == list(finished[1].models)
    assert ((table["accuracy_low"] <= table["accuracy"]) & (table["accuracy"] <= table["accuracy_high"])).all()
    assert table.loc[table["in_paper"] == 1, "view"].unique().tolist() == ["T2-w", "ADC"]


def test_accuracy_in_table_1_is_that_of_the_calls(finished):
    results = TaskResults.read(*finished)
    row = table1(results).set_index(["task", "view"]).loc["all", "T2-w"]
    own = results.predictions[results.predictions["model"] == "all/T2-w"]
    names = results.tasks["all"].names
    called = own[[f"probability_{name}" for name in names]].to_numpy().argmax(axis=1)
    assert row["accuracy"] == pytest.approx((np.array(names)[called] == own["label"]).mean())


def test_the_majority_stands_beside_the_accuracy(finished):
    results = TaskResults.read(*finished)
    row = table1(results).set_index(["task", "view"]).loc["benign-malignant", "T2-w"]
    assert row["majority"] == pytest.approx(1 - row["events"] / row["n"])


def test_inflation_is_literal_less_honest(finished):
    table = inflation(TaskResults.read(*finished))
    assert np.allclose(table["difference"], table["literal"] - table["honest"])
    assert len(table[table["measure"] == "accuracy"]) == 8


def test_every_positive_class_is_named_above_its_table(html):
    titles = re.findall(r"<h3>([^<]*tumours of [^<]*)</h3>", html)
    assert [title.partition(")")[0].partition("(")[2] for title in titles] == [
        "positive: malignant, against benign", "positive: PA, against Warthin", "positive: malignant, against Warthin",
        "5 classes, means over them",
    ]  # fmt: skip


def test_tumours_without_a_sequence_are_counted(finished):
    table = pd.read_csv(finished[0] / "tables/missing_sequences.csv").set_index("Task")
    cohort = pd.read_csv(finished[0] / "cohort.csv")
    assert table.loc["all", "ADC"] == (cohort["has_ADC"] == 0).sum() > 0
    assert (table["T2-w"] == 0).all()


def test_without_the_leaking_protocol_nothing_is_said_of_it(tmp_path):
    text = made(tmp_path, "literal=null", PAIR)
    assert "protocols" not in sections(text)
    assert "leaking" not in text


def test_one_task_of_two_classes_has_no_table_of_classes(tmp_path):
    text = made(tmp_path, PAIR)
    assert [name for name in SECTIONS if name not in sections(text)] == ["classes"]
    assert "1 question: PA-Warthin" in text


def test_without_masks_there_is_no_radiomics(tmp_path):
    text = made(tmp_path, "cohort.sequences={T2-w: {column: t2w}, ADC: {column: adc}}", PAIR)
    assert "selection" not in sections(text)
    assert "no outline" in text


def test_a_model_that_is_missing_is_told(tmp_path):
    text = made(tmp_path, PAIR, without=("PA-Warthin/ADC",))
    assert "PA-Warthin: the config asks for ADC, which the run does not have." in text


def test_the_test_set_comes_first(tmp_path):
    run = write(tmp_path, PAIR, sets=("train", "test"))
    results = TaskResults.read(tmp_path, run)
    assert results.sets == ["test", "train_oof"]
    assert "There is no external set" in page.write(tmp_path, run).read_text()


def test_one_sequence_alone_is_enough(tmp_path):
    text = made(tmp_path, "sequences=[T2-w]", "fused=[]", "heads.clinical=[]", PAIR)
    assert "of 1 sequences" not in text
    assert "T2-w, AUC" in text


def test_long_names_are_told_whole_and_drawn_without_collapse(tmp_path):
    name = "a.rather.long.name.of.a.class-of-salivary-gland-tumours"
    tasks = f"cohort.tasks={{{name}: {{classes: {{{name}: [PA], Warthin: [Warthin]}}, positive: {name}}}}}"
    text = made(tmp_path, tasks, "sequences=[T2-w]", "fused=[]")
    assert f"{name} (positive: {name}, against Warthin)" in text


def test_the_paper_s_six_sequences_make_24_models(tmp_path):
    run = write(tmp_path, *six(masks=False), "heads.clinical=[]", "fused=[]", "evaluate.bootstrap=200")
    assert len(table1(TaskResults.read(tmp_path, run))) == 24


def test_missing_files_are_named_together(tmp_path):
    run = write(tmp_path, PAIR)
    for name in ("metrics.csv", "predictions_paper_literal.csv"):
        (tmp_path / name).unlink()
    with pytest.raises(RunError, match=r"no metrics\.csv, predictions_paper_literal\.csv"):
        TaskResults.read(tmp_path, run)


def test_two_task_runs_stand_side_by_side(finished, tmp_path):
    results = TaskResults.read(*finished)
    text = page.write_comparison([results, results], tmp_path / "both.html").read_text()
    assert text.count('<td class="word">A tiny_mri</td>') == text.count('<td class="word">B tiny_mri</td>') == 28


def test_runs_of_two_kinds_are_refused(finished, make_run, tmp_path):
    with pytest.raises(RunError, match="runs of one kind"):
        page.write_comparison([page.read(*finished), page.read(*make_run())], tmp_path / "both.html")


def test_a_test_set_that_lacks_a_class_is_told_without_an_auc(tmp_path):
    run = write(tmp_path, "tasks=all", sets=("train", "test"), trained="MEC")
    text = page.write(tmp_path, run).read_text()
    assert "mean one-against-rest AUC – (95% interval –)" in text
