import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, mannwhitneyu
from sklearn.metrics import roc_auc_score

from fusion.evaluate import discrimination as d

ASAH = Path(__file__).parents[3] / "shared" / "reference" / "aSAH.csv"
needs_asah = pytest.mark.skipif(not ASAH.is_file(), reason="pROC's example data (GPL) is not in this repository")


def cases(seed: int, n: int = 60, models: int = 3, decimals: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties, and events."""
    generator = np.random.default_rng(seed)
    events = generator.permutation(np.repeat([1, 0], [n // 3, n - n // 3]))
    return np.round(generator.normal(size=(models, n)) + events, decimals), events


def placements(scores: np.ndarray, events: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """DeLong 1988 by the definition: every event against every non-event, one pair at a time."""
    pairs = np.array(
        [
            [[1.0 if x > y else 0.5 if x == y else 0.0 for y in row[events == 0]] for x in row[events == 1]]
            for row in scores
        ]
    )
    return pairs.mean(axis=(1, 2)), pairs.mean(axis=2), pairs.mean(axis=1)


@pytest.mark.parametrize("seed", range(4))
def test_delong_equals_its_definition(seed):
    scores, events = cases(seed)
    areas, covariance = d.delong(scores, events)
    expected, of_events, of_others = placements(scores, events)
    assert areas == pytest.approx(expected, abs=1e-12)
    assert covariance == pytest.approx(
        np.cov(of_events) / of_events.shape[1] + np.cov(of_others) / of_others.shape[1], abs=1e-12
    )


@pytest.mark.parametrize("seed", range(4))
def test_auc_equals_scikit_learn_and_mann_whitney(seed):
    scores, events = cases(seed, models=1)
    value = d.auc(scores[0], events)
    u = mannwhitneyu(scores[0][events == 1], scores[0][events == 0]).statistic
    assert value == pytest.approx(roc_auc_score(events, scores[0]), abs=1e-12)
    assert value == pytest.approx(u / ((events == 1).sum() * (events == 0).sum()), abs=1e-12)


@given(st.integers(0, 10_000))
def test_reversed_scores_mirror_the_auc(seed):
    scores, events = cases(seed, models=1)
    assert d.auc(-scores[0], events) == pytest.approx(1 - d.auc(scores[0], events))


@given(st.integers(0, 10_000))
def test_the_comparison_is_antisymmetric(seed):
    scores, events = cases(seed, models=2)
    one, two = d.delong_test(scores[0], scores[1], events), d.delong_test(scores[1], scores[0], events)
    assert (one.difference, one.z, one.low) == pytest.approx((-two.difference, -two.z, -two.high))


def test_a_model_does_not_differ_from_itself():
    scores, events = cases(0, models=1)
    same = d.delong_test(scores[0], scores[0], events)
    assert (same.difference, same.z, same.p) == (0, 0, 1)


def test_a_difference_without_variance_has_no_test():
    events = np.array([1, 1, 0, 0])
    perfect = np.array([0.9, 0.8, 0.2, 0.1])
    assert np.isnan(d.delong_test(perfect, 1 - perfect, events).p)


def test_one_event_has_an_auc_and_no_variance():
    areas, covariance = d.delong(np.array([[0.9, 0.5, 0.1]]), np.array([1, 0, 0]))
    assert areas[0] == 1
    assert np.isnan(covariance).all()


def test_the_bootstrap_agrees_with_delong_in_a_large_sample():
    scores, events = cases(1, n=600, models=1, decimals=3)
    boot = d.bootstrap_interval(scores[0], events, np.random.default_rng(0), samples=4000)
    assert boot == pytest.approx(d.delong_interval(scores[0], events), abs=0.006)


def test_the_bootstrap_equals_a_slow_one_in_distribution():
    scores, events = cases(2, n=45, models=1)
    generator = np.random.default_rng(5)
    groups = [np.flatnonzero(events == kind) for kind in (1, 0)]
    slow = []
    for _ in range(3000):
        drawn = np.concatenate([generator.choice(group, len(group)) for group in groups])
        slow.append(d.auc(scores[0][drawn], events[drawn]))
    fast = d.bootstrap_interval(scores[0], events, np.random.default_rng(0), samples=3000)
    assert fast == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.01)


def test_the_bootstrap_repeats_with_its_seed():
    scores, events = cases(3, models=1)
    one, two = (d.bootstrap_interval(scores[0], events, np.random.default_rng(7), 300) for _ in range(2))
    assert one == two


def test_a_wider_confidence_gives_a_wider_interval():
    scores, events = cases(4, models=1)
    narrow, wide = (
        d.bootstrap_interval(scores[0], events, np.random.default_rng(0), confidence=level) for level in (0.8, 0.99)
    )
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_two_thousand_samples_of_250_cases_take_a_blink():
    scores, events = cases(5, n=250, models=1)
    start = time.perf_counter()
    d.bootstrap_interval(scores[0], events, np.random.default_rng(0))
    assert time.perf_counter() - start < 1


def test_a_perfect_auc_has_no_logit_interval():
    events = np.array([1, 1, 0, 0])
    assert np.isnan(d.delong_interval(np.array([0.9, 0.8, 0.2, 0.1]), events)).all()


def test_holm_by_hand():
    adjusted = d.holm(np.array([0.01, np.nan, 0.04, 0.03, 0.005]))
    assert adjusted == pytest.approx([0.03, np.nan, 0.06, 0.06, 0.02], nan_ok=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_p_and_bonferroni(values):
    p = np.array(values)
    adjusted = d.holm(p)
    assert np.all(adjusted >= p)
    assert np.all(adjusted <= np.minimum(p * len(p), 1) + 1e-12)
    assert np.all(adjusted >= false_discovery_control(p) - 1e-12)


@pytest.fixture(scope="module")
def asah():
    """Turck 2010, doi:10.1007/s00134-009-1641-y: 113 patients, 41 with a poor outcome."""
    table = pd.read_csv(ASAH)
    scores = table[["wfns", "s100b", "ndka"]].to_numpy(float).T
    return np.ascontiguousarray(scores), (table["outcome"] == "Poor").astype(int).to_numpy()


@needs_asah
def test_proc_areas_and_covariances(asah):
    """The values that pROC 1.19's own tests hold."""
    areas, covariance = d.delong(*asah)
    assert areas == pytest.approx([0.823678861789, 0.731368563686, 0.611957994580], abs=1e-12)
    assert np.diag(covariance) == pytest.approx([0.00146991470882, 0.00266868245717, 0.00319081054939], abs=1e-13)
    assert covariance[[0, 0, 1], [1, 2, 2]] == pytest.approx(
        [0.00119615567377, -0.000532967856762, -0.000756164938057], abs=1e-13
    )


@needs_asah
@pytest.mark.parametrize(
    ("first", "second", "z", "p"),
    [
        (0, 1, 2.20898359144091, 0.0271757822291882),
        (0, 2, 2.79777591868904, 0.00514557970691098),
        (2, 1, -1.39077002573558, 0.164295175223054),
    ],
)
def test_proc_paired_tests(asah, first, second, z, p):
    scores, events = asah
    test = d.delong_test(scores[first], scores[second], events)
    assert (test.z, test.p) == pytest.approx((z, p), abs=1e-10)


@needs_asah
def test_proc_intervals(asah):
    scores, events = asah
    test = d.delong_test(scores[0], scores[1], events)
    assert (test.low, test.high) == pytest.approx((0.0104061769565, 0.174214419249), abs=1e-11)
    wald = d.delong_interval(scores[2], events, scale="wald")
    assert wald == pytest.approx((0.501244999271703, 0.722670989888189), abs=1e-12)
