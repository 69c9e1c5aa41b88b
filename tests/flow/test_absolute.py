from pathlib import Path

from fusion.config import parse
from fusion.config.run import Run
from fusion.data.case import Files
from fusion.data.study import Scan, Study
from fusion.flow.absolute import absolute, absolute_files

RUN = "{name: a, cohort: {table: t.csv}, cache: c, split: {file: s.csv}, network: {weights: w.safetensors}}"


def paths(run: Run) -> list[str]:
    return [str(own) for own in (run.folder, run.cohort.table, run.cache, run.split.file, run.network.weights)]


def test_every_path_of_a_run_is_seen_from_the_folder_it_was_started_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = absolute(parse(RUN))
    assert paths(found) == [str(tmp_path / name) for name in ("runs/a", "t.csv", "c", "s.csv", "w.safetensors")]
    monkeypatch.chdir("/")
    assert absolute(found) == found


def test_weights_that_are_no_file_stay_words():
    assert [absolute(parse(RUN, [f"network.weights={word}"])).network.weights for word in ("hub", "none")] == [
        "hub", "none",
    ]  # fmt: skip


def test_a_run_without_them_gets_no_paths():
    found = absolute(parse("{name: a, cohort: {table: t.csv}, network: null}"))
    assert (found.cache, found.split.file, found.network) == (None, None, None)


def test_files_of_a_case_keep_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute_files(Files("a", Path("i"), Path("t"))) == Files("a", tmp_path / "i", tmp_path / "t")
    study = Study("a", (Scan("T2-w", Path("i")), Scan("ADC", Path("j"), Path("m"))))
    scans = Scan("T2-w", tmp_path / "i"), Scan("ADC", tmp_path / "j", tmp_path / "m")
    assert absolute_files(study) == Study("a", scans)
