"""The audit of Kaba 2025: what requirements C20, C21 and C24 say, as far as the values known here determine it."""

import pytest

from fusion.evaluate.audit import as_text, audit
from fusion.evaluate.audit.copies import Evaluated, all_right, check
from fusion.evaluate.audit.shipped import case, names


@pytest.fixture(scope="module")
def found():
    return audit(case("kaba2025"))


def test_every_known_row_is_possible_at_the_counts_of_c20(found):
    correct = {judged.row.model: {tp + tn for tp, _, _, tn in judged.tables} or {k for k, _ in judged.accuracies}
               for judged in found.rows}  # fmt: skip
    assert all(judged.possible for judged in found.rows)
    assert correct == {
        "benign-malignant/T2-w": {105}, "PA-Warthin/T1-w": {75}, "PA-Warthin/DWI-b0": {75},
        "Warthin-malignant/T1-w": {103}, "Warthin-malignant/T1c-w": {98}, "all/T2-w": {143},
    }  # fmt: skip


def test_the_best_row_has_one_table(found):
    best = next(judged for judged in found.rows if judged.row.model == "Warthin-malignant/T1-w")
    assert best.tables == ((45, 5, 0, 58),)


def test_what_the_printed_values_alone_allow_is_said(found):
    totals = {judged.row.model: judged.smallest.totals[0] for judged in found.rows if judged.smallest}
    assert totals == {"benign-malignant/T2-w": 16, "PA-Warthin/T1-w": 83, "PA-Warthin/DWI-b0": 83,
                      "Warthin-malignant/T1-w": 108, "Warthin-malignant/T1c-w": 54}  # fmt: skip


def test_more_images_than_lesions_are_copies(found):
    certain = [(own.own.task, own.own.name) for own in found.counts if own.certain]
    assert certain == [("benign-malignant", "malignant"), ("Warthin-malignant", "Warthin"),
                       ("Warthin-malignant", "malignant")]  # fmt: skip
    malignant = next(own for own in found.counts if own.own.name == "malignant")
    assert (round(malignant.factor, 1), malignant.held_out, round(malignant.low, 2)) == (13.2, 4, 0.4)


def test_factors_are_those_of_c20(found):
    factors = {(own.own.task, own.own.name): round(own.factor, 1) for own in found.counts}
    assert factors["benign-malignant", "benign"] == 3.2
    assert (factors["PA-Warthin", "Warthin"], factors["Warthin-malignant", "Warthin"]) == (4.8, 6.4)


def test_four_of_four_is_40_to_100_percent():
    """Clopper and Pearson's lower end of n in n is the n-th root of .025."""
    assert all_right(4) == pytest.approx(0.025**0.25)
    assert round(all_right(4), 2) == 0.40


def test_without_a_share_only_the_images_are_counted():
    own = check([Evaluated("a", "b", 3, 4)])[0]
    assert (own.certain, own.factor, own.held_out, own.low) == (False, None, None, None)


def test_the_page_says_where_its_counts_come_from(found):
    assert "not printed there" in as_text(found)
    assert names() == ["kaba2025", "shen2026"]
