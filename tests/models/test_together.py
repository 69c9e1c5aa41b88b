import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fusion.errors import ModelError
from fusion.models import resume, together, trial
from fusion.models import train as module
from fusion.models.backbone import RANDOM
from fusion.models.checkpoints import SOURCES, checkpoint, load, notes
from fusion.models.embed import answer
from fusion.models.inputs import Boxes
from fusion.models.jobs import Job, Training
from fusion.models.machine import device, within_memory
from fusion.models.stack import StackError
from fusion.models.together import Together
from fusion.models.train import train

from .conftest import EVENTS, FOLDS, ROI, SMALL, patches

STACKED = SMALL.model_copy(update={"training": "stacked", "dropout": 0.3, "drop_path": 0.2, "mixup": 0.2, "epochs": 3})
JOBS = [Job(source, fold, 0) for source in SOURCES for fold in (0, 1)]


def training(folder, network=STACKED) -> Training:
    return Training(patches(), EVENTS, FOLDS, network, ROI, 0, folder, RANDOM)


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in (folder / "checkpoints").glob("*.safetensors")}


@pytest.fixture(scope="module")
def stacked(tmp_path_factory):
    """A run folder with six networks trained as one."""
    folder = tmp_path_factory.mktemp("stacked")
    train(patches(), EVENTS, FOLDS, STACKED, ROI, 0, folder, jobs=1)
    return folder


class KilledError(Exception):
    pass


def kill_after(epochs, monkeypatch):
    """Stop at the start of an epoch, as a kill would."""
    plain = Together.epoch

    def epoch(self, number):
        if number == epochs:
            raise KilledError
        plain(self, number)

    monkeypatch.setattr(Together, "epoch", epoch)


def test_stacked_and_separate_training_end_with_the_same_networks(tmp_path):
    slow = {"lr_head": 3e-5, "lr_backbone": 3e-6}  # AdamW's first steps make rounding as large as the rate
    own = STACKED.model_copy(update={"balanced": True, "epochs": 2, **slow})
    events = (np.arange(len(EVENTS)) % 3 == 0).astype(int)
    for way in ("separate", "stacked"):
        train(patches(), events, FOLDS, own.model_copy(update={"training": way}), ROI, 0, tmp_path / way, jobs=1)
    boxes = Boxes.of(patches(), device())
    for job in JOBS:
        paths = [training(tmp_path / way).path(job) for way in ("separate", "stacked")]
        apart, joined = map(load_file, paths)
        assert apart.keys() == joined.keys()
        differences = torch.cat([(joined[key] - value).abs().flatten().double() for key, value in apart.items()])
        assert differences.quantile(0.99) < 1e-4  # single precision; a few statistics of few cases lie further apart
        nets = [load(path, own, ROI.patch.shape[0], len(job.regions)) for path in paths]
        scores = [answer(net, job.regions, boxes, np.arange(len(EVENTS)), own, ROI)[0] for net in nets]
        np.testing.assert_allclose(*scores, atol=1e-4)
        logs = [np.loadtxt(tmp_path / way / f"checkpoints/logs/{job.name}/metrics.csv", delimiter=",", skiprows=1)
                for way in ("separate", "stacked")]  # fmt: skip
        np.testing.assert_allclose(*logs, rtol=1e-3)
        assert notes(paths[0]) == notes(paths[1])


def test_the_same_training_again_is_the_same_bytes(stacked, tmp_path):
    train(patches(), EVENTS, FOLDS, STACKED, ROI, 0, tmp_path, jobs=2)
    assert bytes_of(tmp_path) == bytes_of(stacked)
    assert len(bytes_of(stacked)) == 6


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_a_killed_training_goes_on_to_the_same_bytes(stacked, tmp_path, monkeypatch, epochs):
    with monkeypatch.context() as patch:
        kill_after(epochs, patch)
        with pytest.raises(KilledError):
            resume.fit(training(tmp_path), JOBS, every_s=0.0)
    assert notes(resume.half_trained(tmp_path))["epochs"] == epochs
    resume.fit(training(tmp_path), JOBS, every_s=0.0)
    assert bytes_of(tmp_path) == bytes_of(stacked)
    log = "checkpoints/logs/tumour_DL_fold0_seed0/metrics.csv"
    assert (tmp_path / log).read_text() == (stacked / log).read_text()


def test_one_killed_among_its_checkpoints_ends_with_the_same_bytes(stacked, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        plain = Training.write

        def write(self, job, state):
            if job == JOBS[3]:
                raise KilledError
            plain(self, job, state)

        patch.setattr(Training, "write", write)
        with pytest.raises(KilledError):
            resume.fit(training(tmp_path), JOBS)
    assert len(bytes_of(tmp_path)) == 4
    train(patches(), EVENTS, FOLDS, STACKED, ROI, 0, tmp_path, jobs=1)
    assert bytes_of(tmp_path) == bytes_of(stacked)


def test_a_half_trained_stack_of_another_training_is_refused(tmp_path, monkeypatch):
    kill_after(0, monkeypatch)
    with pytest.raises(KilledError):
        resume.fit(training(tmp_path), JOBS)
    other = training(tmp_path, STACKED.model_copy(update={"lr_head": 1e-3}))
    for asked, jobs in (
        (other, JOBS),
        (training(tmp_path), JOBS[:4]),
        (training(tmp_path), [*JOBS, Job(JOBS[5].source, 1, 1)]),
    ):
        with pytest.raises(ModelError, match=r"stacked\.safetensors: found a half-trained stack of another training"):
            resume.fit(asked, jobs)


def test_a_job_of_one_fold_leaves_the_half_trained_stack_of_another_alone(tmp_path, monkeypatch):
    def fold(own, folder):
        train(patches(), EVENTS, FOLDS, STACKED, ROI, 0, folder, jobs=1, only=(own,))

    for own in (0, 1):
        fold(own, tmp_path / "one after another")
    with monkeypatch.context() as patch:
        kill_after(2, patch)
        with pytest.raises(KilledError):
            resume.fit(training(tmp_path / "at once"), JOBS[::2], every_s=0.0, only=(0,))
    fold(1, tmp_path / "at once")
    assert notes(resume.half_trained(tmp_path / "at once", (0,)))["epochs"] == 2
    fold(0, tmp_path / "at once")
    assert bytes_of(tmp_path / "at once") == bytes_of(tmp_path / "one after another")
    assert len(bytes_of(tmp_path / "at once")) == 6


def test_a_whole_training_takes_away_what_killed_jobs_of_folds_left_half_trained(stacked, tmp_path):
    shutil.copytree(stacked, tmp_path / "run")
    left, kept = (tmp_path / f"run/checkpoints/stacked_fold0{more}.safetensors" for more in ("", "_seed0"))
    left.touch()
    kept.touch()  # of a sequence that is named so
    train(patches(), EVENTS, FOLDS, STACKED, ROI, 0, tmp_path / "run", jobs=1)
    assert (left.exists(), kept.exists()) == (False, True)


def test_networks_on_disk_stay_and_the_missing_ones_are_stacked(stacked, tmp_path, capsys):
    kept = sorted(bytes_of(stacked))[:3]
    (tmp_path / "checkpoints").mkdir()
    for name in kept:
        (tmp_path / "checkpoints" / name).write_bytes(b"" + bytes_of(stacked)[name])
    train(patches(), EVENTS, FOLDS, STACKED, ROI, 0, tmp_path, jobs=1)
    found = bytes_of(tmp_path)
    assert set(found) == set(bytes_of(stacked))
    assert all(found[name] == bytes_of(stacked)[name] for name in kept)
    assert "epochs of 3 networks together: 3/3" in capsys.readouterr().err


def test_no_case_id_is_written(tmp_path, monkeypatch):
    kill_after(1, monkeypatch)
    with pytest.raises(KilledError):
        resume.fit(training(tmp_path), JOBS, every_s=0.0)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"patient-" in p.read_bytes()]


def test_ctrl_c_leaves_the_epochs_that_were_kept(tmp_path, monkeypatch):
    plain = Together.epoch

    def epoch(self, number):
        if number == 1:
            raise KeyboardInterrupt
        plain(self, number)

    monkeypatch.setattr(Together, "epoch", epoch)
    with pytest.raises(KeyboardInterrupt):
        resume.fit(training(tmp_path), JOBS[:2], every_s=0.0)
    assert notes(resume.half_trained(tmp_path))["epochs"] == 1


def test_a_loss_that_is_no_number_names_the_networks(tmp_path):
    wild = STACKED.model_copy(update={"lr_head": 1e30, "clip": 1e30, "epochs": 4, "ema": 0.0, "mixup": 0.0})
    with pytest.raises(ModelError, match=r"no number in epoch \d of (\w|\+)+_fold\d_seed0.*lower network.lr_head"):
        train(patches(), EVENTS, FOLDS, wild, ROI, 0, tmp_path, jobs=1)
    assert not list((tmp_path / "checkpoints").glob("*_seed0.safetensors"))


def test_networks_of_a_fold_share_one_augmented_batch(tmp_path, monkeypatch):
    asked = []
    plain = together.recipe.batch
    monkeypatch.setattr(together.recipe, "batch", lambda *own: asked.append(own[2]) or plain(*own))
    own = Together(training(tmp_path), JOBS)
    own.epoch(0)
    assert {case.shape for case in asked} == {(2, 3)}  # two folds, not six networks
    assert len(asked) == own.steps == 2


def test_the_choice_is_measured_once_and_kept(tmp_path, monkeypatch):
    asked = []
    seconds = {"separate_seconds": 6.0, "stacked_seconds": 1.0}
    monkeypatch.setattr(trial, "measure", lambda *own: asked.append(own) or seconds)
    assert [trial.choose(training(tmp_path), JOBS) for _ in range(2)] == ["stacked", "stacked"]
    assert len(asked) == 1
    kept = json.loads((tmp_path / "checkpoints/training.json").read_text())
    assert kept == {"training": "stacked", "device": device().type, **seconds}


@pytest.mark.parametrize(("stacked_seconds", "way"), [(2.5, "separate"), (1.5, "stacked")])
def test_a_stack_must_be_clearly_faster(tmp_path, monkeypatch, stacked_seconds, way):
    monkeypatch.setitem(trial.CLEARLY, device().type, 2.0)
    monkeypatch.setattr(trial, "measure", lambda *_: {"separate_seconds": 4.0, "stacked_seconds": stacked_seconds})
    assert trial.choose(training(tmp_path), JOBS) == way


def test_auto_measures_trains_and_leaves_the_choice(tmp_path):
    own = SMALL.model_copy(update={"epochs": 1})
    train(patches(), EVENTS, FOLDS, own, ROI, 0, tmp_path, jobs=1)
    kept = json.loads((tmp_path / "checkpoints/training.json").read_text())
    assert set(kept) == {"training", "device", "networks", "separate_seconds", "stacked_seconds"}
    assert len(bytes_of(tmp_path)) == 6


def test_auto_trains_what_cannot_be_stacked_one_by_one_and_says_why(tmp_path, monkeypatch, capsys):
    def refused(*_):
        raise StackError(module.Fault("a layer", "another", "take network.training=separate"))

    monkeypatch.setattr(trial, "measure", refused)
    assert trial.choose(training(tmp_path), JOBS) == "separate"
    assert "found a layer" in capsys.readouterr().err
    assert "found a layer" in json.loads((tmp_path / "checkpoints/training.json").read_text())["reason"]


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory."), MemoryError(),
                                   RuntimeError("DefaultCPUAllocator: can't allocate memory")])  # fmt: skip
@pytest.mark.parametrize("way", ["separate", "stacked"])
def test_memory_that_runs_out_is_one_message(tmp_path, monkeypatch, error, way):
    def full(*_, **__):
        raise error

    monkeypatch.setattr(Boxes, "of", full)
    with pytest.raises(ModelError, match=r"no memory left .*lower network.batch.*network.training=separate"):
        train(patches(), EVENTS, FOLDS, SMALL.model_copy(update={"training": way}), ROI, 0, tmp_path, jobs=1)


def test_another_error_is_not_taken_for_memory():
    with pytest.raises(RuntimeError, match="a bug"), within_memory(SMALL):
        raise RuntimeError("a bug")


def test_a_cuda_graph_without_a_gpu_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(together, "device", lambda: torch.device("cpu"))
    with pytest.raises(ModelError, match="cuda_graph without a GPU"):
        Together(training(tmp_path), JOBS, cuda_graph=True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_recorded_steps_train_as_plain_ones_do(tmp_path):
    long = STACKED.model_copy(update={"epochs": 6, "warmup_epochs": 3, "precision": "float32"})
    for name, graph in (("plain", False), ("graph", True)):
        resume.fit(training(tmp_path / name, long), JOBS, cuda_graph=graph)
    for job in JOBS:
        plain, graph = (load_file(checkpoint(tmp_path / name, job.source, job.fold, 0)) for name in ("plain", "graph"))
        for key, value in plain.items():
            torch.testing.assert_close(graph[key], value, rtol=1e-3, atol=1e-3)
