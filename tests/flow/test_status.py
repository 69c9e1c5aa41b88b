"""How far a run or a sweep is, by its files: whole, half-written, damaged, at work or left."""

import fcntl
import json
import os
import subprocess
import sys
import time
from threading import Event, Thread

import pytest
from safetensors.numpy import save_file

from fusion import cli
from fusion.errors import RunError
from fusion.flow import signs
from fusion.flow.folder import opened
from fusion.flow.run import REGIONS, part
from fusion.flow.status import document, status
from fusion.flow.status_run import JobState
from fusion.flow.status_sweep import time_left_s
from fusion.flow.status_words import line, table, text
from tests import toy

AGO_S = 2 * signs.STALE_S
NETWORKS = [["tumour_DL", 0, 0], ["external2_DL", 0, 0]]


def now():
    """As jobs and the log write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def job(folder, name, state, seconds=None, **more):
    """jobs/NAME.json as a job writes it."""
    path = folder / "jobs" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"job": name, "state": state, "started": now(), "seconds": seconds, **more}) + "\n")
    return path


def begun(folder, folds=2):
    """A run folder with fold 0 done, fold 1 running and a network in training."""
    logs = folder / "checkpoints/logs/tumour_DL_fold1_seed0"
    logs.mkdir(parents=True)
    (folder / "run.yaml").write_text(f"name: toy\nsplit:\n  folds: {folds}\n")
    lines = [("check", "started"), ("check", "done"), ("networks", "started")]
    told = [json.dumps({"time": now(), "stage": stage, "what": what, "seconds": 1.5}) for stage, what in lines]
    (folder / "log.jsonl").write_text("".join(f"{own}\n" for own in told))
    (logs / "metrics.csv").write_text("epoch,loss,step\n0,0.9,1\n1,0.75,3\n2,0.5")  # the last row half-written
    job(folder, "fold_0", "done", 30.0)
    job(folder, "fold_1", "running")
    return folder


def sweep(folder):
    """Two cells of two folds: of c01 all is done, of c02 a fold failed and one runs; c03 has not begun."""
    folder.mkdir()
    (folder / "sweep.yaml").write_text("words: [a=1,2]\n")
    (folder / "cells.csv").write_text("cell,heads.top,state\nc01,3,done\nc02,5,waiting\nc03,7,waiting\n")
    for name in ("c01", "c02", "c03"):
        (folder / "cells" / name).mkdir(parents=True)
        (folder / "cells" / name / "run.yaml").write_text("name: toy\nsplit: {folds: 2}\n")
    for name, seconds in (("fold_0", 10), ("fold_1", 20), ("final", 5), ("finish", 1)):
        job(folder / "cells/c01", name, "done", seconds)
    rows = ["Clinical,train_oof,0.6", "Clinical,test,0.5", "Combined,train_oof,0.8125", "Combined,test,0.9"]
    (folder / "cells/c01/metrics.csv").write_text("\n".join(["model,set,auc", *rows, ""]))
    job(folder / "cells/c02", "fold_0", "failed", 3, message="case c7: found no voxel; expected one; mend it")
    job(folder / "cells/c02", "fold_1", "running")
    return folder


def old(folder):
    """As it is when nobody has written for long."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - AGO_S, time.time() - AGO_S))


def test_a_run_that_was_made_is_told_stage_by_stage(tmp_path):
    toy.cohort(tmp_path, cases=12)
    folder = part(toy.run(tmp_path), REGIONS)
    found = status(folder)
    assert (found.at_work, found.finished, found.jobs, found.damaged) == (False, False, (), ())
    assert {own.name: own.state for own in found.stages} == {"check": "done", "regions": "done"}
    (folder / "metrics.csv").write_text("model,set,auc\n")
    assert status(folder).finished


def test_a_run_at_work_shows_jobs_epochs_and_losses(tmp_path):
    begun(tmp_path / "run")
    with (tmp_path / "run/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = status(tmp_path / "run")
    assert found.at_work
    assert [(own.name, own.state) for own in found.jobs] == [("fold_0", "done"), ("fold_1", "running")]
    assert found.jobs_in_all == 4
    assert [(own.network, own.epochs, own.loss) for own in found.training] == [("tumour_DL_fold1_seed0", 2, 0.75)]
    assert line(found) == "run: 1 of 4 jobs done, 1 running, networks running"


def test_networks_that_train_as_one_tell_their_epochs_without_torch(tmp_path):
    noted = {"training": json.dumps({"jobs": NETWORKS, "epochs": 7})}  # as models.checkpoints.save does
    save_file({}, begun(tmp_path / "run") / "checkpoints/stacked_fold0.safetensors", noted)
    found = status(tmp_path / "run")
    assert ("2 networks together", 7) in [(own.network, own.epochs) for own in found.training]
    assert found.networks == 0
    script = (
        f"import sys; from fusion.cli import app; app(['status', {str(tmp_path / 'run')!r}], standalone_mode=False)"
    )
    script += "; assert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_what_nobody_goes_on_with_has_stopped(tmp_path):
    folder = begun(tmp_path / "run")
    assert status(folder).jobs[1].state == "running"  # written to a moment ago, perhaps by another machine
    old(folder)
    assert status(folder).jobs[1].state == "stopped"
    assert status(folder).stages[-1].state == "stopped"
    assert status(folder, at_work=True).jobs[1].state == "running"


def test_rounds_are_runs_of_their_own(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.yaml").write_text("name: toy\n")
    for name in ("outer_0", "outer_1"):
        begun(tmp_path / "run/rounds" / name)
    found = status(tmp_path / "run")
    assert list(found.rounds) == ["outer_0", "outer_1"]
    assert line(found).startswith("run: 2 of 8 jobs done, 2 running")
    assert "outer_1 job fold_1" in text(found)


def test_a_sweep_has_a_line_a_cell(tmp_path):
    found = status(sweep(tmp_path / "sweep"))
    head, rows = table(found)
    assert head == ("cell", "heads.top", "jobs", "running", "failed", "AUC", "state")
    assert rows[0] == ("c01", "3", "4/4", "", "", "0.812", "done")
    assert rows[1] == ("c02", "5", "0/4", "1", "1", "", "running")
    assert rows[2] == ("c03", "7", "0/4", "", "", "", "waiting")
    assert (found.done, found.in_all, found.running, found.failed) == (4, 12, 1, 1)
    assert line(found).startswith("sweep: 4 of 12 jobs done, 1 failed, 1 running, about ")
    assert line(found).endswith(" s left (by 4 done jobs)")


def test_the_auc_of_a_cell_is_the_one_it_may_be_chosen_by(tmp_path):
    assert status(sweep(tmp_path / "sweep")).cells[0].auc == 0.8125


def test_a_table_with_little_room_shows_who_works_first(tmp_path):
    _, rows = table(status(sweep(tmp_path / "sweep")), room=2)
    assert [row[0] for row in rows] == ["c02", "and 2 more"]


def test_time_left_is_by_the_mean_of_done_jobs_of_the_kind():
    done = [JobState("fold_0", "done", 10.0), JobState("fold_1", "done", 30.0), JobState("finish", "done", 2.0)]
    two = [JobState("fold_2", "running", 5.0), JobState("fold_3", "running", 50.0)]
    assert time_left_s([*done, *two], 7) == (15 + 0 + 2 * 14) / 2
    assert time_left_s(done, 3) == 0
    assert time_left_s(two, 5) is None
    assert time_left_s(done, 5) is None


def test_a_message_names_no_case_and_no_file_of_the_cohort(tmp_path):
    (tmp_path / "cohort.csv").write_text("case,patient\nlee_anna,p77\n0041,p78\n")
    said = f"case lee_anna: /data/lee_anna.nii: found 0041 of p77 in {tmp_path}/a.csv; expected one\ncase x: b"
    told = signs.without_cases(said, tmp_path)
    assert told == f"a case: FILE: found CASE of CASE in {tmp_path}/a.csv; expected one a case: b"


@pytest.mark.parametrize("make", [begun, sweep])
@pytest.mark.parametrize("damage", ["cut", "zeros", "empty", "folder"])
def test_damage_of_any_file_is_told_and_never_refused(tmp_path, make, damage):
    made = make(tmp_path / "made")
    for path in [own for own in made.rglob("*") if own.is_file()]:
        whole = path.read_bytes()
        if damage == "folder":
            path.unlink()
            path.mkdir()
        else:
            path.write_bytes({"cut": whole[: len(whole) * 2 // 3], "zeros": bytes(len(whole)), "empty": b""}[damage])
        found = status(made)
        assert text(found)
        assert json.dumps(document(found))
        if path.suffix in (".json", ".jsonl") and damage != "empty":
            assert str(path.relative_to(made)) in "".join([*found.damaged, *text(found)]) or path.name in text(found)
        if damage == "folder":
            path.rmdir()
        path.write_bytes(whole)


def test_a_half_written_sweep_without_its_table_shows_its_cells(tmp_path):
    folder = sweep(tmp_path / "sweep")
    (folder / "cells.csv").unlink()
    (folder / "cells/.0123abcd-c09").mkdir()
    assert [own.cell for own in status(folder).cells] == ["c01", "c02", "c03"]


def test_a_look_leaves_everything_as_it_is_and_refuses_nobody(tmp_path):
    toy.cohort(tmp_path)
    asked = toy.run(tmp_path)
    with opened(asked):
        pass
    over, looks = Event(), []

    def look():
        while not over.is_set():
            looks.append(signs.held(asked.folder))

    thread = Thread(target=look)
    thread.start()
    try:
        for _ in range(20):
            with opened(asked):
                pass
    finally:
        over.set()
        thread.join()
    before = {path: path.stat().st_mtime_ns for path in asked.folder.rglob("*")}
    status(asked.folder)
    assert {path: path.stat().st_mtime_ns for path in asked.folder.rglob("*")} == before
    assert len(looks) > 20


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"neither run\.yaml nor sweep\.yaml"):
        status(tmp_path)
    with pytest.raises(RunError, match="no such folder"):
        status(tmp_path / "none")


def test_as_json_it_is_one_document(tmp_path, monkeypatch, capsys):
    folder = sweep(tmp_path / "sweep")
    monkeypatch.setattr("sys.argv", ["fusion", "status", str(folder), "--json"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert not stop.value.code
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["done"], found["left_from"]) == ("sweep", 4, 4)
    assert found["cells"][0]["values"] == {"heads.top": "3"}


def test_failures_are_told_once_and_without_cases(tmp_path):
    folder = sweep(tmp_path / "sweep")
    rows = ["c02,,fold_0,case c7: again", "c03,outer_1,measure,case c8: no ring", ""]
    (folder / "failures.csv").write_text("\n".join(["cell,round,job,message", *rows]))
    assert status(folder).failures == (
        "c02 fold_0: a case: found no voxel; expected one; mend it", "c03 outer_1 measure: a case: no ring",
    )  # fmt: skip
