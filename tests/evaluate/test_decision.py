import numpy as np
import pytest

from fusion.evaluate.decision import net_benefit, treat_all
from fusion.evaluate.threshold import confusion

EVENTS = np.repeat([1, 0], [14, 86])
THRESHOLDS = np.linspace(0.01, 0.99, 99)


def test_treating_all_as_dcurves_prints_it():
    """dcurves' value: 14 % prevalence, threshold .25."""
    assert treat_all(EVENTS, np.array([0.25]))[0] == pytest.approx(-0.1466667, abs=1e-7)


def test_treating_all_is_worth_nothing_at_the_prevalence():
    assert treat_all(EVENTS, np.array([0.14]))[0] == pytest.approx(0)


def test_a_perfect_model_gains_the_prevalence_at_every_threshold():
    assert net_benefit(EVENTS.astype(float), EVENTS, THRESHOLDS) == pytest.approx(np.full(99, 0.14))


def test_a_model_that_calls_nobody_gains_nothing():
    assert net_benefit(np.zeros(100), EVENTS, THRESHOLDS) == pytest.approx(np.zeros(99))


def test_net_benefit_equals_the_formula_on_the_counts():
    probability = np.round(np.random.default_rng(0).random(100), 2)
    own = net_benefit(probability, EVENTS, THRESHOLDS)
    for at, value in zip(THRESHOLDS, own, strict=True):
        counts = confusion(probability, EVENTS, at)
        assert value == pytest.approx((counts.tp - counts.fp * at / (1 - at)) / 100)
