import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, roc_curve

from fusion.config.evaluate import FixedSensitivity, FixedThreshold, Youden
from fusion.evaluate.threshold import Confusion, choose, confusion


def cases(seed: int, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    events = generator.permutation(np.repeat([1, 0], [n // 4, n - n // 4]))
    return np.round(np.clip(generator.normal(0.4 + 0.2 * events, 0.2), 0, 1), 2), events


def test_a_case_at_the_threshold_is_positive():
    assert confusion(np.array([0.5, 0.4]), np.array([1, 0]), 0.5) == Confusion(tp=1, fn=0, fp=0, tn=1)


@given(st.integers(0, 10_000))
def test_counts_equal_scikit_learn(seed):
    probability, events = cases(seed)
    own = confusion(probability, events, 0.5)
    assert [[own.tn, own.fp], [own.fn, own.tp]] == confusion_matrix(events, probability >= 0.5).tolist()
    assert own.f1 == pytest.approx(f1_score(events, probability >= 0.5))


@given(st.integers(0, 10_000))
def test_youden_is_the_best_point_of_the_roc_curve(seed):
    probability, events = cases(seed)
    own = confusion(probability, events, choose(Youden(), probability, events))
    fpr, tpr, _ = roc_curve(events, probability)
    assert own.sensitivity + own.specificity - 1 == pytest.approx((tpr - fpr).max())


def test_of_equal_youden_indices_the_lower_threshold_is_taken():
    probability, events = np.array([0.1, 0.4, 0.6, 0.9]), np.array([0, 1, 0, 1])
    assert choose(Youden(), probability, events) == 0.4


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_a_fixed_sensitivity_is_reached_and_no_larger_threshold_reaches_it(seed, wanted):
    probability, events = cases(seed)
    cut = choose(FixedSensitivity(sensitivity=wanted), probability, events)
    assert confusion(probability, events, cut).sensitivity >= wanted - 1e-9
    assert confusion(probability, events, np.nextafter(cut, 1)).sensitivity < wanted


def test_a_fixed_threshold_looks_at_nothing():
    assert choose(FixedThreshold(probability=0.3), np.array([]), np.array([], dtype=int)) == 0.3


def test_shen_2026_combined_row():
    """Table 1: sensitivity .778 of 27 and specificity .914 of 81 imply accuracy .880; F1, PPV and NPV by hand."""
    row = Confusion(tp=21, fn=6, fp=7, tn=74)
    assert (round(row.sensitivity, 3), round(row.specificity, 3), round(row.accuracy, 3)) == (0.778, 0.914, 0.880)
    assert (row.ppv, row.npv, row.f1) == pytest.approx((21 / 28, 74 / 80, 42 / 55))


def test_a_ratio_without_cases_is_unknown():
    nobody_called = Confusion(tp=0, fn=3, fp=0, tn=5)
    assert np.isnan(nobody_called.ppv)
    assert nobody_called.f1 == 0
    assert np.isnan(Confusion(0, 0, 0, 5).f1)
