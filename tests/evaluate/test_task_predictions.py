import numpy as np
import pandas as pd
import pytest

from fusion.config.tasks import Task
from fusion.errors import RunError
from fusion.evaluate import task_predictions
from fusion.evaluate.task_predictions import check, matrix, of, read

from .made_tasks import TASKS, cohort, images
from .made_tasks import table as made

CASES = cohort(20)


def table() -> pd.DataFrame:
    return made(CASES, ("T1", "T2"))


def changed(column: str, value: object, model: str = "grade/T1", place: int = 0) -> pd.DataFrame:
    """One cell of one model's rows replaced."""
    rows = table().astype({column: object})
    rows.loc[rows.index[rows["model"] == model][place], column] = value
    return rows


def refused(rows: pd.DataFrame) -> str:
    with pytest.raises(RunError) as error:
        check(rows, TASKS)
    return str(error.value)


def test_a_good_table_passes_unchanged():
    pd.testing.assert_frame_equal(check(table(), TASKS), table(), check_dtype=False)


def test_columns_come_in_the_tasks_order():
    rows = table()
    assert list(check(rows[rows.columns[::-1]], TASKS).columns) == list(rows.columns)


def test_classes_that_tasks_share_have_one_column():
    both = {
        "bm": Task(classes={"benign": (0,), "malignant": (1,)}, positive="malignant"),
        "wm": Task(classes={"Warthin": (0,), "malignant": (1,)}, positive="malignant"),
    }
    wanted = ("probability_benign", "probability_malignant", "probability_Warthin")
    assert task_predictions.columns(both)[7:] == wanted


def test_missing_columns_are_named_together():
    assert "no column event, label" in refused(table().drop(columns=["event", "label"]))


@pytest.mark.parametrize(
    ("column", "value", "model", "found"),
    [
        ("model", "size/T1", "grade/T1", "found model size/T1; expected TASK/VIEW of a task of grade, kind"),
        ("model", "grade", "grade/T1", "found model grade;"),
        ("set", "validation", "grade/T1", "set = 'validation'"),
        ("fold", 0.5, "grade/T1", "fold = 0.5"),
        ("label", "one", "grade/T1", "label = 'one' in model grade/T1; expected one of low, high"),
        ("label", "high", "kind/T1", "label = 'high' in model kind/T1"),
        ("probability_one", 1.5, "kind/T1", "probability_one = 1.5 in model kind/T1"),
        ("probability_one", "high", "kind/T1", "probability_one = 'high'"),
        ("probability_high", np.nan, "grade/T1", "probability_high = nan"),
        ("probability_high", 0.2, "kind/T1", "probability_high = 0.2 in model kind/T1; expected nothing"),
        ("probability", 0.123, "grade/T1", "probability = 0.123 in model grade/T1; expected the value of"),
        ("probability", np.nan, "grade/T1", "probability = nan in model grade/T1"),
        ("probability", 0.5, "kind/T1", "probability = 0.5 in model kind/T1; expected nothing"),
        ("event", 1, "grade/T1", "event = 1 in model grade/T1; expected 1 where the label is high, else 0"),
        ("event", np.nan, "grade/T1", "event = nan in model grade/T1"),
        ("event", 0, "kind/T1", "event = 0 in model kind/T1; expected nothing"),
        ("case", CASES["case"][1], "grade/T1", "more than one row in model grade/T1"),
    ],
)
def test_a_faulty_cell_is_refused(column, value, model, found):
    assert found in refused(changed(column, value, model))


@pytest.mark.parametrize("more", [2e-6, -2e-6])
def test_probabilities_add_up_to_one(more):
    rows = table()
    rows.loc[rows["model"] == "kind/T1", "probability_one"] += more
    assert "expected probabilities that add up to 1" in refused(rows)


def test_a_sum_may_be_off_by_rounding():
    rows = table()
    rows.loc[rows["model"] == "kind/T1", "probability_one"] += 5e-7
    check(rows, TASKS)


def test_models_of_a_task_agree_on_the_label():
    message = refused(changed("label", "two", "kind/T1"))
    assert "labels that differ between rows of task kind" in message


def test_every_fault_is_told_at_once():
    rows = changed("label", "four", "grade/T1")
    rows.loc[rows.index[rows["model"] == "kind/T2"][3], "probability_one"] = -1
    rows.loc[rows.index[rows["model"] == "grade/T2"][3], "set"] = "tests"
    message = refused(rows)
    assert all(word in message for word in ("label = 'four'", "probability_one = -1", "set = 'tests'"))


def test_images_share_a_case_but_not_their_name():
    several = images(table(), 3)
    assert len(check(several, TASKS)) == 3 * len(table())
    assert "expected an image once" in refused(several.assign(image="0"))


def test_images_have_a_set_of_their_own():
    assert "set = 'test'" in refused(images(table(), 2).assign(set="test"))


def test_read_gives_back_what_was_written(tmp_path):
    rows = check(images(table(), 2), TASKS)
    rows.to_csv(tmp_path / "predictions.csv", index=False)
    pd.testing.assert_frame_equal(read(tmp_path / "predictions.csv", TASKS), rows)


def test_read_keeps_words_that_look_like_something_else(tmp_path):
    tasks = {"t": Task(classes={"NA": (0,), "nan": (1,)}, positive="nan")}
    rows = {
        "model": ["t/001"] * 2, "set": "test", "case": ["001", "NA"], "fold": -1, "probability": [0.25, 0.5],
        "event": [0, 1], "label": ["NA", "nan"], "probability_NA": [0.75, 0.5], "probability_nan": [0.25, 0.5],
    }  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "predictions.csv", index=False)
    own = read(tmp_path / "predictions.csv", tasks)
    assert own[["case", "label"]].to_numpy().tolist() == [["001", "NA"], ["NA", "nan"]]


def test_read_names_the_file(tmp_path):
    with pytest.raises(RunError, match="no such file"):
        read(tmp_path / "none.csv", TASKS)
    changed("event", 1).to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(RunError, match=r"bad\.csv"):
        read(tmp_path / "bad.csv", TASKS)


def test_matrix_is_in_the_order_of_the_names():
    own = of(check(table(), TASKS), "grade/T1", "train_oof")
    probability, label = matrix(own, TASKS["grade"])
    assert probability[:, 1].tolist() == own["probability"].tolist()
    assert label.tolist() == own["event"].tolist()
