import json

import numpy as np
import pandas as pd
import pytest

from fusion.features.table import FeatureTable, remarks


def table(rows: int = 3) -> FeatureTable:
    rng = np.random.default_rng(0)
    index = pd.Index([f"00{row}" for row in range(rows)], name="case")
    values = pd.DataFrame(rng.normal(size=(rows, 4)) * 1e-7, index, ["a_Mean", "b", "c", "d"])
    values.iloc[0, 1] = np.nan
    warnings = pd.Series(["", "a flat region; 3 voxels", ""][:rows] + [""] * (rows - 3), index, dtype="str")
    return FeatureTable(values, warnings, {"engine": "fusion 0.1", "settings": '{"bin_width": 25}'})


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_written_table_reads_back_exactly(suffix, tmp_path):
    own = table()
    own.write(tmp_path / f"features{suffix}")
    read = FeatureTable.read(tmp_path / f"features{suffix}")
    pd.testing.assert_frame_equal(read.values, own.values, check_exact=True)
    pd.testing.assert_series_equal(read.warnings, own.warnings)
    assert read.metadata == own.metadata


def test_warnings_are_the_last_column():
    frame = table().frame()
    assert frame.columns.tolist() == ["a_Mean", "b", "c", "d", "warnings"]
    assert frame["warnings"].tolist() == ["", "a flat region; 3 voxels", ""]


def test_a_parquet_is_whole_for_pandas_alone(tmp_path):
    table().write(tmp_path / "features.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "features.parquet"), table().frame())


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.parquet or \.csv"):
        table().write(tmp_path / "features.xlsx")
    assert not list(tmp_path.iterdir())


def test_rows_of_values_and_warnings_are_the_same():
    own = table()
    with pytest.raises(ValueError, match="same index"):
        FeatureTable(own.values, own.warnings.iloc[::-1])


def test_features_are_float64():
    own = table()
    with pytest.raises(ValueError, match="float64"):
        FeatureTable(own.values.astype({"b": "float32"}), own.warnings)


def test_remarks_name_constant_columns_and_linear_copies():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50))
    found = remarks(pd.DataFrame({"flat": np.ones(50), "a": a, "b": b, "minus a": 3 - 2 * a, "near": a + 1e-3 * b}))
    assert json.loads(found["constant_columns"]) == ["flat"]
    assert json.loads(found["duplicate_columns"]) == ["minus a"]


def test_a_small_table_has_no_remarks():
    assert remarks(table().values) == {}
