"""A bundle of slices asked about the run's own test cases, and about cases that lack something."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fusion.config import load
from fusion.data import cohort
from fusion.data.study import Scan, Study
from fusion.errors import CohortError
from fusion.roi.slice import Slices
from fusion.serve import bundle as bundles
from fusion.serve.asked import Asked
from fusion.serve.bundle import Bundle
from fusion.serve.predict import Predictor
from fusion.serve.seen_slices import Units, seen_slices

ONE = "benign-malignant/T2-w"


@pytest.fixture(scope="module")
def predictions(mri_run) -> pd.DataFrame:
    rows = pd.read_csv(mri_run / "predictions.csv", dtype={"case": str})
    return rows[rows["set"] == "test"]


@pytest.fixture(scope="module")
def bundle(mri_bundle) -> Bundle:
    return bundles.read(mri_bundle)


@pytest.fixture(scope="module")
def predictor(bundle) -> Predictor:
    return Predictor.of(bundle, threads=2)


@pytest.fixture(scope="module")
def table(mri_run):
    """Studies and clinical words by case, as the run read them."""
    run = load(mri_run / "run.yaml")
    read = cohort.read(run.cohort, run.seed, run.used_sequences, run.used_tasks)
    words = {case: {"age": str(age)} for case, age in zip(read.rows["case"], read.rows["age"], strict=True)}
    return {study.case: Asked(study=study, clinical=words[study.case], explain=False) for study in read.files}


@pytest.fixture
def asked(table, predictions) -> Asked:
    """A test case with both sequences."""
    return next(own for case, own in table.items() if case in set(predictions["case"]) and len(own.study.scans) == 2)


def without(asked: Asked, sequence: str, **fields) -> Asked:
    kept = tuple(scan for scan in asked.study.scans if scan.sequence != sequence)
    return replace(asked, study=Study(asked.case, kept), **fields)


def test_every_model_gives_the_runs_own_probabilities_of_every_test_case(predictor, predictions, table):
    for case, rows in predictions.groupby("case"):
        answer = predictor.answer(table[case]).answer
        assert {own.model for own in answer.answers} == set(rows["model"])
        for _, row in rows.iterrows():
            own = answer.of(row["model"])
            wanted = [row[f"probability_{name}"] for name in own.probabilities]
            assert list(own.probabilities.values()) == pytest.approx(wanted, abs=1e-6), row["model"]


def test_without_a_sequence_the_others_answer_and_it_is_told(predictor, bundle, asked):
    whole, part = (predictor.answer(own).answer for own in (asked, without(asked, "ADC", models=None)))
    assert set(part.not_answered) == {own for own in bundle.deployed.judgements if own.endswith("/ADC")}
    assert all("ADC" in why for why in part.not_answered.values())
    assert part.of(ONE).probabilities == whole.of(ONE).probabilities
    assert part.of("histology/fused").probabilities != whole.of("histology/fused").probabilities
    (told,) = [own for own in part.warnings if own.startswith("no ADC given")]
    assert "histology/fused" in told
    assert ONE not in told


def test_a_task_and_sequence_can_be_asked_for_alone(predictor, asked):
    told = predictor.answer(without(asked, "ADC", models=(ONE,), explain=True, clinical={}))
    assert [own.model for own in told.answer.answers] == [ONE]
    assert not [own for own in told.answer.warnings if "ADC" in own]
    assert set(told.slice_heat) == {(ONE, "T2-w")}
    assert set(told.pieces) == {"T2-w"}


def test_heat_lies_on_every_sequence_of_every_task(predictor, bundle, asked):
    told = predictor.answer(replace(asked, explain=True))
    tasks = [own.name for own in bundle.deployed.questions]
    places = {(model.split("/")[0], sequence) for model, sequence in told.slice_heat}
    assert places == {(task, sequence) for task in tasks for sequence in ("T2-w", "ADC")}
    for (_, sequence), heat in told.slice_heat.items():
        assert heat.shape == told.pieces[sequence].grey.shape
        assert heat.dtype == np.float32
        assert heat.min() >= 0
        assert heat.max() == pytest.approx(1) or not heat.any()


def test_equal_questions_give_equal_answers(predictor, bundle, asked):
    first, again = (own.answer(replace(asked, explain=True)) for own in (predictor, Predictor.of(bundle, 1)))
    assert first.answer == again.answer
    assert all(np.array_equal(heat, again.slice_heat[key]) for key, heat in first.slice_heat.items())


def test_what_no_model_reads_is_refused_by_name_all_at_once(predictor, asked):
    t2w, adc = asked.study.scans
    scans = (replace(t2w, mask=None), adc, adc, Scan("DWI", adc.image, adc.mask))
    with pytest.raises(CohortError) as refused:
        predictor.answer(replace(asked, study=Study(asked.case, scans)))
    told = str(refused.value)
    assert len(refused.value.faults) == 3
    assert "T2-w without the tumour's mask" in told
    assert "2 slices of sequence ADC" in told
    assert "'DWI'" in told
    assert "T2-w, ADC" in told


def test_no_slice_at_all_is_refused(predictor, asked):
    with pytest.raises(CohortError, match="found no slice"):
        predictor.answer(replace(asked, study=Study(asked.case, ())))


def test_a_model_whose_sequence_is_not_given_is_refused_where_it_is_asked_for(predictor, asked):
    with pytest.raises(CohortError, match="no image for ADC"):
        predictor.answer(without(asked, "ADC", models=("histology/ADC",)))


def test_pixels_of_another_size_and_features_outside_are_told(predictor, asked, tmp_path):
    scans = []
    for scan in asked.study.scans:
        paths = [tmp_path / f"{scan.sequence}_{kind}.png" for kind in ("image", "mask")]
        for path, own in zip(paths, (scan.image, scan.mask), strict=True):
            picture = Image.open(own)
            picture.resize((5 * picture.width, 5 * picture.height), Image.Resampling.NEAREST).save(path)
        scans.append(Scan(scan.sequence, *paths))
    warnings = predictor.answer(replace(asked, study=Study(asked.case, tuple(scans)))).answer.warnings
    assert [own for own in warnings if own.startswith("T2-w: its file does not say how large a pixel is")]
    assert [own for own in warnings if own.startswith("feature ")]
    assert not [own for own in predictor.answer(asked).answer.warnings if "spacing" in own]


def test_a_constant_picture_is_refused(predictor, asked, tmp_path):
    Image.new("L", (48, 48), 7).save(tmp_path / "flat.png")
    t2w, adc = asked.study.scans
    scans = (replace(t2w, image=tmp_path / "flat.png"), adc)
    with pytest.raises(CohortError, match="one grey value in every pixel"):
        predictor.answer(replace(asked, study=Study(asked.case, scans)))


@pytest.mark.parametrize("backbone", ["test_resnet", "tf_mobilenetv3_small_100"])
def test_networks_see_what_they_saw_in_training_to_the_last_bit(backbone):
    import torch

    from fusion.models.planes import Planes, plain, units

    grey = np.random.default_rng(0).integers(0, 256, (1, 3, 20, 24)).astype(np.uint8)
    there = np.array([[True, False, True]])
    slices = Slices(("c1",), ("A", "B", "C"), grey * there[..., None, None], there, grey > 9, np.ones((1, 3, 2)))
    own = units(backbone)
    wanted = plain(Planes.of(slices, torch.device("cpu"), (2, 1)), torch.zeros(1, dtype=torch.long), own)
    assert np.array_equal(seen_slices(slices, (2, 1), Units(own.mean, own.deviation)), wanted.numpy())
