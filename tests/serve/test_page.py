"""What the page says, without a browser."""

import zipfile
from pathlib import Path

import pytest

from fusion.errors import Fault
from fusion.serve.answer import Answer, Contribution, ModelAnswer, RegionShare
from fusion.serve.limits import UploadError
from fusion.serve.page import batch, mri, templates, uploads, words
from fusion.serve.uploads import Desk
from tests.data import dicom_made

HOSTILE = '<img src=x onerror="alert(1)">'


def told(model: str, probability: float, refer: bool = False, **more) -> ModelAnswer:
    return ModelAnswer(
        model=model, probabilities={"benign": 1 - probability, "malignant": probability}, positive="malignant",
        probability=probability, threshold=0.4, threshold_rule="Youden", label="malignant",
        set=("benign", "malignant") if refer else ("malignant",), refer=refer, **more,
    )  # fmt: skip


def answer(*answers: ModelAnswer, warnings: tuple[str, ...] = ()) -> Answer:
    return Answer.led_by_first(answers, "case", warnings, {"Clinical": "no value of margin"}, f"toy {'a' * 64}")


def contribution(predictor: str, log_odds: float) -> Contribution:
    return Contribution(predictor=predictor, value=1, mean=0.5, log_odds=log_odds)


def test_an_answer_says_probability_interval_threshold_and_refers():
    own = told("Combined", 0.6234, refer=True, interval=(0.4, 0.75))

    page = templates.answer(answer(own), "secret", {}, viewer=False)

    for words_ in (
        "62.3 %",
        "40.0 % to 75.0 %",
        "Refer to a human: benign or malignant",
        "Youden",
        "no value of margin",
    ):
        assert words_ in page


def test_every_word_is_escaped():
    own = told("Combined", 0.6, contributions=(contribution(HOSTILE, 0.5),))

    pages = [
        templates.answer(answer(own, warnings=(HOSTILE,)), "secret", {}, viewer=False),
        templates.faults([Fault(HOSTILE, HOSTILE, HOSTILE, file=HOSTILE)]),
        templates.slot(told(HOSTILE, 0.6), HOSTILE, "secret", {}),
    ]

    assert all("<img" not in page for page in pages)
    assert all("&lt;img" in page for page in pages)


def test_pages_have_no_empty_line_after_which_markdown_would_begin():
    page = templates.answer(answer(told("Combined", 0.6), warnings=("a\n\n# b",)), "secret", {}, viewer=True)

    assert "\n" not in page


def test_bars_are_as_long_as_log_odds_and_the_loudest_features_are_shown():
    features = tuple(contribution(f"f{number}", number / 10) for number in range(20))
    predictors = (contribution("age", -0.5), contribution("margin=unclear", 0.25))
    regions = (RegionShare(source="s", region="tumour", log_odds=0.1, how="h"),)
    own = told("Combined", 0.6, contributions=predictors, features=features, regions=regions)

    page = templates.answer(answer(own), "secret", {}, viewer=False)

    assert 'class="fu-against" style="width:50.0%"' in page
    assert 'class="fu-for" style="width:25.0%"' in page
    assert "f19" in page
    assert ">f9 " not in page


def test_a_slot_without_a_model_is_refused_by_name():
    models = ("benign-malignant/T2-w", "benign-malignant/Combined")
    slot = mri.Slot(0, "ADC", "benign-malignant", "a", None)

    with pytest.raises(UploadError) as caught:
        mri.refuse_unknown(slot, models, ("T2-w", "ADC"))

    assert caught.value.faults[0].found == "no model of task benign-malignant for sequence ADC"
    assert caught.value.faults[0].expected == "one of benign-malignant/T2-w"


def test_an_upload_loses_its_name(tmp_path):
    (tmp_path / "Doe_Jane.nii.gz").write_bytes(b"\x1f\x8b rest")
    (tmp_path / "Doe_Jane.docx").write_bytes(b"PK")

    kept = uploads.nameless("image")(str(tmp_path / "Doe_Jane.nii.gz"))
    unread = uploads.nameless("mask")(str(tmp_path / "Doe_Jane.docx"))

    assert [Path(own).name for own in (kept, unread)] == ["image.nii.gz", "mask.unreadable"]
    assert sorted(own.name for own in tmp_path.iterdir()) == ["image.nii.gz", "mask.unreadable"]


def test_an_upload_that_is_gone_is_told_by_its_role(tmp_path):
    with pytest.raises(UploadError) as caught:
        uploads.by_role({"image": str(tmp_path / "image.nii.gz"), "mask": None})

    assert [fault.file for fault in caught.value.faults] == ["image"]
    assert str(tmp_path) not in str(caught.value)


def test_a_zip_of_a_dicom_series_is_one(tmp_path):
    with zipfile.ZipFile(tmp_path / "image.zip", "w") as zipped:
        for path in dicom_made.series(tmp_path / "series").iterdir():
            zipped.write(path, path.name)
    with Desk.open(tmp_path) as desk:
        assert uploads.is_series(desk, str(tmp_path / "image.zip"))


def test_a_broken_zip_is_no_series(tmp_path):
    (tmp_path / "image.zip").write_bytes(b"PK and no more")
    with Desk.open(tmp_path) as desk:
        assert not uploads.is_series(desk, str(tmp_path / "image.zip"))


def test_the_page_numbers_rows_and_the_download_names_cases():
    assert "case" not in batch.SHOWN
    assert "row,case,model" in batch.as_csv([])


@pytest.mark.parametrize(("own", "said"), [(told("a", 0.5), "can be left out"), (told("a", 0.5, refer=True), "Refer")])
def test_advice_follows_the_set(own, said):
    assert said in words.advice(own)
