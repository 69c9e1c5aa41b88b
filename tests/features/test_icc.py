"""The intraclass correlation against Shrout & Fleiss 1979 and pingouin 0.7.0."""

import time

import numpy as np
import pytest

from fusion.features.icc import icc

JUDGED = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
"""Shrout & Fleiss 1979, table 2: six targets, four judges."""
PAIRED = np.array([[44.2, 50.9], [37.6, 37.1], [44.6, 56.3], [54.8, 53.0], [61.1, 61.9], [49.2, 53.6], [42.3, 50.1],
                   [42.0, 44.4]])  # fmt: skip
"""Made up: two readers, the second about 4 higher."""


@pytest.mark.parametrize(("kind", "printed"), [("1,1", 0.17), ("2,1", 0.29), ("3,1", 0.71)])
def test_shrout_and_fleiss_table_4(kind, printed):
    assert round(icc(JUDGED[..., None], kind).estimate.item(), 2) == printed


@pytest.mark.parametrize(
    ("readings", "kind", "estimate", "low", "high"),
    [
        (JUDGED, "1,1", 0.1657417684, -0.13293232, 0.72256006),
        (JUDGED, "2,1", 0.2897637795, 0.01878651, 0.76108437),
        (JUDGED, "3,1", 0.7148407148, 0.34246477, 0.94585826),
        (PAIRED, "1,1", 0.7213622880, 0.15404115, 0.93603489),
        (PAIRED, "2,1", 0.7353205835, 0.08823332, 0.94214423),
        (PAIRED, "3,1", 0.8171949940, 0.33113727, 0.96051527),
    ],
)
def test_pingouins_estimates_and_intervals(readings, kind, estimate, low, high):
    """pingouin 0.7.0's ICC(1,1), ICC(A,1) and ICC(C,1), its interval's rounding set to eight decimals."""
    found = icc(readings[..., None], kind)
    assert found.estimate.item() == pytest.approx(estimate, abs=1e-10)
    assert (found.low.item(), found.high.item()) == pytest.approx((low, high), abs=1e-8)


def test_all_features_at_once_are_each_feature_alone():
    readings = np.random.default_rng(0).normal(size=(20, 2, 6)) * 1e-6 + np.arange(6) * 1e3
    whole = icc(readings)
    for column in range(6):
        assert icc(readings[..., [column]]).low.item() == pytest.approx(whole.low[column], rel=1e-9)


def test_a_reader_who_reads_higher_agrees_less_but_stays_consistent():
    base = np.random.default_rng(1).normal(size=(20, 1, 1))
    readings = np.concatenate([base, base + 3], axis=1)
    assert icc(readings, "3,1").estimate.item() == pytest.approx(1)
    assert icc(readings, "2,1").estimate.item() < 0.5


def test_a_feature_that_does_not_vary_is_unknown_and_equal_readings_agree():
    varied = np.random.default_rng(2).normal(size=(6, 1, 1))
    readings = np.concatenate([np.full((6, 2, 1), 0.1), varied.repeat(2, axis=1)], axis=2)
    for kind in ("1,1", "2,1", "3,1"):
        found = icc(readings, kind)
        assert np.isnan([found.estimate[0], found.low[0], found.high[0]]).all()
        assert (found.estimate[1], found.low[1], found.high[1]) == (1, 1, 1)


def test_no_case_difference_is_no_agreement():
    readings = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])[..., None]
    assert icc(readings, "2,1").estimate.item() == 0


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    cases, noise = rng.normal(size=(15, 1, 4000)), rng.normal(size=(15, 2, 4000))
    found = icc(np.sqrt(0.8) * cases + np.sqrt(0.2) * noise, "1,1")
    covered = ((found.low <= 0.8) & (found.high >= 0.8)).mean()
    assert 0.935 < covered < 0.965


def test_1874_features_take_milliseconds():
    readings = np.random.default_rng(4).normal(size=(20, 2, 1874))
    icc(readings)
    start = time.perf_counter()
    icc(readings)
    assert time.perf_counter() - start < 0.25
