import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fusion.errors import CohortError

spec = importlib.util.spec_from_file_location("size_only", Path(__file__).parents[2] / "experiments/size_only.py")
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


def table(folder, **changes):
    rng = np.random.default_rng(1)
    event = np.array([0, 1] * 20)
    sizes = (10 + 5 * event + rng.normal(0, 6, 40)).round(1)
    label = np.where(event == 1, "malignant", "benign")
    columns = {"label": label, "size": sizes, "set": ["train"] * 20 + ["test"] * 20}
    pd.DataFrame(columns | changes).to_csv(folder / "cohort.csv", index=False)
    return folder / "cohort.csv"


def test_auc_is_scikit_learns_over_all_cases_and_by_set(tmp_path):
    path = table(tmp_path)
    cases = pd.read_csv(path)
    groups = {"all": cases, "train": cases[cases["set"] == "train"], "test": cases[cases["set"] == "test"]}
    wanted = {name: roc_auc_score(own["label"] == "malignant", own["size"]) for name, own in groups.items()}
    found = script.size_only(path, "label", "malignant", "size")
    assert dict(zip(found["set"], found["auc"], strict=True)) == pytest.approx(wanted)


def test_interval_holds_the_auc(tmp_path):
    found = script.size_only(table(tmp_path), "label", "malignant", "size")
    assert (found["auc_low"] < found["auc"]).all()
    assert (found["auc"] < found["auc_high"]).all()


@pytest.mark.parametrize(
    ("outcome", "positive", "word"), [("nothing", "1", "no column nothing"), ("label", "1", "0 of 40 cases")]
)
def test_a_column_or_class_that_is_not_there_is_named(tmp_path, outcome, positive, word):
    with pytest.raises(CohortError, match=word):
        script.size_only(table(tmp_path), outcome, positive, "size")


def test_a_case_without_a_size_is_a_fault(tmp_path):
    with pytest.raises(CohortError, match="40 cases whose size"):
        script.size_only(table(tmp_path, size=["unknown"] * 40), "label", "malignant", "size")
