import numpy as np
import pytest
from scipy.stats import binomtest

from fusion.evaluate.rates import rates
from fusion.evaluate.threshold import Confusion

COUNTS = Confusion(tp=21, fn=6, fp=7, tn=74)
"""Shen 2026, Table 1, Combined."""


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_every_rate_is_the_share_with_scipys_wilson_interval(confidence):
    for name, rate in rates(COUNTS, confidence).items():
        expected = binomtest(rate.part, rate.whole).proportion_ci(confidence, method="wilson")
        assert rate.value == pytest.approx(getattr(COUNTS, name))
        assert (rate.low, rate.high) == pytest.approx((expected.low, expected.high))


def test_a_rate_without_cases_is_unknown():
    found = rates(Confusion(tp=0, fn=3, fp=0, tn=5))["ppv"]
    assert np.isnan([found.value, found.low, found.high]).all()
