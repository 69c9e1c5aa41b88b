import numpy as np
import pytest

from fusion.evaluate.decision import Resampled, net_benefit, treat_all
from fusion.evaluate.threshold import confusion

EVENTS = np.repeat([1, 0], [14, 86])
THRESHOLDS = np.linspace(0.01, 0.99, 99)
AT = np.array([0.05, 0.10, 0.20, 0.25, 0.35, 0.50])
"""Where dcurves 1.1.7 was asked about the twenty made-up cases below."""
PLACE = np.arange(1, 21)
TWENTY = np.round((PLACE * 7 % 20 + 0.5) / 21, 3), (PLACE % 3 == 0).astype(int)


def resampled(seed: int = 0, n: int = 150, samples: int = 500) -> Resampled:
    generator = np.random.default_rng(seed)
    events = (generator.random(n) < 0.25).astype(int)
    weak, strong = (np.clip(generator.normal(0.2 + gain * events, 0.15), 0, 1) for gain in (0.1, 0.4))
    return Resampled({"weak": weak, "strong": strong, "same": weak}, events, AT, np.random.default_rng(1), samples)


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


def test_net_benefit_and_interventions_avoided_as_dcurves_prints_them():
    """dcurves 1.1.7, dca() of the twenty cases; its df_binary agrees to the last digit too."""
    probability, events = TWENTY
    found = Resampled({"p": probability}, events, AT, np.random.default_rng(0), samples=200)
    benefit, avoided = found.net_benefit("p").value, found.avoided("p").value
    assert benefit == pytest.approx([0.265789, 0.177778, -0.012500, -0.116667, -0.350000, -0.500000], abs=5e-7)
    assert avoided == pytest.approx([0.05, -0.40, -0.55, -0.55, -0.507143, -0.10], abs=5e-7)
    every = [0.263158, 0.222222, 0.125000, 0.066667, -0.076923, -0.400000]
    assert treat_all(events, AT) == pytest.approx(every, abs=5e-7)


def test_the_sample_itself_has_its_net_benefit_and_its_share_of_the_greatest():
    probability, events = TWENTY
    found = Resampled({"p": probability}, events, AT, np.random.default_rng(0), samples=200)
    assert found.net_benefit("p").value == pytest.approx(net_benefit(probability, events, AT))
    assert found.standardised("p") == pytest.approx(net_benefit(probability, events, AT) / 0.3)


def test_a_band_holds_its_value():
    found = resampled().net_benefit("strong")
    assert np.all((found.low <= found.value) & (found.value <= found.high))


def test_a_gain_is_paired():
    found = resampled()
    same = found.gain("same", "weak")
    assert np.abs([same.value, same.low, same.high]).max() == 0
    gain = found.gain("strong", "weak")
    apart = found.net_benefit("strong").value - found.net_benefit("weak").value
    assert gain.value == pytest.approx(apart)
    assert gain.low[2] > 0


def test_the_interval_has_the_width_of_the_mean_that_net_benefit_is():
    """At a threshold the net benefit is a mean over cases of 1, -t/(1-t) or 0, so its standard error is known."""
    generator = np.random.default_rng(2)
    events = (generator.random(400) < 0.3).astype(int)
    probability = np.clip(generator.normal(0.3 + 0.3 * events, 0.2), 0, 1)
    found = Resampled({"m": probability}, events, np.array([0.2]), np.random.default_rng(3), 4000).net_benefit("m")
    worth = (probability >= 0.2) * np.where(events == 1, 1, -0.25)
    assert (found.high - found.low)[0] / 2 / 1.96 == pytest.approx(worth.std() / 20, rel=0.06)
