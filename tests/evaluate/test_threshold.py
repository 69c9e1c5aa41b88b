import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, roc_curve

from fusion.config.evaluate import FixedSensitivity, FixedSpecificity, FixedThreshold, LeastCost, Youden
from fusion.evaluate.threshold import Confusion, choose, confusion, describe


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


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_a_fixed_specificity_is_reached_and_no_smaller_threshold_reaches_it(seed, wanted):
    probability, events = cases(seed)
    cut = choose(FixedSpecificity(specificity=wanted), probability, events)
    assert confusion(probability, events, cut).specificity >= wanted - 1e-9
    below = probability[probability < cut]
    assert len(below) == 0 or confusion(probability, events, below.max()).specificity < wanted


@given(st.integers(0, 10_000), st.floats(0.1, 20), st.sampled_from([None, 0.05, 0.6]))
def test_no_threshold_costs_less_than_the_chosen_one(seed, false_negative, prevalence):
    probability, events = cases(seed)
    rule = LeastCost(false_negative=false_negative, prevalence=prevalence)
    share = events.mean() if prevalence is None else prevalence

    def cost(cut: float) -> float:
        own = confusion(probability, events, cut)
        return share * false_negative * (1 - own.sensitivity) + (1 - share) * (1 - own.specificity)

    least = min(cost(cut) for cut in [*probability, 2.0])
    assert cost(choose(rule, probability, events)) == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize("false_negative", [0.5, 1, 3])
def test_the_least_cost_is_where_zweig_and_campbells_line_touches_the_roc_curve(false_negative):
    """Clin Chem 1993;39:561: sensitivity - m (1 - specificity) is largest, m = FP cost / FN cost x (1 - P) / P."""
    probability, events = cases(7)
    m = 1 / false_negative * (1 - 0.3) / 0.3
    fpr, tpr, _ = roc_curve(events, probability, drop_intermediate=False)
    own = confusion(
        probability, events, choose(LeastCost(false_negative=false_negative, prevalence=0.3), probability, events)
    )
    assert own.sensitivity - m * (1 - own.specificity) == pytest.approx((tpr - m * fpr).max())


def test_equal_costs_make_the_fewest_errors():
    probability, events = cases(3)
    best = max(confusion(probability, events, cut).accuracy for cut in [*probability, 2.0])
    assert confusion(probability, events, choose(LeastCost(), probability, events)).accuracy == pytest.approx(best)


def test_where_alarms_are_dear_nobody_is_called():
    probability, events = np.array([0.9, 0.2, 0.8, 0.1]), np.array([0, 1, 0, 1])
    cut = choose(LeastCost(false_positive=100), probability, events)
    assert confusion(probability, events, cut).fp == 0


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (FixedSpecificity(specificity=0.95), "specificity 0.95 in out-of-fold training predictions"),
        (LeastCost(false_negative=4, prevalence=0.2), "a miss costs 4, a false alarm 1, at a prevalence of 0.2"),
        (Youden(), "largest Youden index in out-of-fold training predictions"),
    ],
)
def test_every_rule_is_told(rule, words):
    assert words in describe(rule)


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
