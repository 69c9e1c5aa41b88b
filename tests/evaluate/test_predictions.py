import pandas as pd
import pytest

from fusion.errors import RunError
from fusion.evaluate import predictions


def table(**change: object) -> pd.DataFrame:
    rows = {
        "model": ["Combined"] * 4,
        "set": ["train_oof", "train_oof", "test", "test"],
        "case": ["a", "b", "c", "d"],
        "fold": [0, 1, -1, -1],
        "probability": [0.2, 0.7, 0.1, 0.9],
        "event": [0, 1, 0, 1],
    }
    return pd.DataFrame({**rows, **change})


def test_a_good_table_passes_unchanged():
    pd.testing.assert_frame_equal(predictions.check(table()), table(), check_dtype=False)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"probability": [0.2, 1.2, 0.1, 0.9]}, "1.2"),
        ({"probability": [0.2, -0.1, 0.1, 0.9]}, "-0.1"),
        ({"probability": [0.2, float("nan"), 0.1, 0.9]}, "nan"),
        ({"probability": [0.2, float("inf"), 0.1, 0.9]}, "inf"),
        ({"probability": ["0.2", "high", "0.1", "0.9"]}, "high"),
        ({"event": [0, 2, 0, 1]}, "event = 2"),
        ({"set": ["train_oof", "train_oof", "test", "tests"]}, "tests"),
        ({"case": ["a", "a", "c", "d"]}, "more than one row"),
        ({"case": ["a", "b", "c", "a"]}, "more than one row"),
        ({"event": [0, 1, 1, 1]}, "one class only in set test"),
    ],
)
def test_a_faulty_table_is_refused(change, found):
    with pytest.raises(RunError) as error:
        predictions.check(table(**change))
    assert found in str(error.value)


def test_a_missing_column_is_named():
    with pytest.raises(RunError, match="no column probability"):
        predictions.check(table().drop(columns="probability"))


def test_an_event_is_the_same_for_every_model():
    other = table(model=["Clinical"] * 4, event=[1, 0, 0, 1])
    with pytest.raises(RunError, match="event 0 in one model and 1 in another"):
        predictions.check(pd.concat([table(), other]))


def test_every_fault_is_told_at_once():
    with pytest.raises(RunError) as error:
        predictions.check(table(probability=[2.0, 0.7, -1.0, 0.9]))
    assert len(error.value.faults) == 2


def test_concat_orders_by_table_one_then_set():
    combined, clinical = table().iloc[::-1], table(model=["Clinical"] * 4)
    both = predictions.concat([combined, clinical])
    assert both["model"].tolist() == ["Clinical"] * 4 + ["Combined"] * 4
    assert both["set"].tolist() == ["train_oof", "train_oof", "test", "test"] * 2


def test_read_keeps_case_ids_as_words(tmp_path):
    path = tmp_path / "predictions.csv"
    table(case=["001", "002", "NA1", "1e5"]).to_csv(path, index=False)
    assert predictions.read(path)["case"].tolist() == ["001", "002", "NA1", "1e5"]


def test_read_without_a_file_says_so(tmp_path):
    with pytest.raises(RunError, match="no such file"):
        predictions.read(tmp_path / "predictions.csv")


def test_read_refuses_an_empty_probability(tmp_path):
    path = tmp_path / "predictions.csv"
    table(probability=[0.2, None, 0.1, 0.9]).to_csv(path, index=False)
    with pytest.raises(RunError, match="probability = nan"):
        predictions.read(path)
