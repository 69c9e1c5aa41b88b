import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import binomtest

from fusion.evaluate.calibration import brier, groups, recalibrate, scaled_brier, spiegelhalter, wilson


def cases(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probability = expit(generator.normal(-1, 1.2, n))
    events = (generator.random(n) < probability).astype(int)
    events[:2] = 1, 0
    return probability, events


def test_honest_probabilities_have_slope_one_and_intercept_zero():
    found = recalibrate(*cases(0, n=40_000))
    assert (found.slope, found.intercept) == pytest.approx((1, 0), abs=0.04)


@given(st.integers(0, 10_000), st.floats(0.3, 3), st.floats(-2, 2))
def test_stretching_the_log_odds_divides_the_slope(seed, factor, shift):
    probability, events = cases(seed)
    plain, stretched = recalibrate(probability, events), recalibrate(expit(factor * logit(probability)), events)
    assert stretched.slope == pytest.approx(plain.slope / factor, rel=1e-5)
    shifted = recalibrate(expit(logit(probability) + shift), events)
    assert shifted.intercept == pytest.approx(plain.intercept - shift, abs=1e-6)


def test_slope_and_offset_are_the_maximum_of_the_likelihood():
    probability, events = cases(3, n=80)
    odds = logit(probability)
    best = minimize(lambda b: -np.log(expit((2 * events - 1) * (b[0] + b[1] * odds))).sum(), [0.0, 1.0])
    found = recalibrate(probability, events)
    assert (found.offset, found.slope) == pytest.approx(best.x, abs=1e-4)


def test_the_intercept_makes_the_mean_right():
    probability, events = cases(4, n=80)
    found = recalibrate(probability, events)
    assert expit(found.intercept + logit(probability)).mean() == pytest.approx(events.mean())


@pytest.mark.parametrize(
    ("probability", "events", "reason"),
    [
        ([0.3, 0.3, 0.3, 0.3], [1, 0, 0, 1], "equal"),
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], "completely"),
        ([0.1, 0.5, 0.5, 0.9], [0, 0, 1, 1], "completely"),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], "completely"),
        ([0.0, 0.4, 0.3, 0.9], [0, 1, 0, 1], "log-odds"),
        ([0.1, 0.4, 0.3, 1.0], [0, 1, 0, 1], "log-odds"),
    ],
)
def test_what_cannot_be_estimated_is_unknown_with_its_reason(probability, events, reason):
    found = recalibrate(np.array(probability), np.array(events))
    assert np.isnan(found.slope)
    assert reason in (found.reason or "")


@pytest.mark.parametrize("n", [4, 6, 9])
def test_tiny_samples_never_warn(n):
    generator = np.random.default_rng(n)
    for _ in range(150):
        probability = expit(generator.normal(0, generator.choice([0.01, 1, 8]), n))
        events = generator.permutation(np.arange(n) < generator.integers(1, n)).astype(int)
        found = recalibrate(np.clip(probability, 1e-9, 1 - 1e-9), events)
        assert np.isfinite(found.slope) == (found.reason is None)


def test_groups_hold_every_case_once():
    probability, events = cases(5, n=107)
    table = groups(probability, events)
    assert table["n"].sum() == 107
    assert (table["n"] * table["observed"]).sum() == pytest.approx(events.sum())
    assert table["predicted"].is_monotonic_increasing


def test_equal_probabilities_stay_in_one_group():
    table = groups(np.array([0.2] * 9 + [0.7]), np.array([0, 1] * 5))
    assert table["n"].tolist() == [9, 1]


@pytest.mark.parametrize(("k", "n"), [(0, 12), (3, 20), (27, 27)])
def test_wilson_equals_scipy(k, n):
    low, high = wilson(np.array([k / n]), np.array([n]))
    expected = binomtest(k, n).proportion_ci(method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))


def test_brier_of_perfect_and_of_opposite():
    events = np.array([1, 0, 1])
    assert brier(events.astype(float), events) == 0
    assert brier(1.0 - events, events) == 1


@pytest.mark.parametrize("seed", range(3))
def test_intervals_are_those_of_statsmodels(seed):
    """Slope: logistic regression on the log-odds; intercept: the same with the log-odds as an offset."""
    probability, events = cases(seed, n=120)
    odds = logit(probability)
    slope = sm.GLM(events, sm.add_constant(odds), family=sm.families.Binomial()).fit(tol=1e-12)
    large = sm.GLM(events, np.ones(len(odds)), family=sm.families.Binomial(), offset=odds).fit(tol=1e-12)
    found = recalibrate(probability, events)
    assert found.slope_interval() == pytest.approx(tuple(slope.conf_int()[1]), abs=1e-6)
    assert found.intercept_interval() == pytest.approx(tuple(large.conf_int()[0]), abs=1e-6)


def test_what_has_no_slope_has_no_interval():
    found = recalibrate(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0, 0, 1, 1]))
    assert np.isnan(found.slope_interval()).all()
    assert np.isfinite(found.intercept_interval()).all()


def test_spiegelhalter_by_hand():
    """Sum of (y - p)(1 - 2p) is -.08, of (1 - 2p)^2 p (1 - p) it is .1248."""
    z, p = spiegelhalter(np.array([0.1, 0.4, 0.8]), np.array([0, 1, 1]))
    assert (z, p) == pytest.approx((-0.08 / 0.1248**0.5, 0.8208473), abs=1e-6)


def test_spiegelhalter_of_right_probabilities_is_standard_normal():
    z = [spiegelhalter(*cases(seed, n=200))[0] for seed in range(400)]
    assert (np.mean(z), np.std(z)) == pytest.approx((0, 1), abs=0.12)


def test_scaled_brier_is_nothing_for_saying_the_share():
    events = np.array([1, 0, 0, 0])
    assert scaled_brier(np.full(4, 0.25), events) == pytest.approx(0)
    assert scaled_brier(events.astype(float), events) == 1
