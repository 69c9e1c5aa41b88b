"""Published sample sizes."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fusion.evaluate import sample_size as s


def test_pmsampsize_binary_example():
    """The R package pmsampsize (Ensor, Martin & Riley), help page: 24 parameters, prevalence .174, R2 .288."""
    found = s.needed(24, prevalence=0.174, r2=0.288)
    assert (found.shrinkage, found.optimism, found.risk, found.cases) == (623, 662, 221, 662)
    assert round(found.events_per_predictor, 1) == 4.8


def test_pmsampsize_from_a_c_statistic():
    """The same page with a C statistic of .89 in place of R2; pmsampsize's own tests expect these."""
    found = s.needed(24, 0.174, s.r2_of(0.89, 0.174))
    assert (found.shrinkage, found.optimism, found.risk) == (615, 660, 221)


def test_largest_r2_of_riley_2019():
    """Riley 2019, table of max R2: .48 at 10 % events, .33 at 5 %."""
    assert [round(s.largest_r2(share), 2) for share in (0.1, 0.05)] == [0.48, 0.33]


def test_expected_shrinkage_is_the_first_criterion_backwards():
    assert s.shrinkage(s.needed(24, 0.174, 0.288).shrinkage, 24, 0.288) == pytest.approx(0.9, abs=1e-3)
    assert s.shrinkage(249, 3748, 0.3) < 0.5


def test_r2_of_a_c_statistic_agrees_with_a_simulation():
    """Riley 2021's way: normal log-odds in both classes, a logistic regression on them."""
    rng, n = np.random.default_rng(0), 200_000
    events = (np.arange(n) < 0.25 * n).astype(int)
    odds = rng.normal(size=n) + events * np.sqrt(2) * 1.0364334  # C .85 shifts by sqrt(2) * 1.0364
    p = LogisticRegression(C=np.inf).fit(odds[:, None], events).predict_proba(odds[:, None])[:, 1]
    gained = np.log(np.where(events, p, 1 - p)).mean() - (0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    assert s.r2_of(0.85, 0.25) == pytest.approx(1 - np.exp(-2 * gained), abs=0.004)


@pytest.mark.parametrize(("correlation", "gap"), [(0.5, 0.142), (0.7, 0.109)])
def test_the_gap_that_shens_test_set_could_find(correlation, gap):
    """Against Combined's AUC of .913 with 27 and 81 cases, 80 % power (our notes on Shen 2026)."""
    assert round(s.detectable(0.913, 27, 81, correlation), 3) == gap


def test_a_gap_that_nobody_could_find_is_nan():
    assert np.isnan(s.detectable(0.6, 5, 5, 0.5))


def test_hanleys_error_at_chance_is_that_of_the_rank_sum_test():
    assert s.hanley_error(0.5, 27, 81) == pytest.approx(np.sqrt(109 / (12 * 27 * 81)))


def test_the_width_is_reached_by_the_cases_it_asks_for():
    cases = s.cases_for_width(0.85, 0.25)
    widths = [2 * 1.96 * s.hanley_error(0.85, 0.25 * n, 0.75 * n) for n in (cases - 1, cases)]
    assert widths[0] > 0.1 >= widths[1]
