import pickle

import pandas as pd
import pytest

from fusion.config.cohort import Cohort, Number
from fusion.config.tasks import Sequence, Task
from fusion.data.cohort import read
from fusion.data.task import task_rows
from fusion.errors import CohortError

ROWS = pd.DataFrame(
    {"case": ["1", "2", "3", "4"], "patient": ["a", "b", "c", "c"], "t2w": ["1.png", "2.png", None, "4.png"],
     "adc": ["1a.png", None, "3a.png", "4a.png"], "mask": ["1m.png", "2m.png", "3m.png", "4m.png"],
     "histology": ["PA", "Warthin", "MEC", "PA"], "age": [50, 61.5, 70, 44]}
)  # fmt: skip
SEQUENCES = {"T2-w": Sequence(column="t2w", mask="mask"), "ADC": Sequence(column="adc")}
TASKS = {
    "bm": Task(classes={"benign": ("PA", "Warthin"), "malignant": ("MEC",)}, positive="malignant"),
    "pw": Task(classes={"PA": ("PA",), "Warthin": ("Warthin",)}, positive="PA"),
}


def written(folder, rows=ROWS, sequences=None, tasks=None, own=SEQUENCES, asked=TASKS, **more):
    rows.to_csv(folder / "t.csv", index=False)
    cohort = Cohort(
        table=folder / "t.csv", sequences=own, tasks=asked, outcome="histology", clinical={"age": Number()}, **more
    )
    return read(cohort, 0, sequences, tasks)


def told(table) -> list[str]:
    return [str(fault) for fault in table.faults]


def test_rows_have_the_outcome_as_a_word_and_a_column_a_sequence(tmp_path):
    table = written(tmp_path)
    assert table.faults == ()
    assert list(table.rows) == ["case", "patient", "outcome", "age", "has_T2-w", "has_ADC"]
    assert table.rows["outcome"].tolist() == ["PA", "Warthin", "MEC", "PA"]
    assert table.rows[["has_T2-w", "has_ADC"]].to_numpy().tolist() == [[1, 1], [1, 0], [0, 1], [1, 1]]


def test_a_study_a_row_has_the_scans_that_are_there(tmp_path):
    one, two, three, _ = written(tmp_path).files
    assert [scan.sequence for scan in one.scans] == ["T2-w", "ADC"]
    assert one.scan("T2-w").image == tmp_path / "1.png"
    assert one.scan("T2-w").mask == tmp_path / "1m.png"
    assert one.scan("ADC").mask is None
    assert two.scan("ADC") is None
    assert three.scan("T2-w") is None
    assert pickle.loads(pickle.dumps(three)) == three


def test_a_mask_of_a_missing_slice_is_no_fault_but_a_slice_without_its_mask_is(tmp_path):
    (only,) = told(written(tmp_path, ROWS.assign(mask=["1m.png", None, None, "4m.png"])))
    assert "case 2: " in only
    assert "no path in column mask; expected the mask of T2-w beside its slice" in only


def test_a_case_without_any_sequence_is_a_fault(tmp_path):
    (only,) = told(written(tmp_path, ROWS.assign(adc=["1a.png", "2a.png", None, "4a.png"])))
    assert "case 3: " in only
    assert "no path in any of t2w, adc; expected one sequence at least" in only


def test_a_case_that_lacks_all_sequences_in_use_stays_a_row(tmp_path):
    table = written(tmp_path, sequences=("T2-w",))
    assert table.faults == ()
    assert "has_ADC" not in table.rows
    assert table.files[2].scans == ()


def test_a_sequence_that_no_case_has_is_a_fault(tmp_path):
    (only,) = told(written(tmp_path, ROWS.assign(adc=None, t2w=["1.png", "2.png", "3.png", "4.png"])))
    assert "no path in column adc; expected a case with sequence ADC" in only


def test_columns_of_sequences_not_in_use_need_not_be_there(tmp_path):
    rows = ROWS.drop(columns="adc")
    assert written(tmp_path, rows[rows["t2w"].notna()], sequences=("T2-w",), tasks=("pw",)).faults == ()
    with pytest.raises(CohortError, match=r"no column 'adc' .*cohort.sequences.ADC.column"):
        written(tmp_path, rows)


def test_a_missing_mask_column_is_told_once_however_many_sequences_share_it(tmp_path):
    both = {name: Sequence(column=own.column, mask="mask") for name, own in SEQUENCES.items()}
    with pytest.raises(CohortError, match="no column 'mask'") as error:
        written(tmp_path, ROWS.drop(columns="mask"), own=both)
    assert len(error.value.faults) == 1


def test_an_outcome_in_no_class_is_named_even_where_its_task_is_not_in_use(tmp_path):
    rows = ROWS.assign(histology=["PA", "Warthn", "MEC", None])
    first, second = told(written(tmp_path, rows, tasks=("bm",)))
    assert "case 2: " in first
    assert "histology = 'Warthn'; expected one of 'MEC', 'PA', 'Warthin'" in first
    assert "case 4: " in second


def test_a_class_without_a_case_is_a_fault_of_the_tasks_in_use(tmp_path):
    rows = ROWS.assign(histology=["PA", "PA", "MEC", "PA"])
    (only,) = told(written(tmp_path, rows))
    assert "no case of class Warthin (Warthin) in the table; expected every class of task pw" in only
    assert written(tmp_path, rows, tasks=("bm",)).faults == ()


def test_a_class_without_a_case_in_a_set_is_a_fault(tmp_path):
    rows = ROWS.assign(set=["train", "train", "external", "external"])
    found = told(written(tmp_path, rows, tasks=("bm",)))
    assert len(found) == 1
    assert "no case of class malignant (MEC) in set train" in found[0]


def test_faults_of_ids_clinical_cells_and_masks_come_together(tmp_path):
    rows = ROWS.assign(case=["1", "1", "3", "4"], age=[50, "old", 70, 44], mask=["m.png", None, None, "m.png"])
    assert len(written(tmp_path, rows).faults) == 3


def test_shuffled_outcomes_keep_their_number_and_leave_the_slices(tmp_path):
    rows = pd.concat([ROWS.assign(case=ROWS["case"] + f"-{n}") for n in range(20)])
    plain, mixed = written(tmp_path, rows), written(tmp_path, rows, shuffle_outcome=True)
    assert sorted(mixed.rows["outcome"]) == sorted(plain.rows["outcome"])
    assert (mixed.rows["outcome"] != plain.rows["outcome"]).any()
    assert mixed.files == plain.files
    assert mixed.rows["has_ADC"].equals(plain.rows["has_ADC"])


def test_numbers_as_outcomes_make_classes_too(tmp_path):
    tasks = {"t": Task(classes={"low": (0,), "high": (1, 2)}, positive="high")}
    table = written(tmp_path, ROWS.assign(histology=[0, 1.0, "2", 0]), asked=tasks)
    assert table.faults == ()
    assert task_rows(table.rows, tasks["t"])["label"].tolist() == [0, 1, 1, 0]
