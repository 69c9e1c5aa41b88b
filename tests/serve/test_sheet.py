import re
from dataclasses import replace

import pytest

from fusion.config import parse
from fusion.serve import sheet, sheet_words
from fusion.serve.bundle import Bundle
from fusion.serve.contents import Folder
from fusion.serve.parts import Manifest, Ranges
from tests.serve import made_answers as made

RUN = "{name: made, cohort: {table: cohort.csv}}"
"""The bundle's run, of which a sheet reads the window of grey values."""


def bundle(told, folder):
    manifest = Manifest(format=1, fusion="0.1.0", name="made", kind="regions", files={})
    ranges = Ranges(features={}, clinical={}, hu={}, spacing_mm={})
    kept = made.deployed(told.answer), ranges, made.card(told.answer.model)
    return Bundle(manifest, parse(RUN), *kept, Folder(folder))


def pages(made_pdf):
    return len(re.findall(rb"/Type\s*/Page\b", made_pdf))


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.replace("<wbr>", "")))


@pytest.fixture(scope="module")
def regions(tmp_path_factory):
    told = made.of_regions()
    return told, bundle(told, tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def page(regions):
    return sheet.html(*regions)


def test_the_sheet_tells_all_that_was_answered(regions, page):
    told, _ = regions
    said = text(page)
    for words in ("case-0041", "0.731", "95% interval 0.402 to 0.911", "0.312", made.RULE, "research use only",
                  "Refer: benign and malignant cannot be told apart here", "margin=unclear", "+0.51", "−0.12",
                  "3 more, together −0.90", "those with external2 alone (0.39)", "No answer from Clinical: no value of",
                  "AUC 0.913 (0.842–0.966), n = 108, 27 of the positive class", told.answer.bundle):  # fmt: skip
        assert words in said, words
    assert all(own.model in said for own in told.answer.answers)
    assert all(warning[:300] in said for warning in told.answer.warnings)
    assert page.count("<img") == 1


def test_the_sheet_asks_nothing_of_any_network(page):
    assert "://" not in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "default-src 'none'" in page
    assert "<script" not in page


def test_equal_answers_give_equal_bytes(regions, page):
    assert sheet.html(*regions) == page
    assert sheet.pdf(*regions) == sheet.pdf(*regions)


def test_names_and_warnings_are_words_not_markup(regions):
    told, kept = regions
    evil = "<script>alert(1)</script> #panic() $x$"
    answer = told.answer.model_copy(update={"case": evil, "warnings": (evil,)})
    told = replace(told, answer=answer)
    assert "<script" not in sheet.html(told, kept)
    assert pages(sheet.pdf(told, kept)) == 1


def test_the_pdf_is_one_page_however_much_is_told(regions):
    told, kept = regions
    many = told.answer.model_copy(update={"warnings": told.answer.warnings * 5, "answers": told.answer.answers * 4})
    assert pages(sheet.pdf(replace(told, answer=many), kept)) == 1


def test_several_classes_have_a_probability_each(tmp_path):
    told = made.of_slices()
    kept = bundle(told, tmp_path)
    page = sheet.html(told, kept)
    for words in ("PA", "0.550", "MEC", "&lt;0.001", "Only PA cannot be left out", "other classes"):
        assert words in page
    assert 'class="scale"' not in page
    assert page.count("<img") == 3
    sheet.write_pdf(told, kept, tmp_path / "sheet.pdf")
    assert pages((tmp_path / "sheet.pdf").read_bytes()) == 1


@pytest.mark.parametrize(("probability", "interval"), [(0.0, None), (1.0, (0.999, 1.0)), (0.312, (0.0, 1.0))], ids=str)
def test_a_probability_at_the_edge_stays_on_its_line(probability, interval):
    own = made.model("Combined", probability, (), interval=interval)
    answer = made.answer(own, warnings=(), not_answered={})
    told = sheet_words.words(answer, made.deployed(answer), made.card("Combined"))
    assert told.scale.probability == probability
    assert (told.scale.low, told.scale.high) == (interval or (None, None))
    assert told.called == ("malignant" if probability >= 0.312 else "benign")
    assert "unlike the training cases of every class" in told.set


def test_bars_are_shares_of_the_largest_and_meet_in_the_middle():
    own = made.model("Combined", 0.5, ("malignant",), contributions=made.parts(("a", 1, 0, -2.0), ("b", 1, 0, 1.0)))
    answer = made.answer(own, warnings=(), not_answered={})
    (chart,) = sheet_words.words(answer, made.deployed(answer), made.card("Combined")).charts
    assert [(bar.start, bar.width, bar.towards) for bar in chart.bars] == [(0.0, 0.5, False), (0.5, 0.25, True)]
    assert chart.rest == ""


def test_no_contribution_moves_anything():
    own = made.model("Combined", 0.5, ("malignant",), contributions=made.parts(("a", 1, 1, 0.0)))
    answer = made.answer(own, warnings=(), not_answered={})
    (chart,) = sheet_words.words(answer, made.deployed(answer), made.card("Combined")).charts
    assert (chart.bars[0].width, chart.bars[0].log_odds) == (0.0, "+0.00")
