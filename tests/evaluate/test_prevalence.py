import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.prevalence import npv, ppv
from fusion.evaluate.threshold import Confusion

COUNTS = Confusion(tp=240, fn=178, fp=87, tn=288)


def test_by_hand_at_three_percent():
    """Sensitivity 240/418, specificity 288/375. Bayes and Mercaldo's logit interval, worked out with a calculator."""
    positive, negative = ppv(COUNTS, np.array([0.03])), npv(COUNTS, np.array([0.03]))
    assert (positive.value[0], negative.value[0]) == pytest.approx((0.071099, 0.983140), abs=5e-7)
    assert (positive.low[0], positive.high[0]) == pytest.approx((0.058870, 0.085636), abs=2e-6)
    assert (negative.low[0], negative.high[0]) == pytest.approx((0.980949, 0.985084), abs=2e-6)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 50), st.integers(1, 50))
def test_at_the_samples_own_prevalence_they_are_the_samples_own_shares(tp, fn, fp, tn):
    counts = Confusion(tp, fn, fp, tn)
    own = np.array([(tp + fn) / (tp + fn + fp + tn)])
    assert ppv(counts, own).value[0] == pytest.approx(counts.ppv)
    assert npv(counts, own).value[0] == pytest.approx(counts.npv)
    for found in (ppv(counts, own), npv(counts, own)):
        assert found.low[0] < found.value[0] < found.high[0]


def test_calls_of_a_commoner_class_are_right_more_often():
    places = np.linspace(0.01, 0.99, 50)
    assert np.all(np.diff(ppv(COUNTS, places).value) > 0)
    assert np.all(np.diff(npv(COUNTS, places).value) < 0)


def test_no_false_alarm_leaves_doubt():
    found = ppv(Confusion(tp=5, fn=5, fp=0, tn=20), np.array([0.1]))
    assert found.value[0] == 1
    assert 0 < found.low[0] < 1
    assert found.high[0] == 1


@given(*[st.integers(0, 20)] * 4, st.floats(0.01, 0.99))
def test_an_interval_holds_its_value(tp, fn, fp, tn, share):
    if min(tp + fn, fp + tn, tp + fp, tn + fn) == 0:
        return
    for of in (ppv, npv):
        found = of(Confusion(tp, fn, fp, tn), np.array([share]))
        assert found.low[0] <= found.value[0] <= found.high[0]


def test_who_calls_nobody_has_no_predictive_value():
    found = ppv(Confusion(tp=0, fn=5, fp=0, tn=20), np.array([0.1]))
    assert np.isnan([found.value[0], found.low[0], found.high[0]]).all()


def test_the_interval_covers():
    """Of 400 samples with known sensitivity and specificity about 95% of the intervals hold the true value."""
    generator, held = np.random.default_rng(0), 0
    true = 0.8 * 0.1 / (0.8 * 0.1 + 0.2 * 0.9)
    for _ in range(400):
        tp, fp = generator.binomial(40, 0.8), generator.binomial(80, 0.2)
        found = ppv(Confusion(tp, 40 - tp, fp, 80 - fp), np.array([0.1]))
        held += found.low[0] <= true <= found.high[0]
    assert 0.92 <= held / 400 <= 0.98
