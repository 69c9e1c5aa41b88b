"""A run on a machine that fails: a full or read-only disk, a drive that goes away, a second run, damaged files."""

import errno
import multiprocessing
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from fusion import cli
from fusion.config import dump
from fusion.data.case import Files
from fusion.errors import RunError
from fusion.flow import stages
from fusion.flow.attempt import Attempt
from fusion.flow.folder import noted, stored_run
from fusion.flow.intact import refuse_damaged
from fusion.flow.run import EVERYTHING, EXTRACT, part
from tests import toy
from tests.small_disk import change, small_disk

CASES = 12
CLOCKED = {"log.jsonl", "environment.json", "run.yaml", ".lock"}


def outputs(folder):
    every = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in every.items() if name not in CLOCKED}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A cohort, and what an undisturbed run of it leaves before its report."""
    folder = tmp_path_factory.mktemp("machine")
    toy.cohort(folder, CASES)
    own = toy.run(folder)
    judged(own)
    return folder, own, outputs(own.folder)


def judged(run):
    part(run, EVERYTHING)
    stages.evaluate(run.folder, run)


@pytest.fixture
def said(monkeypatch, capsys):
    """``said(verb)`` is what the command line says on stderr, and its exit code."""

    def told(verb):
        monkeypatch.setattr(cli, "app", verb)
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as ended:
            return capsys.readouterr().err, ended.code
        return capsys.readouterr().err, 0

    return told


def message(words):
    """The last line, which must be the only one beside those of progress."""
    *before, last = words.splitlines()
    assert all(line.partition(": ")[2][:1].isdigit() for line in before), words
    return last


def test_a_full_disk_stops_any_stage_with_one_message_and_room_lets_the_run_end_as_ever(tmp_path, cohort, said):
    _, own, whole = cohort
    sizes_kb, stages_seen = [24 * 2**n for n in range(7)], set()
    with small_disk(tmp_path / "disk", sizes_kb[0]) as disk:
        mine = own.model_copy(update={"output": disk / "run"})
        for size_kb in sizes_kb:
            change(disk, f"size={size_kb}k")
            words, code = said(lambda: judged(mine))
            if code == 0:
                break
            assert code == 1
            assert "found a full disk" in message(words)
            assert [path for path in disk.rglob(".*") if path.name != ".lock"] == []
            stages_seen.add(stage_reached(disk / "run"))
        assert code == 0
        assert outputs(disk / "run") == whole
    assert len(stages_seen) >= 3, stages_seen


def stage_reached(folder):
    names = ("run.yaml", "cohort.csv", "features/radiomics_tumour.parquet", "selection.csv", "predictions.csv")
    return sum((folder / name).is_file() for name in names), len(list(folder.rglob("*")))


def test_a_line_of_the_log_is_whole_or_not_there(tmp_path):
    with small_disk(tmp_path / "disk", 8) as disk:
        (disk / "log.jsonl").write_bytes(b"")
        with pytest.raises(OSError, match="No space left"):
            all(noted(disk, "a", "b") is None for _ in range(1000))
        refuse_damaged(disk)
        assert len((disk / "log.jsonl").read_text().splitlines()) > 10


def test_the_command_on_a_full_disk(tmp_path, cohort, said):
    command, (_, own, _) = cli.app, cohort
    with small_disk(tmp_path / "disk", 80) as disk:
        mine = own.model_copy(update={"output": disk / "run"})
        config = tmp_path / "toy.yaml"
        config.write_text(dump(mine))
        words, code = said(lambda: command(["extract", str(config)]))
        assert code == 1
        assert "found a full disk; expected room to write; free some space" in message(words)
        change(disk, "size=4m")
        assert said(lambda: command(["extract", str(config)]))[1] == 0


def test_a_read_only_disk_is_a_message_at_the_first_and_at_a_later_start(tmp_path, cohort, said):
    _, own, whole = cohort
    with small_disk(tmp_path / "disk", 4000) as disk:
        mine = own.model_copy(update={"output": disk / "run"})
        for prepared in (lambda: None, lambda: part(mine, EXTRACT)):
            change(disk, "rw")
            prepared()
            change(disk, "ro")
            words, code = said(lambda: judged(mine))
            assert code == 1
            assert "found a read-only disk" in message(words)
        change(disk, "rw")
        judged(mine)
        assert outputs(disk / "run") == whole


NUMBERS = (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EACCES, errno.EDQUOT, errno.EMFILE)
FAILING = {"below": None, "left": 0, "errno": 0}


def _drive(event, words):
    """The n-th file opened or renamed below a folder fails, and all that come after."""
    if FAILING["below"] is None or event not in ("open", "os.rename", "os.mkdir"):
        return
    if str(words[0]).startswith(FAILING["below"]):
        FAILING["left"] -= 1
        if FAILING["left"] < 0:
            raise OSError(FAILING["errno"], os.strerror(FAILING["errno"]))


@contextmanager
def failing(below, after, number):
    if not FAILING.get("hooked"):
        sys.addaudithook(_drive)
        FAILING["hooked"] = True
    FAILING.update(below=str(below), left=after, errno=number)
    try:
        yield
    finally:
        FAILING["below"] = None


def test_a_drive_that_goes_away_at_any_moment_is_a_message_and_the_next_start_ends_as_ever(tmp_path, cohort, said):
    _, own, whole = cohort
    mine = own.model_copy(update={"output": tmp_path / "run"})
    for number, after in zip(NUMBERS, (1, 10, 30, 60, 90, 130), strict=True):
        with failing(tmp_path, after, number):
            words, code = said(lambda: judged(mine))
        if code == 0:  # there was less to do
            shutil.rmtree(mine.folder)
            with failing(tmp_path, after // 2, number):
                words, code = said(lambda: judged(mine))
        assert code == 1
        assert "; expected " in message(words)
    judged(mine)
    assert outputs(mine.folder) == whole


def test_two_runs_at_once_share_a_cache_without_damage(tmp_path, cohort):
    _, own, whole = cohort
    cache = tmp_path / "cache"
    runs = [own.model_copy(update={"output": tmp_path / name, "cache": cache}) for name in "ab"]
    started = [multiprocessing.get_context("fork").Process(target=part, args=(run, EXTRACT)) for run in runs]
    for one in started:
        one.start()
    for one in started:
        one.join()
    assert [one.exitcode for one in started] == [0, 0]
    expected = {name: content for name, content in whole.items() if name.startswith("features/radiomics")}
    for name in "ab":
        found = outputs(tmp_path / name)
        assert {key: found[key] for key in expected} == expected
    kept = {name.rpartition("/")[2]: content for name, content in whole.items() if name.startswith("features/cases/")}
    assert outputs(cache) == kept


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_is_alive(tmp_path, cohort):
    from fusion.flow.folder import opened

    mine = cohort[1].model_copy(update={"output": tmp_path / "run"})
    with opened(mine), pytest.raises(RunError, match="another process at work in this folder"):
        part(mine, EXTRACT)
    part(mine, EXTRACT)


def test_a_run_leaves_what_others_are_writing_to_its_cache(tmp_path, cohort):
    mine = cohort[1].model_copy(update={"output": tmp_path / "run"})
    half = mine.folder / "features/cases/.0a1b2c3d-theirs.kept"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    part(mine, EXTRACT)
    assert half.read_bytes() == b"half"


SPOILED = ["selection.csv", "features/scores.parquet", "features/radiomics_tumour.parquet", "environment.json",
           "predictions.csv"]  # fmt: skip


def test_damaged_files_are_refused_together_and_made_again_once_they_are_deleted(tmp_path, cohort):
    folder, own, whole = cohort
    mine = own.model_copy(update={"output": tmp_path / "run"})
    shutil.copytree(folder / "run", mine.folder)
    for name in SPOILED:
        path = mine.folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 - 1])
    for start in (lambda: judged(mine), lambda: stored_run(mine.folder)):
        with pytest.raises(RunError) as error:
            start()
        assert {fault.file for fault in error.value.faults} == {str(mine.folder / name) for name in SPOILED}
    for name in SPOILED:
        (mine.folder / name).unlink()
    judged(mine)
    assert outputs(mine.folder) == whole


def test_a_changed_byte_in_a_column_is_noticed(tmp_path, cohort):
    folder, own, _ = cohort
    mine = own.model_copy(update={"output": tmp_path / "run"})
    shutil.copytree(folder / "run", mine.folder)
    path = mine.folder / "features/radiomics_tumour.parquet"
    content = bytearray(path.read_bytes())
    value = pd.read_parquet(path)["original_firstorder_Mean"].to_numpy()[0].tobytes()
    content[content.index(value)] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(RunError, match=r"radiomics_tumour\.parquet: found a damaged file"):
        judged(mine)


def test_a_damaged_kept_case_is_measured_again(tmp_path, cohort, capsys):
    _, own, whole = cohort
    mine = own.model_copy(update={"output": tmp_path / "run", "cache": tmp_path / "cache"})
    part(mine, EXTRACT)
    kept = sorted((tmp_path / "cache").iterdir())
    for n, path in enumerate(kept):
        path.write_bytes(path.read_bytes()[: n * 10])
    for region in ("tumour", "external2"):
        (mine.folder / f"features/radiomics_{region}.parquet").unlink()
    part(mine, EXTRACT)
    assert capsys.readouterr().err.count("damaged, so it is deleted and measured again") == 2 * CASES
    for region in ("tumour", "external2"):
        name = f"features/radiomics_{region}.parquet"
        assert (mine.folder / name).read_bytes() == whole[name]


def test_a_verb_without_networks_leaves_their_libraries_alone():
    """They take 650 MB and seconds."""
    words = "import sys, fusion.cli, fusion.flow.run; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words]).returncode == 0


@pytest.mark.parametrize(("number", "whose"), [(errno.ESTALE, "the case's"), (errno.ENOSPC, "everyone's")])
def test_a_file_that_does_not_answer_is_its_case_s_fault_and_a_full_disk_is_not(number, whose):
    def verb(case):
        raise OSError(number, "", str(case.image))

    case = Files("c1", Path("a.nii"), Path("b.nii"))
    if whose == "everyone's":
        with pytest.raises(OSError, match="Errno 28"):
            Attempt(verb)(case)
    else:
        assert [(own.case, own.file) for own in Attempt(verb)(case).faults] == [("c1", "a.nii")]
