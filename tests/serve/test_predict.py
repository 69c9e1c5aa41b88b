"""A bundle of regions asked about the run's own test cases, and about cases that it should not take as they are."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from fusion.data.case import Files
from fusion.errors import CohortError, RegionError
from fusion.heads.plain import Head, Linear, Regression
from fusion.serve import bundle as bundles
from fusion.serve.asked import Asked
from fusion.serve.bundle import Bundle
from fusion.serve.predict import Predictor


@pytest.fixture(scope="module")
def table(ct_run) -> pd.DataFrame:
    return pd.read_csv(ct_run.parent / "table.csv", dtype=str).set_index("case")


@pytest.fixture(scope="module")
def predictions(ct_run) -> pd.DataFrame:
    rows = pd.read_csv(ct_run / "predictions.csv")
    return rows[rows["set"] == "test"]


@pytest.fixture(scope="module")
def bundle(ct_bundle) -> Bundle:
    return bundles.read(ct_bundle)


@pytest.fixture(scope="module")
def predictor(bundle) -> Predictor:
    return Predictor.of(bundle, threads=2)


@pytest.fixture
def asked(ct_run, table, predictions):
    """A question about a test case; the first one by default."""

    def made(case: str = predictions["case"].iloc[0], **more) -> Asked:
        row, folder = table.loc[case], ct_run.parent
        files = Files(case, folder / row["ct"], folder / row["tumour"])
        return replace(Asked(files, clinical={"margin": row["margin"], "age": row["age"]}, explain=False), **more)

    return made


def changed(path: Path, to: Path, verb) -> Path:
    """A copy of an image, changed by ``verb``."""
    image = verb(sitk.ReadImage(str(path)))
    sitk.WriteImage(image, str(to))
    return to


def test_every_model_gives_the_runs_own_probability_of_every_test_case(predictor, predictions, asked):
    for case, rows in predictions.groupby("case"):
        answer = predictor.answer(asked(str(case))).answer
        assert answer.not_answered == {}
        assert {own.model for own in answer.answers} == set(rows["model"])
        for model, wanted in zip(rows["model"], rows["probability"], strict=True):
            assert answer.of(model).probability == pytest.approx(wanted, abs=1e-6), f"{model} of {case}"


def test_an_archive_answers_as_its_folder_does(bundle, predictor, asked, tmp_path):
    bundles.pack(bundle, tmp_path / "toy.zip")
    packed = Predictor.of(bundles.read(tmp_path / "toy.zip"), threads=1)
    assert packed.answer(asked()).answer == predictor.answer(asked()).answer


def test_the_answer_is_one_document_with_what_was_promised(predictor, bundle, asked):
    answer = json.loads(predictor.answer(asked(case="c1")).answer.model_dump_json())
    assert {"case", "probability", "threshold", "label", "contributions", "warnings", "set"} <= set(answer)
    assert (answer["case"], answer["model"]) == ("c1", bundle.card.headline)
    assert answer["label"] == ("malignant" if answer["probability"] >= answer["threshold"] else "benign")
    assert answer["refer"] == (len(answer["set"]) != 1)
    assert answer["bundle"] == f"{bundle.name} {bundle.digest}"
    assert answer["note"] == "research use only"


def log_odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def test_contributions_and_the_odds_of_the_mean_case_are_the_log_odds(predictor, bundle, asked):
    question, answer = bundle.deployed.questions[0], predictor.answer(asked()).answer
    regressions = [name for name, own in question.models.items() if isinstance(own, Regression)]
    assert "Combined" in regressions
    for name in regressions:
        own = answer.of(name)
        total = question.models[name].intercepts[0] + sum(part.log_odds for part in own.contributions)
        assert total == pytest.approx(log_odds(own.probability), abs=1e-9)
        assert [p.predictor for p in own.contributions] == sorted(
            (p.predictor for p in own.contributions), key={p.predictor: -abs(p.log_odds) for p in own.contributions}.get
        )


def test_features_and_regions_add_up_to_the_radiomics_score(predictor, bundle, asked):
    question, answer = bundle.deployed.questions[0], predictor.answer(asked()).answer
    alone, combined = answer.of("Tumor+External2_RAD"), answer.of("Combined")
    (head,) = question.radiomics["tumour+external2_RAD"]
    assert isinstance(head, Head)
    assert isinstance(head.learner, Linear)
    mean = head.log_odds({column.name: column.mean for column in head.columns})
    assert mean + sum(part.log_odds for part in alone.contributions) == pytest.approx(log_odds(alone.probability))
    assert combined.features == alone.contributions
    shares = [own.log_odds for own in combined.regions if own.source == "tumour+external2_RAD"]
    assert sum(shares) == pytest.approx(sum(part.log_odds for part in combined.features))


def test_equal_questions_give_equal_answers(bundle, predictor, asked):
    first, again = predictor.answer(asked()), predictor.answer(asked())
    assert first.answer == again.answer
    assert first.answer == Predictor.of(bundle, threads=1).answer(asked()).answer


def test_heat_maps_and_shares_are_of_the_networks_behind_the_headline(predictor, asked):
    told = predictor.answer(asked(explain=True))
    assert set(told.heat) == {"tumour", "external2"}
    assert told.heat["tumour"].shape == told.case.image.shape
    assert not told.heat["tumour"][~told.case.tumour].any()
    sources = {own.source for own in told.answer.of("Combined").regions}
    assert sources == {"tumour+external2_RAD", "tumour+external2_DL"}
    assert told.answer.of("Tumor_DL").regions == ()


def test_missing_clinical_values_are_all_told_and_no_model_takes_the_headlines_place(predictor, asked):
    with pytest.raises(CohortError) as told:
        predictor.answer(asked(clinical={}))
    first, second = str(told.value).splitlines()
    assert "found no value of margin, which model Combined reads; expected one of clear, unclear" in first
    assert "found no value of age, which model Combined reads; expected a number from 0 to 120" in second
    assert "or choose model Tumor+External2_RAD+DL, which reads no clinical value" in first


def test_a_model_without_clinical_values_answers_alone(predictor, asked):
    answer = predictor.answer(asked(clinical={}, models=("Tumor_DL", "Tumor_RAD"))).answer
    assert [own.model for own in answer.answers] == ["Tumor_DL", "Tumor_RAD"]
    assert answer.model == "Tumor_DL"


def test_faults_of_clinical_values_and_of_files_come_together(predictor, asked, tmp_path):
    files = replace(asked().files, tumour=tmp_path / "nothing.nii.gz")
    with pytest.raises(CohortError) as told:
        predictor.answer(asked(files=files, clinical={"margin": "blurred", "sex": "F", "age": "50"}))
    assert len(told.value.faults) == 3


def test_a_model_that_the_bundle_lacks_is_refused_with_those_it_has(predictor, asked):
    with pytest.raises(CohortError, match=r"found no model 'Tumour_DL'; expected .*Tumor_DL"):
        predictor.answer(asked(models=("Tumour_DL",)))


def test_a_mask_of_another_image_is_refused(predictor, asked, tmp_path):
    def moved(mask):
        mask.SetOrigin((500.0, 0.0, 0.0))
        return mask

    files = asked().files
    files = replace(files, tumour=changed(files.tumour, tmp_path / "mask.nii.gz", moved))
    with pytest.raises(CohortError, match="100% of the mask outside the image"):
        predictor.answer(asked(files=files))


def test_a_tumour_of_three_voxels_is_refused(predictor, asked, tmp_path):
    def small(mask):
        values = sitk.GetArrayFromImage(mask)
        values[values > 0] = 0
        values[3, 20, 18:21] = 1
        few = sitk.GetImageFromArray(values)
        few.CopyInformation(mask)
        return few

    files = asked().files
    files = replace(files, tumour=changed(files.tumour, tmp_path / "mask.nii.gz", small))
    with pytest.raises(RegionError, match=r"found 3 voxels in tumour; expected at least 20"):
        predictor.answer(asked(files=files))


def test_slices_are_refused_by_a_bundle_of_regions(predictor, asked):
    from fusion.data.study import Scan, Study

    study = Study("a", (Scan("T2-w", asked().files.image),))
    with pytest.raises(CohortError, match=r"case a: found slices by sequence; expected an image and a tumour mask"):
        predictor.answer(Asked(study=study))


def test_other_spacing_and_shifted_grey_values_are_told(predictor, asked, tmp_path):
    def other(image):
        image.SetSpacing((1.3, 1.3, 6.0))
        return image

    own = asked()
    usual = predictor.answer(own).answer.warnings
    assert not [words for words in usual if "spacing" in words or "HU" in words]
    image = changed(own.files.image, tmp_path / "image.nii.gz", lambda image: other(image) + 2000)
    mask = changed(own.files.tumour, tmp_path / "mask.nii.gz", other)
    odd = replace(own.files, image=image, tumour=mask, external2=mask)
    told = "\n".join(predictor.answer(replace(own, files=odd)).answer.warnings)
    assert "do not look like HU" in told
    assert "highest grey value of tumour = " in told
    assert "spacing along z = 6 mm, training 3 to 3 mm" in told
    assert "spacing along x = 1.3 mm, training 1 to 1 mm" in told
    assert "feature tumour:original_" in told


def test_a_tumour_larger_than_the_box_and_cut_off_by_the_image_is_told(predictor, asked, tmp_path):
    def large(mask):
        values = sitk.GetArrayFromImage(mask)
        values[:, 10:30, 0:38] = 1
        grown = sitk.GetImageFromArray(values)
        grown.CopyInformation(mask)
        return grown

    own = asked()
    files = replace(own.files, tumour=changed(own.files.tumour, tmp_path / "mask.nii.gz", large))
    told = predictor.answer(replace(own, files=files)).answer.warnings
    assert "the tumour is larger than the box that the networks see: they see its middle" in told
    assert any(words.startswith("tumour touches the image's border along z, x") for words in told)
