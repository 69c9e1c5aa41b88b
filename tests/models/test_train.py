import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file

from fusion.errors import ModelError
from fusion.models import separate, trial
from fusion.models import train as module
from fusion.models.backbone import RANDOM
from fusion.models.checkpoints import SOURCES, checkpoint, notes
from fusion.models.jobs import Job, Training
from fusion.models.train import train

from .conftest import EVENTS, FOLDS, ROI, SMALL, patches


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in (folder / "checkpoints").glob("*.safetensors")}


@pytest.fixture
def one_source(monkeypatch):
    monkeypatch.setattr(module, "SOURCES", {"tumour_DL": (0,)})


def test_one_network_a_source_and_fold(trained):
    assert set(bytes_of(trained)) == {f"{source}_fold{fold}_seed0.safetensors" for source in SOURCES for fold in (0, 1)}


def test_the_notes_say_what_was_seen_by_index(trained):
    noted = notes(checkpoint(trained, "tumour_DL", 0, 0))
    assert noted["cases"] == np.flatnonzero(FOLDS == 1).tolist()
    assert (noted["start_sha256"], noted["epochs"], noted["torch"]) == ("none", 2, torch.__version__)


def test_no_case_id_is_written(trained):
    assert not [p for p in trained.rglob("*") if p.is_file() and b"patient-" in p.read_bytes()]


def test_the_loss_of_every_epoch_is_logged(trained):
    rows = (trained / "checkpoints/logs/tumour_DL_fold0_seed0/metrics.csv").read_text().splitlines()
    assert rows[0] == "epoch,loss,step"
    assert len(rows) == 1 + SMALL.epochs


def test_the_same_training_again_is_the_same_bytes_and_a_killed_one_resumes(trained, tmp_path):
    first = bytes_of(trained)
    folder = tmp_path / "again"
    for name in sorted(first)[:4]:
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        (folder / "checkpoints" / name).write_bytes(first[name])
    train(patches(), EVENTS, FOLDS, SMALL, ROI, 0, folder, jobs=1)
    assert bytes_of(folder) == first


@pytest.mark.slow
def test_two_processes_give_the_same_bytes(trained, tmp_path):
    train(patches(), EVENTS, FOLDS, SMALL, ROI, 0, tmp_path, jobs=2)
    assert bytes_of(tmp_path) == bytes_of(trained)


def test_jobs_of_one_fold_each_leave_what_a_whole_training_does_and_measure_nothing(trained, tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError

    monkeypatch.setattr(trial, "choose", never)
    assert SMALL.training == "auto"
    for fold in (1, 0):
        train(patches(), EVENTS, FOLDS, SMALL, ROI, 0, tmp_path, jobs=1, only=(fold,))
    assert bytes_of(tmp_path) == bytes_of(trained)
    assert not (tmp_path / "checkpoints/training.json").exists()
    log = "checkpoints/logs/tumour+external2_DL_fold1_seed0/metrics.csv"
    assert (tmp_path / log).read_bytes() == (trained / log).read_bytes()


def test_existing_networks_are_not_trained_again(trained, monkeypatch):
    def never(*_):
        raise AssertionError

    monkeypatch.setattr(module, "fit", never)
    before = bytes_of(trained)
    train(patches(), EVENTS, FOLDS, SMALL, ROI, 0, trained, jobs=1)
    assert bytes_of(trained) == before


def test_a_network_does_not_depend_on_the_outcomes_of_the_fold_it_left_out(trained, tmp_path, one_source):
    swapped = np.where(FOLDS == 0, 1 - EVENTS, EVENTS)
    train(patches(), swapped, FOLDS, SMALL, ROI, 0, tmp_path, jobs=1)
    before, after = (load_file(checkpoint(folder, "tumour_DL", 0, 0)) for folder in (trained, tmp_path))
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_the_global_generator_and_the_threads_are_left_alone(tmp_path, one_source):
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    train(patches(), EVENTS, FOLDS, SMALL.model_copy(update={"epochs": 1}), ROI, 0, tmp_path, jobs=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_a_frozen_pyramid_keeps_its_imagenet_weights(tmp_path, one_source):
    torch.save(timm.create_model(SMALL.backbone).state_dict(), tmp_path / "start.pth")
    frozen = SMALL.model_copy(update={"weights": str(tmp_path / "start.pth"), "warmup_epochs": 2})
    train(patches(), EVENTS, FOLDS, frozen, ROI, 0, tmp_path, jobs=1)
    net, start = load_file(checkpoint(tmp_path, "tumour_DL", 0, 0)), torch.load(tmp_path / "start.pth")
    kept = {key.removeprefix("branches.0.body."): own for key, own in net.items() if key.startswith("branches.0.")}
    del kept["conv_stem.weight"]
    assert all(torch.equal(value, start[key]) for key, value in kept.items())


def test_training_without_augmentation_or_average_works_too(tmp_path, one_source):
    plain = SMALL.model_copy(update={"augment": False, "ema": 0.0, "epochs": 1, "warmup_epochs": 0})
    train(patches(), EVENTS, FOLDS, plain, ROI, 0, tmp_path, jobs=1)
    assert len(bytes_of(tmp_path)) == 2


def test_a_loss_that_is_no_number_names_the_network(tmp_path, one_source):
    wild = SMALL.model_copy(update={"lr_head": 1e30, "clip": 1e30, "epochs": 4, "ema": 0.0})
    with pytest.raises(ModelError, match=r"found loss (nan|inf) in epoch \d of tumour_DL_fold0_seed0"):
        train(patches(), EVENTS, FOLDS, wild, ROI, 0, tmp_path, jobs=1)
    assert not bytes_of(tmp_path)


def test_ctrl_c_stays_ctrl_c(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(separate.Module, "training_step", interrupted)
    training = Training(patches(), EVENTS, FOLDS, SMALL, ROI, 0, tmp_path, RANDOM)
    with pytest.raises(KeyboardInterrupt):
        separate.fit(training, Job("tumour_DL", 0, 0))
    assert not bytes_of(tmp_path)


def test_networks_of_another_seed_are_not_taken_for_these(trained):
    with pytest.raises(ModelError, match="network of another training"):
        train(patches(), EVENTS, FOLDS, SMALL, ROI, 1, trained, jobs=1)


def test_too_few_training_cases_of_a_class_are_an_error_for_every_fold_at_once(tmp_path):
    events = np.zeros_like(EVENTS)
    events[:2] = 1  # both in fold 0
    with pytest.raises(ModelError) as caught:
        train(patches(), events, FOLDS, SMALL, ROI, 0, tmp_path, jobs=1)
    assert "0 cases of the positive class and 6 of the other outside fold 0; expected 2 of each" in str(caught.value)
    events[0], events[2] = 0, 1
    with pytest.raises(ModelError, match="found 1 cases of the positive class") as caught:
        train(patches(), events, FOLDS, SMALL, ROI, 0, tmp_path, jobs=1)
    assert len(caught.value.faults) == 2


def test_patches_of_another_shape_are_an_error(tmp_path):
    other = patches()
    other = dataclasses.replace(other, grey=other.grey[:, 1:], distance=other.distance[:, 1:], drawn=other.drawn[:, 1:])
    with pytest.raises(ModelError, match="delete the patches"):
        train(other, EVENTS, FOLDS, SMALL, ROI, 0, tmp_path, jobs=1)


def test_tensorboard_without_its_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"install fusion\[tensorboard\]"):
        train(patches(), EVENTS, FOLDS, SMALL.model_copy(update={"logger": "tensorboard"}), ROI, 0, tmp_path, jobs=1)


@pytest.mark.parametrize("way", ["separate", "stacked"])
def test_losses_are_csv_whatever_else_is_written(tmp_path, one_source, way):
    pytest.importorskip("tensorboard", reason="an extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    own = SMALL.model_copy(update={"logger": "tensorboard", "training": way})
    train(patches(), EVENTS, FOLDS, own, ROI, 0, tmp_path, jobs=1, only=(0,))
    logs = tmp_path / "checkpoints/logs/tumour_DL_fold0_seed0"
    rows = np.loadtxt(logs / "metrics.csv", delimiter=",", skiprows=1)
    board = EventAccumulator(str(logs)).Reload()
    assert rows[:, 0].tolist() == [0, 1]
    np.testing.assert_allclose([own.value for own in board.Scalars("loss")], rows[:, 1], rtol=1e-6)


def test_training_needs_neither_monai_nor_simpleitk_nor_pyradiomics():
    code = """
import sys
for name in ("monai", "SimpleITK", "radiomics"):
    sys.modules[name] = None
import fusion.models.train, fusion.models.embed
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
