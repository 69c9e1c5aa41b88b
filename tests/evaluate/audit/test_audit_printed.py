"""Cells and CSVs as they are printed, and every fault of them at once."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.audit import odds, table
from fusion.evaluate.audit.printed import number, p_value
from fusion.evaluate.audit.sheet import AuditError


@given(st.integers(0, 10**6), st.integers(0, 6), st.sampled_from([".", ",", "·"]))
def test_the_interval_of_a_number_is_half_a_unit_either_way(digits, decimals, point):
    exact = Fraction(digits, 10**decimals)
    found = number(f"{digits / 10**decimals:.{decimals}f}".replace(".", point))
    assert found is not None
    assert (found.value, found.high - found.low) == (exact, Fraction(1, 10**decimals))


@pytest.mark.parametrize("word", ["0.80", ".80", "0,80", "80%", "80 %", "0.80*", "0·80"])
def test_forms_of_one_number(word):
    assert number(word).value == Fraction(4, 5)


@pytest.mark.parametrize("word", ["", ".", "abc", "1.2.3", "--1", "0.8x"])
def test_what_is_no_number(word):
    assert number(word) is None


def test_a_tie_may_have_gone_either_way():
    assert Fraction(1, 8) in number("0.12")
    assert Fraction(1, 8) in number("0.13")
    assert Fraction(1, 8) in number("0.12", rounding="any")
    assert Fraction(13, 100) not in number("0.12", rounding="any")


def test_p_values_are_intervals():
    assert (p_value("<.001").low, p_value("<.001").high) == (0, 0.001)
    assert (p_value("p > 0.05").low, p_value("p > 0.05").high) == (0.05, 1)
    assert p_value(".032*").middle == pytest.approx(0.032)
    assert p_value("1.2") is None


def written(folder, text):
    (folder / "table.csv").write_text(text)
    return folder / "table.csv"


def test_semicolons_decimal_commas_and_capitals_are_read(tmp_path):
    row = table.read(written(tmp_path, "\ufeffModel;AUC;Accuracy\n\nA;0,91;80%\n")).rows[0]
    assert (row.model, row.areas["auc"].value, row.metrics["accuracy"].value) == (
        "A",
        Fraction(91, 100),
        Fraction(4, 5),
    )


def test_a_column_of_numbers_above_1_is_of_percentages(tmp_path):
    results = table.read(written(tmp_path, "model,accuracy,f1\nA,95.37,.95\nB,100,0\n"))
    assert results.percentages == ("accuracy",)
    assert results.rows[0].metrics["accuracy"].value == Fraction(9537, 10000)
    assert results.rows[0].metrics["f1"].value == Fraction(95, 100)


def faults(path):
    with pytest.raises(AuditError) as error:
        table.read(path)
    return str(error.value).replace(str(path), "table.csv").splitlines()


def test_all_faults_of_a_table_are_told_at_once(tmp_path):
    text = "model,precision,sensitivity,p\nA,.5,abc,2\nA,.5,0.8,.03\n,.5,0.9\n"
    told = faults(written(tmp_path, text))
    assert len(told) == 6
    assert told[0].startswith("table.csv: found 3 cells in line 4 under 4 columns")
    assert told[1].endswith("did you mean ppv?")
    assert "sensitivity = 'abc' in line 2 (A)" in told[2]
    assert "p = '2' in line 2 (A)" in told[3]
    assert "no model in line 4" in told[4]
    assert "model A in 2 rows" in told[5]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (("0.9", "95.2"), "sensitivity = 0.9 beside 95.2"),
        (("0.9", "80%"), "sensitivity = 0.9 beside 80%"),
        (("1.2", "0"), "sensitivity = 1.2"),
        (("0.9", "-0.1"), "sensitivity = '-0.1'"),
        (("101%", "90%"), "sensitivity = '101%'"),
    ],
)
def test_a_share_out_of_range_or_of_two_scales_is_refused(tmp_path, cells, told):
    assert told in faults(written(tmp_path, f"model,sensitivity\nA,{cells[0]}\nB,{cells[1]}\n"))[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no rows under a header"),
        ("model,auc\n", "no rows under a header"),
        ("auc\n.8\n", "no column model"),
        ("model,auc,auc\nA,.8,.8\n", "column auc twice"),
        ('model,auc\n"A,.8\n', "an unreadable table"),
        ("model,positive\nA,5\n", "both or neither"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path, text, told):
    assert told in " ".join(faults(written(tmp_path, text)))


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path):
    assert "no such file" in faults(tmp_path / "none.csv")[0]
    (tmp_path / "table.csv").write_bytes(b"\xff\xfe\x00")
    assert "an unreadable file" in faults(tmp_path / "table.csv")[0]


def test_all_faults_of_odds_ratios_are_told_at_once(tmp_path):
    path = written(tmp_path, "variable,or,or_low,or_high,p\nage,x,1,2,.5\nsex,1,3,2,.5\nsex,1,.5,2,8\n")
    with pytest.raises(AuditError) as error:
        odds.read(path)
    assert len(error.value.faults) == 4
