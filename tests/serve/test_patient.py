"""Clinical values as words: checked as a table's cells are, encoded as the heads read them."""

import pytest

from fusion.errors import CohortError
from fusion.serve.patient import missing, not_given, patient
from tests import toy


@pytest.fixture
def run(tmp_path):
    return toy.run(tmp_path)


def test_words_become_the_heads_columns(run):
    own = patient({"margin": " unclear ", "age": "61.0"}, run, "a")
    assert own.encoded == {"margin=unclear": 1.0, "age": 61.0}
    assert own.numbers == {"age": 61.0}
    assert patient({"margin": "clear"}, run, "a").encoded == {"margin=unclear": 0.0}


def test_an_empty_word_says_nothing(run):
    own = patient({"margin": "", "age": "NA"}, run, "a")
    assert own.encoded == {}
    assert missing(("margin=unclear", "age"), own, run) == ("margin", "age")


def test_every_fault_of_the_words_is_told_at_once(run):
    with pytest.raises(CohortError) as told:
        patient({"margin": "Unclear", "age": "300", "sex": "F"}, run, "a")
    assert str(told.value).splitlines() == [
        "case a: found clinical variable 'sex'; expected margin, age; name one of these, or leave it out",
        "case a: found margin = 'Unclear'; expected one of clear, unclear; mend the value",
        "case a: found age = '300'; expected a number from 0 to 120; mend the value",
    ]


def test_what_is_missing_is_told_with_its_range_and_a_model_without(run):
    faults = not_given(("margin", "age"), "Combined", ("Tumor_RAD", "Tumor+External2_RAD"), run, "a")
    assert [str(fault) for fault in faults] == [
        "case a: found no value of margin, which model Combined reads; expected one of clear, unclear; "
        "give it, or choose model Tumor+External2_RAD, which reads no clinical value",
        "case a: found no value of age, which model Combined reads; expected a number from 0 to 120; "
        "give it, or choose model Tumor+External2_RAD, which reads no clinical value",
    ]
