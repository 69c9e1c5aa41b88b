import json

import pytest

from fusion.config import dump, load, parse, schema
from fusion.errors import ConfigError

PLAIN = "name: a\ncohort:\n  table: t.csv\n"


def faults(text: str, overrides: list[str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse(text, overrides or [], source="a.yaml")
    return [str(fault) for fault in error.value.faults]


def test_a_dumped_run_reads_back_equal():
    run = parse(PLAIN, ["cohort.clinical={age: {kind: number, low: 0}}", "roi.external2.hu_range=null"])
    assert parse(dump(run)) == run


def test_an_override_wins_over_the_file():
    assert parse(PLAIN + "split: {folds: 4}", ["split.folds=3"]).split.folds == 3


def test_an_unknown_name_is_refused_with_a_suggestion_and_its_line():
    (fault,) = faults(PLAIN + "split:\n  fold: 3\n")
    assert fault.startswith("a.yaml line 5: found unknown name split.fold;")
    assert fault.endswith("did you mean split.folds?")


def test_every_fault_is_listed_at_once_with_its_place():
    found = faults(PLAIN + "seed: -1\nradiomic: {}\n", ["split.folds=1", "roi.patch.shape=[1, 2]"])
    assert [fault.split(":")[0] for fault in found].count("command line") >= 2
    assert any("seed = -1" in fault and fault.startswith("a.yaml line 4") for fault in found)
    assert any("did you mean radiomics?" in fault for fault in found)


def test_a_name_that_stands_twice_is_refused():
    (fault,) = faults("name: a\ncohort:\n  table: t.csv\n  table: u.csv\n")
    assert "cohort.table twice (a.yaml line 3)" in fault


def test_a_field_of_another_kind_is_refused_with_its_path():
    (fault,) = faults(PLAIN, ["network.fuse.kind=add", "network.fuse.hidden=64"])
    assert "network.fuse.add.hidden" in fault


def test_an_override_without_equals_sign_is_refused():
    (fault,) = faults(PLAIN, ["split.folds"])
    assert "expected section.field=value" in fault


def test_yaml_yes_and_no_have_to_be_quoted():
    found = faults(PLAIN, ["cohort.clinical={symptom: {kind: category, values: [no, yes]}}"])
    assert any("quote them" in fault for fault in found)


def test_broken_yaml_names_its_line():
    (fault,) = faults("name: a\ncohort: {table: t.csv\n")
    assert "a.yaml line" in fault
    assert "no YAML" in fault


def test_a_missing_file_is_one_message(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing.yaml: found no such file; expected a YAML config"):
        load(tmp_path / "nothing.yaml")


def test_reversed_ranges_are_refused():
    assert any("low < high" in fault for fault in faults(PLAIN, ["roi.patch.window=[240, -160]"]))


def test_a_clinical_predictor_that_is_not_described_is_refused():
    assert any("heads.clinical names ['age']" in fault for fault in faults(PLAIN, ["heads.clinical=[age]"]))


def test_a_run_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        parse(PLAIN).seed = 3


def test_models_follow_from_what_the_run_has():
    run = parse(PLAIN, ["network=null", "cohort.clinical={age: {kind: number}}"])
    assert run.models == ("Tumor_RAD", "External2_RAD", "Tumor+External2_RAD", "Clinical", "Combined")


def test_the_schema_carries_the_docstrings():
    field = json.loads(schema())["$defs"]["Ring"]["properties"]["thickness_mm"]
    assert field["description"].startswith("Distance from the tumour's surface")


def test_lists_in_lists_without_end_are_a_message():
    with pytest.raises(ConfigError, match="lists in lists without end"):
        parse("a: " + "[" * 2000 + "]" * 2000)
