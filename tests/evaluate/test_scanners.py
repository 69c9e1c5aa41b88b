import numpy as np
import pytest
from scipy.stats import false_discovery_control, kruskal

from fusion.evaluate.scanners import discovered, kruskal_wallis


def test_kruskal_wallis_is_scipys_feature_by_feature_ties_included():
    rng = np.random.default_rng(0)
    values, groups = rng.integers(0, 6, (40, 8)).astype(float), np.array(list("abc"))[rng.integers(0, 3, 40)]
    expected = [kruskal(*(column[groups == name] for name in "abc")).pvalue for column in values.T]
    np.testing.assert_allclose(kruskal_wallis(values, groups), expected, rtol=1e-10)


def test_a_feature_that_does_not_vary_is_not_tested():
    values = np.column_stack([np.ones(9), np.arange(9.0)])
    p = kruskal_wallis(values, np.array(list("aaabbbccc")))
    assert np.isnan(p[0])
    assert np.isnan(discovered(p)[0])
    assert discovered(p)[1] == p[1]


def test_adjusted_p_values_are_scipys():
    p = np.array([0.01, np.nan, 0.02, 0.8])
    np.testing.assert_array_equal(discovered(p)[[0, 2, 3]], false_discovery_control(p[[0, 2, 3]]))


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_hardly_ever_a_discovery(seed):
    rng = np.random.default_rng(seed)
    p = kruskal_wallis(rng.normal(size=(60, 1000)), np.arange(60) % 3)
    assert (discovered(p) < 0.05).mean() < 0.005
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.02)
