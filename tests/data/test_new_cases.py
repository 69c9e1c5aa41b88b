"""A table of cases whose outcome nobody knows."""

import pandas as pd
import pytest

from fusion.config.cohort import Category, Cohort, Number
from fusion.config.tasks import Sequence, Task
from fusion.data.new_cases import read_new
from fusion.errors import CohortError

ONE = Cohort(table="none.csv", clinical={"margin": Category(values=("clear", "unclear")), "age": Number()})
MANY = Cohort(
    table="none.csv",
    sequences={"T1": Sequence(column="t1", mask="tumour"), "T2": Sequence(column="t2")},
    tasks={"kind": Task(classes={"benign": ("b",), "malignant": ("m",)}, positive="malignant")},
)


@pytest.fixture
def read(tmp_path):
    def written(rows, cohort, sequences=()):
        pd.DataFrame(rows).to_csv(tmp_path / "new.csv", index=False)
        return read_new(tmp_path / "new.csv", cohort, sequences)

    return written


def test_images_and_the_clinical_words_that_are_there(read, tmp_path):
    found = read([{"case": "01", "ct": "a.nii", "tumour": "b.nii", "age": 61, "tumour_reader2": "c.nii"}], ONE)
    assert found[0].case == "01"
    assert (found[0].files.image, found[0].files.second_reader) == (tmp_path / "a.nii", None)
    assert found[0].clinical == {"age": "61"}


def test_a_row_without_a_path_has_no_files(read):
    assert read([{"case": "a", "ct": "a.nii", "tumour": ""}], ONE)[0].files is None


def test_a_table_may_lack_a_sequence(read):
    found = read([{"case": "a", "t2": "a.png"}, {"case": "b", "t2": ""}], MANY, ("T1", "T2"))
    assert [scan.sequence for scan in found[0].files.scans] == ["T2"]
    assert found[1].files is None


@pytest.mark.parametrize(
    ("row", "cohort", "words"),
    [
        ({"ct": "a", "tumour": "b"}, ONE, "no column case"),
        ({"case": "a", "tumour": "b"}, ONE, "no column ct"),
        ({"case": "../a", "ct": "a", "tumour": "b"}, ONE, "case id '../a' in row 2"),
        ({"case": "a", "age": 3}, MANY, "no column t1 or t2"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(read, row, cohort, words):
    with pytest.raises(CohortError, match=words):
        read([row], cohort, tuple(cohort.sequences))
