import numpy as np
import pytest
from scipy.special import expit
from statsmodels.nonparametric.smoothers_lowess import lowess

from fusion.evaluate.curve import SPAN, curve, distance


def cases(seed: int = 0, n: int = 108) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probability = expit(generator.normal(-1, 1.2, n))
    return probability, (generator.random(n) < probability).astype(int)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("seed", range(3))
def test_the_curve_is_statsmodels_lowess_without_robust_steps(seed):
    probability, events = cases(seed)
    found = curve(probability, events, generator(), samples=50)
    peer = lowess(events, probability, frac=SPAN, it=0, xvals=found.x)
    assert found.observed == pytest.approx(np.clip(peer, 0, 1), abs=1e-9)


def test_the_distance_is_that_of_statsmodels_lowess_at_every_case():
    probability, events = cases(4)
    gap = np.abs(np.clip(lowess(events, probability, frac=SPAN, it=0, xvals=probability), 0, 1) - probability)
    found = distance(probability, events, generator(), samples=50)
    assert (found.ici, found.e50, found.e90, found.emax) == pytest.approx(
        (gap.mean(), np.median(gap), np.quantile(gap, 0.9), gap.max()), abs=1e-9
    )


def test_right_probabilities_are_near_the_diagonal_as_chance_has_it():
    probability, events = cases(5, n=20_000)
    found = distance(probability, events, generator(), samples=20)
    assert found.ici < 0.02
    assert found.chance < 0.01


def test_halved_risks_have_the_distance_that_they_must():
    """Probabilities even in (.05, .95), events half as often: p/2 has mean and median .25, 90th percentile .43."""
    generator_ = np.random.default_rng(1)
    probability = generator_.uniform(0.05, 0.95, 20_000)
    events = (generator_.random(20_000) < probability / 2).astype(int)
    found = distance(probability, events, generator(), samples=20)
    assert (found.ici, found.e50, found.e90) == pytest.approx((0.25, 0.25, 0.43), abs=0.012)
    assert found.ici > found.chance_high


def test_ninety_five_of_a_hundred_right_models_stay_under_the_chance_of_their_n():
    over = 0
    for seed in range(120):
        probability, events = cases(seed, n=60)
        found = distance(probability, events, generator(), samples=200)
        over += found.ici > found.chance_high
    assert over / 120 <= 0.11


def test_the_band_holds_the_curve_and_narrows_with_n():
    widths = []
    for n in (100, 1000):
        found = curve(*cases(6, n), generator(), samples=300)
        assert np.mean((found.low <= found.observed) & (found.observed <= found.high)) > 0.95
        widths.append((found.high - found.low).mean())
    assert widths[1] < widths[0] / 2


@pytest.mark.parametrize("probability", [np.linspace(0.1, 0.9, 15), np.repeat([0.2, 0.7], [35, 5])])
def test_without_enough_different_probabilities_there_is_no_curve(probability):
    events = (np.arange(len(probability)) % 2).astype(int)
    assert curve(probability, events, generator()) is None
    assert distance(probability, events, generator()) is None
