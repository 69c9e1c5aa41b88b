import pandas as pd
import pytest

from fusion.config.cohort import Category, Cohort, Number
from fusion.data.cohort import read
from fusion.errors import CohortError

ROWS = pd.DataFrame(
    {"case": ["001", "002", "003"], "patient": ["a", "b", "c"], "ct": ["i.nii"] * 3, "tumour": ["m.nii"] * 3,
     "malignant": [1, 0, 1], "age": [50, 61.5, 70], "margin": ["clear", "unclear", "clear"]}
)  # fmt: skip
CLINICAL = {"age": Number(low=0, high=120), "margin": Category(kind="category", values=("clear", "unclear"))}


def cohort(path, **more) -> Cohort:
    return Cohort(table=path, clinical=CLINICAL, **more)


def written(folder, rows=ROWS, **more):
    rows.to_csv(folder / "t.csv", index=False)
    return read(cohort(folder / "t.csv", **more), 0)


def fault(table) -> str:
    (only,) = table.faults
    return str(only)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_every_format_gives_the_same_rows(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    {".csv": ROWS.to_csv, ".xlsx": ROWS.to_excel, ".parquet": ROWS.to_parquet}[suffix](path, index=False)
    table = read(cohort(path), 0)
    assert table.faults == ()
    assert table.rows["case"].tolist() == ["001", "002", "003"]
    assert table.rows["event"].tolist() == [1, 0, 1]
    assert table.rows["age"].tolist() == [50, 61.5, 70]


def test_semicolons_and_a_byte_order_mark_are_read(tmp_path):
    ROWS.to_csv(tmp_path / "t.csv", index=False, sep=";", encoding="utf-8-sig")
    assert read(cohort(tmp_path / "t.csv"), 0).rows["case"].tolist() == ["001", "002", "003"]


def test_paths_are_relative_to_the_table(tmp_path):
    assert written(tmp_path).files[0].image == tmp_path / "i.nii"


def test_without_a_patient_column_every_case_is_a_patient(tmp_path):
    table = written(tmp_path, ROWS.drop(columns="patient"))
    assert table.rows["patient"].tolist() == ["001", "002", "003"]


def test_shuffled_outcomes_keep_their_number(tmp_path):
    rows = pd.concat([ROWS.assign(case=ROWS["case"] + str(i), patient=ROWS["patient"] + str(i)) for i in range(20)])
    assert written(tmp_path, rows, shuffle_outcome=True).rows["event"].sum() == 40
    assert (written(tmp_path, rows, shuffle_outcome=True).rows["event"] != written(tmp_path, rows).rows["event"]).any()


def test_a_missing_column_is_named_with_those_there(tmp_path):
    with pytest.raises(CohortError, match=r"no column 'tumour' \(columns: case, .*cohort.tumour"):
        written(tmp_path, ROWS.drop(columns="tumour"))


def test_an_optional_column_that_was_named_must_be_there(tmp_path):
    with pytest.raises(CohortError, match="no column 'who'"):
        written(tmp_path, patient="who")


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("case", ["001", "001", "003"], "case 001: .*: found 2 rows; expected one row a case"),
        ("case", ["001", "../x", "003"], "case id '../x' in row 3"),
        ("patient", ["a", None, "c"], "case 002: .*no patient"),
        ("malignant", [1, 2, 0], "case 002: .*: found malignant = '2'; expected '1' or '0'"),
        ("malignant", [1, None, 0], "case 002: .*: found malignant = ''"),
        ("malignant", [1, 1, 1], "one class only .*in all 3 rows"),
        ("age", [50, 300, 70], "case 002: .*: found age = '300'; expected a number from 0 to 120"),
        ("age", [50, "old", 70], "case 002: .*: found age = 'old'; expected a number"),
        ("margin", ["clear", "hazy", "clear"], "case 002: .*: found margin = 'hazy'; expected one of clear, unclear"),
        ("ct", ["i.nii", None, "i.nii"], "case 002: .*no path in column ct"),
    ],
)
def test_a_bad_cell_is_one_message(tmp_path, column, values, message):
    table = written(tmp_path, ROWS.assign(**{column: pd.Series(values, dtype=object)}))
    assert len(table.faults) == 1
    with pytest.raises(CohortError, match=message):
        raise CohortError(table.faults)


def test_a_patient_in_two_sets_is_named(tmp_path):
    rows = pd.concat([ROWS, ROWS.assign(case=["004", "005", "006"], malignant=[0, 1, 0])])
    rows["set"] = ["train", "train", "train", "test", "train", "train"]
    assert any("patient a in test and train" in str(fault) for fault in written(tmp_path, rows).faults)


def test_an_unknown_set_is_named(tmp_path):
    table = written(tmp_path, ROWS.assign(set=["train", "train", "validation"]))
    assert any("set = 'validation'; expected one of train, test, external" in str(fault) for fault in table.faults)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "unreadable table"),
        ("t.csv", "case,ct\n", "no rows"),
        ("t.csv", "case,case\n1,2\n", "column case twice"),
        ("t.xlsx", "no zip", "unreadable table"),
        ("t.parquet", "no parquet", "unreadable table"),
        ("t.txt", "case", "unknown table format"),
    ],
)
def test_a_bad_table_is_one_message(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(CohortError, match=message) as error:
        read(cohort(tmp_path / name), 0)
    assert len(error.value.faults) == 1


def test_a_readers_calls_are_coded_as_the_outcome_and_may_be_missing(tmp_path):
    rows = ROWS.assign(malignant=["yes", "no", "yes"], call=["no", None, "yes"])
    table = written(tmp_path, rows, positive="yes", negative="no", readers={"junior": "call"})
    assert table.faults == ()
    assert table.rows["reader:junior"].tolist() == [0, pd.NA, 1]
    assert table.rows.to_csv(index=False).splitlines()[2].endswith(",unclear,")


def test_an_unknown_call_is_one_message_beside_the_other_faults(tmp_path):
    rows = ROWS.assign(call=[1, "maybe", 0], age=[50, 300, 70])
    table = written(tmp_path, rows, readers={"junior": "call"})
    found = [str(fault) for fault in table.faults]
    assert len(found) == 2
    assert any("case 002" in one and "call = 'maybe'; expected '1', '0' or an empty cell" in one for one in found)


def test_a_readers_column_must_be_there(tmp_path):
    with pytest.raises(CohortError, match=r"no column 'call' .*cohort.readers.junior"):
        written(tmp_path, readers={"junior": "call"})
