import pytest

from fusion.config import dump, parse
from fusion.config.split import External, Holdout, Nested, Temporal, without_file
from fusion.errors import ConfigError

PLAIN = "{name: a, cohort: {table: t.csv}}"


def test_a_split_without_a_kind_is_a_holdout():
    assert parse(PLAIN, ["split.folds=3"]).split == Holdout(folds=3)
    assert parse(PLAIN).split == parse(PLAIN, ["split={kind: holdout}"]).split


def test_the_kind_is_one_word_on_the_command_line():
    assert parse(PLAIN, ["split.kind=nested", "split.outer=4"]).split == Nested(outer=4)


@pytest.mark.parametrize(
    "words", ["kind: temporal, column: day, since: 2019-03-01", "kind: temporal, column: year, since: 2019",
              "kind: external, column: hospital, values: [B, 3]", "kind: repeated", "kind: leave_one_scanner_out"],
)  # fmt: skip
def test_a_written_run_reads_back(words):
    run = parse(PLAIN, [f"split={{{words}}}"])
    assert parse(dump(run)) == run


def test_a_date_is_kept_as_it_is_written():
    split = parse(PLAIN, ["split={kind: temporal, column: day, since: 2019-03-01}"]).split
    assert split == Temporal(column="day", since="2019-03-01")


def test_a_field_of_another_kind_is_refused_by_the_name_that_was_typed():
    with pytest.raises(ConfigError, match=r"unknown name split\.repeats; expected one of file, folds, kind"):
        parse(PLAIN, ["split.repeats=3"])
    with pytest.raises(ConfigError, match=r"unknown name split\.nested\.file"):
        parse(PLAIN, ["split.kind=nested", "split.file=a.csv"])
    with pytest.raises(ConfigError, match=r"no split\.temporal\.column"):
        parse(PLAIN, ["split.kind=temporal"])


def test_only_a_holdout_has_a_file_to_forget(tmp_path):
    assert without_file(Holdout(file=tmp_path)) == Holdout()
    asked = External(column="a", values=("b",))
    assert without_file(asked) is asked
