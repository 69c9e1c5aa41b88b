"""A run that is cut into jobs: the bytes of a run that is not, whoever does the jobs, in any order."""

import contextlib
import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cloudpickle
import pandas as pd
import pytest

from fusion.config import load
from fusion.errors import Fault, HeadError, RunError
from fusion.flow import fold_heads, stages
from fusion.flow.check import check
from fusion.flow.fold import finish, fold_there, folds_of, write_fold
from fusion.flow.job_file import read_job
from fusion.flow.look import Seen
from fusion.flow.run import EVERYTHING, TRAIN, part
from fusion.flow.work import Work
from fusion.heads.parts import FINAL
from fusion.heads.vectors import Vectors
from fusion.launch.local import local
from tests import toy, toy_slices

ROOT = Path(__file__).parents[2]
NETWORK = "network={backbone: test_resnet, weights: none, epochs: 1, warmup_epochs: 0, batch: 8}"
PATCH = "roi.patch.shape=[4, 32, 32]"
SLICES = (
    "cohort.phantom=null", "network.backbone=test_resnet", "network.epochs=1", "network.drop_path=0", "jobs=1",
    "roi.slice.shape=[32, 32]", "literal=null", "bundle=false", "tasks=benign-malignant,all", "sequences=T2-w",
    "fused=[]",
)  # fmt: skip
JOBS = ("fold_0", "fold_1", "fold_2", "final", "finish")
MADE = (
    "heads", "deep_*", "scores*", "task_scores*", "*.safetensors", "nested", "paper_literal", "predictions*",
    "metrics*", "selection.csv", "lasso_*", "calibration.csv", "jobs", ".lock", "training.json",
)  # fmt: skip
"""What folds and finish make."""
FRESH = "import pickle, sys; verb, work, fold = pickle.load(open(sys.argv[1], 'rb')); verb(work, fold)"


def whole(own):
    """A run that is not cut into jobs, without its report."""
    part(own, EVERYTHING)
    stages.evaluate(own.folder, own)
    return own


def begun(own, folder: Path) -> Work:
    """The work of a copy of a finished run, as it was before its folds."""
    shutil.copytree(own.folder, folder, ignore=shutil.ignore_patterns(*MADE))
    again = own.model_copy(update={"output": folder})
    return Work(again, folder, check(again, folder))


def fitted(folder: Path) -> dict[str, bytes]:
    """All that is learned, by file."""
    some = {path for name in MADE[:-3] for path in folder.rglob(name)}
    every = {path for own in some for path in (own.rglob("*") if own.is_dir() else [own]) if path.is_file()}
    return {str(path.relative_to(folder)): path.read_bytes() for path in every if "logs" not in path.parts}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """With networks, and the plain reading of the paper beside the honest one."""
    folder = tmp_path_factory.mktemp("plain")
    toy.cohort(folder, cases=20)
    return whole(toy.run(folder, NETWORK, PATCH, "split.folds=3", "heads.stacking=paper_literal"))


@pytest.fixture(scope="module")
def headed(tmp_path_factory):
    """Without networks."""
    folder = tmp_path_factory.mktemp("headed")
    toy.cohort(folder, cases=20)
    return whole(toy.run(folder, "split.folds=3"))


@pytest.fixture(scope="module")
def nested(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nested")
    toy.cohort(folder, cases=36)
    return whole(toy.run(folder, NETWORK, PATCH, "heads.stacking=nested_vector"))


@pytest.fixture(scope="module")
def sliced(tmp_path_factory):
    """Of tasks, with one of two classes and one of several."""
    folder, config = tmp_path_factory.mktemp("sliced"), ROOT / "configs/tiny_mri.yaml"
    table = toy_slices.cohort(folder, load(config, ["cohort.phantom=null"]).cohort)
    return whole(load(config, [*SLICES, f"cohort.table={table}", f"output={folder / 'run'}"]))


def test_folds_written_by_two_processes_at_once_give_the_bytes_of_a_whole_run(plain, tmp_path):
    work = begun(plain, tmp_path / "run")
    with local(2) as pool:
        jobs = [pool.submit(write_fold, work, fold) for fold in reversed(folds_of(work))]
        assert [job.result() for job in jobs] == [None] * 4
    assert fold_there(work, 0)
    finish(work)
    assert fitted(work.folder) == fitted(plain.folder)


@pytest.mark.parametrize("name", ["headed", "nested", "sliced"])
def test_folds_written_backwards_give_the_bytes_of_a_whole_run(name, request, tmp_path):
    own = request.getfixturevalue(name)
    work = begun(own, tmp_path / "run")
    for fold in reversed(folds_of(work)):
        write_fold(work, fold)
    assert all(fold_there(work, fold) for fold in folds_of(work))
    finish(work)
    assert fitted(work.folder) == fitted(own.folder)


def test_finish_makes_what_no_fold_left(headed, tmp_path):
    work = begun(headed, tmp_path / "run")
    write_fold(work, 1)
    finish(work)
    assert fitted(work.folder) == fitted(headed.folder)


def test_a_work_of_relative_paths_is_done_in_another_folder_by_one_process(headed, tmp_path, monkeypatch):
    work = begun(headed, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    relative = work.run.model_copy(update={"output": Path("run"), "jobs": 2})
    sent = tmp_path / "call"
    sent.write_bytes(cloudpickle.dumps((write_fold, Work(relative, Path("run"), work.checked), 0)))
    done = subprocess.run([sys.executable, "-c", FRESH, str(sent)], cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert fold_there(work, 0)
    _, own, _ = pickle.loads(sent.read_bytes())
    assert own.run.jobs == 1
    assert own.run.folder == own.folder == tmp_path / "run"
    assert all(files.image.is_absolute() for files in own.files)


def test_a_work_of_a_thousand_cases_is_small_to_send(headed):
    work = Work(headed, headed.folder, check(headed, headed.folder))
    cases = pd.concat([work.cases.assign(case=[f"{n}-{m}" for m in range(20)]) for n in range(50)], ignore_index=True)
    files = tuple(replace(work.checked.files[0], case=case) for case in cases["case"])
    seen = {case: Seen(notes=("a note of some length",) * 9, acquired={"kernel": case * 9}) for case in cases["case"]}
    many = replace(work.checked, cases=cases, files=files, seen=seen, digests=dict.fromkeys(seen, "0" * 320))
    assert len(cloudpickle.dumps(replace(work, checked=many))) < 500_000


def test_a_fold_and_a_finish_that_are_there_are_left_alone(headed, tmp_path):
    work, times = begun(headed, tmp_path / "run"), []
    for _ in range(2):
        for fold in folds_of(work):
            write_fold(work, fold)
        finish(work)
        times.append({path: path.stat().st_mtime_ns for path in work.folder.rglob("*") if path.is_file()})
    assert times[0] == times[1]
    assert sorted(path.stem for path in (work.folder / "jobs").iterdir()) == sorted(JOBS)


def test_a_job_that_fails_says_why_in_its_file(headed, tmp_path, monkeypatch):
    work = begun(headed, tmp_path / "run")
    monkeypatch.setattr(fold_heads, "write_heads", _failing(Vectors.fit))
    with pytest.raises(HeadError):
        write_fold(work, FINAL)
    told = read_job(work.folder, "final")
    assert told["state"] == "failed"
    assert told["message"] == "found nothing; expected something; look"


def test_heads_that_are_there_are_not_fitted_again(headed, tmp_path, monkeypatch):
    again = headed.model_copy(update={"output": tmp_path / "run"})
    shutil.copytree(headed.folder, again.folder)
    for name in ("predictions.csv", "features/heads/tumour_RAD/fold_1_rows.parquet"):
        (again.folder / name).unlink()
    seen, fit = [], Vectors.fit
    monkeypatch.setattr(Vectors, "fit", lambda own, head: seen.append(head) or fit(own, head))
    whole(again)
    assert seen == [("tumour_RAD", (1,))]
    assert fitted(again.folder) == fitted(headed.folder)


def test_a_run_on_an_engine_equals_one_here(headed, tmp_path, monkeypatch):
    monkeypatch.setattr("fusion.launch.engine", lambda compute, folder, jobs: contextlib.nullcontext(_Here()))
    own = whole(on_engine(headed, tmp_path / "run"))
    assert fitted(own.folder) == fitted(headed.folder)
    assert {read_job(own.folder, name)["state"] for name in ("fold_0", "fold_1", "fold_2", "final", "finish")} == {
        "done"
    }


def test_every_fold_that_fails_is_told_and_the_others_are_done(headed, tmp_path, monkeypatch):
    monkeypatch.setattr("fusion.launch.engine", lambda compute, folder, jobs: contextlib.nullcontext(_Here()))
    monkeypatch.setattr(Vectors, "fit", _failing(Vectors.fit, {(0,), (2,)}))
    own = on_engine(headed, tmp_path / "run")
    with pytest.raises(RunError) as told:
        whole(own)
    assert [fault.found for fault in told.value.faults] == [f"fold_{n} that failed: nothing" for n in (0, 2)]
    states = {name: read_job(own.folder, name)["state"] for name in ("fold_0", "fold_1", "fold_2", "final")}
    assert states == {"fold_0": "failed", "fold_1": "done", "fold_2": "failed", "final": "done"}
    monkeypatch.undo()
    whole(own.model_copy(update={"compute": headed.compute}))
    assert fitted(own.folder) == fitted(headed.folder)


def test_networks_alone_come_apart_too(plain, tmp_path, monkeypatch):
    monkeypatch.setattr("fusion.launch.engine", lambda compute, folder, jobs: contextlib.nullcontext(_Here()))
    work = begun(plain, tmp_path / "run")
    part(on_engine(work.run, work.folder), TRAIN)
    assert (work.folder / "features/deep_scores.parquet").is_file()
    assert not (work.folder / "features/heads").exists()
    names = {json.loads(path.read_text())["job"] for path in (work.folder / "jobs").iterdir()}
    assert names == {"fold_0", "fold_1", "fold_2", "finish"}


def on_engine(own, folder: Path):
    compute = own.compute.model_copy(update={"engine": "slurm"})
    return own.model_copy(update={"output": folder, "compute": compute})


class _Here:
    """A pool that does its jobs at once, in this process."""

    def submit(self, verb, *given, shape=None):
        try:
            found = verb(*pickle.loads(cloudpickle.dumps(given)))
        except Exception as error:  # the job's own, handed to the one who asks for its result
            found = error
        return _Done(found)


class _Done:
    def __init__(self, found):
        self.found = found

    def done(self):
        return True

    def result(self):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def _failing(verb, left_out=None):
    """``verb``, but for heads that leave out one of these folds: they fail."""

    def fails(own, head):
        if left_out is None or head[1] in left_out:
            raise HeadError(Fault("nothing", "something", "look"))
        return verb(own, head)

    return fails
