import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import kstest

from fusion.evaluate.hosmer_lemeshow import hosmer_lemeshow

MPG = [
    21.0, 21.0, 22.8, 21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4, 10.4, 14.7, 32.4, 30.4,
    33.9, 21.5, 15.5, 15.2, 13.3, 19.2, 27.3, 26.0, 30.4, 15.8, 19.7, 15.0, 21.4,
]  # fmt: skip
WT = [
    2.620, 2.875, 2.320, 3.215, 3.440, 3.460, 3.570, 3.190, 3.150, 3.440, 3.440, 4.070, 3.730, 3.780, 5.250, 5.424,
    5.345, 2.200, 1.615, 1.835, 2.465, 3.520, 3.435, 3.840, 3.845, 1.935, 2.140, 1.513, 3.170, 2.770, 3.570, 2.780,
]  # fmt: skip
VS = np.array([0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1])
"""32 cars of Motor Trend 1974: miles a gallon, weight, straight engine."""


def test_the_statistic_equals_that_of_r():
    """The example of performance_hosmer in R's package performance, glm(vs ~ wt + mpg): 5.137 on 8 df, P 0.743."""
    fitted = sm.Logit(VS, sm.add_constant(np.column_stack([WT, MPG]))).fit(disp=0).predict()
    found = hosmer_lemeshow(fitted, VS, 10, development=True)
    assert (round(found.chi2, 3), found.df, round(found.p, 3)) == (5.137, 8, 0.743)


def test_two_groups_by_hand():
    """(1 - 0.4)^2 / (0.4 x 0.8) + (1 - 1.6)^2 / (1.6 x 0.2) = 1.125 + 1.125."""
    found = hosmer_lemeshow(np.array([0.2, 0.2, 0.8, 0.8]), np.array([1, 0, 1, 0]), 2)
    assert (found.chi2, found.df) == (pytest.approx(2.25), 2)


def test_new_cases_lose_no_degrees_of_freedom():
    generator = np.random.default_rng(0)
    probability = generator.uniform(0.05, 0.95, 200)
    events = generator.binomial(1, probability)
    assert hosmer_lemeshow(probability, events).df == 10
    assert hosmer_lemeshow(probability, events, development=True).df == 8


def test_true_probabilities_give_uniform_p():
    generator = np.random.default_rng(1)
    values = []
    for _ in range(300):
        probability = generator.uniform(0.1, 0.9, 400)
        values.append(hosmer_lemeshow(probability, generator.binomial(1, probability)).p)
    assert kstest(values, "uniform").pvalue > 0.01


def test_wrong_probabilities_are_noticed():
    generator = np.random.default_rng(2)
    probability = generator.uniform(0.1, 0.9, 400)
    assert hosmer_lemeshow(probability, generator.binomial(1, probability**3)).p < 1e-6


def test_equal_probabilities_stay_together():
    found = hosmer_lemeshow(np.repeat([0.2, 0.5, 0.8], 20), np.tile([1, 0], 30), 10)
    assert found.groups == 3


def test_nothing_to_group_has_no_p():
    assert np.isnan(hosmer_lemeshow(np.full(6, 0.5), np.array([1, 0, 1, 0, 1, 0]), development=True).p)
    assert np.isnan(hosmer_lemeshow(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1]), 2).p)
