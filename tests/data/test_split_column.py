import pandas as pd
import pytest

from fusion.config import parse
from fusion.data.cohort import read
from fusion.errors import CohortError

TABLE = pd.DataFrame(
    {
        "case": ["a", "b", "c", "d"], "patient": ["p", "p", "q", "r"], "ct": "i.nii", "tumour": "t.nii",
        "malignant": [0, 1, 0, 1], "day": ["2019-01-01", "2020-01-01", "1.2.2020", ""],
        "scanner": ["A", "B", "A", "B"],
    }
)  # fmt: skip


def found(folder, words: str, **more) -> list[str]:
    """Faults of the table where the split is ``words``."""
    TABLE.assign(**more).to_csv(folder / "t.csv", index=False)
    run = parse(f"{{name: a, cohort: {{table: {folder}/t.csv}}, split: {{{words}}}}}")
    try:
        return [str(fault).replace(f"{folder}/", "") for fault in read(run.cohort, 0, split=run.split).faults]
    except CohortError as error:
        return [str(fault).replace(f"{folder}/", "") for fault in error.faults]


def test_every_cell_that_is_no_date_is_told(tmp_path):
    assert [fault.partition(";")[0] for fault in found(tmp_path, "kind: temporal, column: day, since: soon")] == [
        "case d: t.csv: found nothing in column 'day'",
        "case c: t.csv: found day = '1.2.2020'",
        "found split.since = 'soon'",
    ]


@pytest.mark.parametrize("kind", ["temporal", "external", "leave_one_scanner_out"])
def test_a_column_that_the_table_lacks_is_told_with_those_that_it_has(tmp_path, kind):
    (fault,) = found(tmp_path, f"kind: {kind}, column: place{', values: [x]' if kind == 'external' else ''}")
    assert "no column 'place' (columns: case, patient, ct," in fault
    assert fault.endswith("add it or set split.column")


def test_a_patient_in_two_places_is_refused(tmp_path):
    (fault,) = found(tmp_path, "kind: leave_one_scanner_out")
    assert "patient p with scanner A and B" in fault
    faults = found(tmp_path, "kind: external, column: scanner, values: [B, C]")
    assert "no case with scanner = 'C'; expected one of A, B" in faults[0]
    assert "patient p with scanner A and B" in faults[1]
    assert not found(tmp_path, "kind: external, column: scanner, values: [B, C]", scanner=["A", "A", "B", "C"])


def test_sets_of_the_table_and_of_the_split_are_not_mixed(tmp_path):
    sets = ["train", "train", "train", "test"]
    (fault, *_) = found(tmp_path, "kind: nested", set=sets, malignant=[0, 1, 0, 1])[1:]
    assert "a column 'set' and split.kind=nested" in fault


def test_the_word_that_a_split_goes_by_is_in_the_rows(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False)
    run = parse(f"{{name: a, cohort: {{table: {tmp_path}/t.csv}}, split: {{kind: leave_one_scanner_out}}}}")
    assert read(run.cohort, 0, split=run.split).rows["split_on"].tolist() == ["A", "B", "A", "B"]
    assert "split_on" not in read(run.cohort, 0).rows
