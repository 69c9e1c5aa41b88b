"""Scores of several classes: what they say as probabilities, and their calibration."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

from fusion.config.heads import Heads
from fusion.heads.calibrate import BOUNDS, calibration, class_calibration
from fusion.heads.classes import by_class, centred, chances, long, together

KINDS = ("temperature", "platt")


def drawn(cases: int = 20_000, classes: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated scores of unequally frequent classes, and classes drawn by their probabilities."""
    rng = np.random.default_rng(seed)
    scores = centred(rng.normal(np.linspace(-1, 1, classes), 1.5, (cases, classes)))
    labels = (rng.random((cases, 1)) > softmax(scores, axis=1).cumsum(axis=1)).sum(axis=1)
    return scores, np.minimum(labels, classes - 1)


def test_classes_against_the_others_are_made_to_sum_to_one():
    odds = np.random.default_rng(0).normal(size=(7, 4), scale=3)
    own = expit(odds)
    np.testing.assert_allclose(chances(together(odds)), own / own.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(together(odds).sum(axis=1), 0, atol=1e-12)


def test_odds_beyond_all_floats_stay_finite():
    assert np.isfinite(together(np.array([[-900.0, 0.0, 900.0]]))).all()


def test_a_case_has_a_row_a_class():
    rows = pd.DataFrame({"source": "RAD", "case": ["a", "b"]}, index=[5, 3])
    found = by_class(long(rows, np.arange(6.0).reshape(2, 3), ("x", "y", "z")))
    wide = found.pivot(index="case", columns="source", values="score")
    assert wide.loc["b", ["RAD:x", "RAD:y", "RAD:z"]].tolist() == [3, 4, 5]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1, 3])
def test_a_scale_is_found_again(kind, scale):
    scores, labels = drawn()
    assert class_calibration(Heads(calibration=kind), scale * scores, labels).factor == pytest.approx(
        1 / scale, rel=0.05
    )


def test_offsets_are_found_by_platt_alone():
    scores, labels = drawn()
    moved = np.array([1.0, -2.0, 0.5, 0.5])
    np.testing.assert_allclose(class_calibration(Heads(calibration="platt"), scores + moved, labels).offsets, -moved,
                               atol=0.1)  # fmt: skip
    assert not class_calibration(Heads(), scores + moved, labels).offsets.any()


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_classes_it_is_the_calibration_of_log_odds(kind):
    scores, labels = drawn(300, classes=2)
    odds = 2 * (scores[:, 1] - scores[:, 0])
    expected, found = calibration(Heads(calibration=kind), odds, labels), class_calibration(
        Heads(calibration=kind), 2 * scores, labels
    )  # fmt: skip
    assert found.factor == pytest.approx(expected.factor, rel=1e-4)
    assert found.offsets[1] - found.offsets[0] == pytest.approx(expected.offset, abs=1e-4)


def test_none_changes_nothing():
    scores, labels = drawn(50)
    np.testing.assert_array_equal(class_calibration(Heads(calibration="none"), scores, labels)(scores), scores)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [1, -1, 0])
def test_perfect_reversed_and_constant_scores_stay_within_bounds(kind, sign):
    labels = np.arange(30) % 3
    scores = sign * centred(np.eye(3)[labels])
    found = class_calibration(Heads(calibration=kind), scores, labels)
    assert BOUNDS[0] <= found.factor <= BOUNDS[1]
    assert np.isfinite(found(scores)).all()


def test_a_class_that_nobody_had_keeps_a_finite_offset():
    scores, labels = drawn(60)
    offsets = class_calibration(Heads(calibration="platt"), scores, np.where(labels == 3, 0, labels)).offsets
    assert offsets.argmin() == 3
    assert np.isfinite(offsets).all()
