import pandas as pd

from fusion.config.cohort import Category, Number
from fusion.features.clinical import encode

ROWS = pd.DataFrame({"age": [50.0, 61.5], "site": ["deep", "both"], "number": ["1", "2"]}, index=["a", "b"])
KINDS = {
    "age": Number(),
    "site": Category(kind="category", values=("superficial", "deep", "both")),
    "number": Category(kind="category", values=(1, 2)),
}


def test_a_category_has_a_column_a_level_without_its_reference():
    assert list(encode(ROWS, KINDS, ("site",)).columns) == ["site=deep", "site=both"]


def test_only_the_predictors_asked_for_come_in_their_order():
    assert list(encode(ROWS, KINDS, ("site", "age")).columns) == ["site=deep", "site=both", "age"]


def test_numeric_levels_are_levels():
    assert encode(ROWS, KINDS, ("number",))["number=2"].tolist() == [0.0, 1.0]


def test_no_predictor_is_an_empty_table():
    assert encode(ROWS, KINDS, ()).shape == (2, 0)
