import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm
from sklearn.base import clone
from sklearn.feature_selection import f_classif
from sklearn.pipeline import make_pipeline

from fusion.errors import HeadError
from fusion.heads.select import (
    ByRegion,
    DropCorrelated,
    DropFlat,
    IccFilter,
    LassoTop,
    Mrmr,
    StabilityTop,
    UnivariateTop,
)
from fusion.heads.select.univariate import f_statistic, rank_sum


def test_flat_columns_go():
    table = np.column_stack([np.arange(9.0), np.full(9, 0.1), np.full(9, 1e9)])
    assert DropFlat().fit(table).get_support().tolist() == [True, False, False]


def test_an_all_flat_table_is_a_message():
    with pytest.raises(HeadError, match="all constant over 4 cases"):
        DropFlat().fit(np.ones((4, 3)))


def test_no_kept_pair_is_more_correlated_than_the_threshold():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(60, 8)) @ rng.normal(size=(8, 40)) + 0.3 * rng.normal(size=(60, 40))
    kept = DropCorrelated(0.8).fit_transform(table)
    between = np.abs(np.corrcoef(kept.T)) - np.eye(kept.shape[1])
    assert 1 < kept.shape[1] < 40
    assert between.max() <= 0.8


def test_of_a_correlated_pair_the_later_column_goes():
    first = np.random.default_rng(1).normal(size=50)
    assert DropCorrelated(0.95).fit(np.column_stack([first, -2 * first + 1])).get_support().tolist() == [True, False]


def test_lasso_finds_the_columns_that_carry_the_outcome():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(200, 50))
    event = (table[:, 7] - table[:, 30] + 0.5 * rng.normal(size=200) > 0).astype(int)
    assert {7, 30} <= set(np.flatnonzero(LassoTop(5).fit(table, event).get_support()))


def test_no_more_than_top_are_kept():
    rng = np.random.default_rng(3)
    table = rng.normal(size=(80, 200))
    event = (table[:, :30].sum(axis=1) > 0).astype(int)
    assert LassoTop(6).fit(table, event).get_support().sum() == 6


def test_noise_still_keeps_a_feature():
    rng = np.random.default_rng(4)
    event = np.repeat([0, 1], 30)
    assert LassoTop(5, seed=1).fit(rng.normal(size=(60, 10)), event).get_support().sum() >= 1


def test_too_few_events_for_the_folds_is_a_message():
    with pytest.raises(HeadError, match=r"lower heads\.lasso_folds"):
        LassoTop(5, folds=10).fit(np.random.default_rng(0).normal(size=(20, 4)), np.repeat([0, 1], [16, 4]))


def test_ranks_see_what_lines_do_not():
    first = np.random.default_rng(1).normal(size=60)
    table = np.column_stack([first, np.exp(3 * first)])
    assert DropCorrelated(0.95).fit(table).get_support().tolist() == [True, True]
    assert DropCorrelated(0.95, "spearman").fit(table).get_support().tolist() == [True, False]


def test_columns_are_compared_across_blocks():
    table = np.random.default_rng(1).normal(size=(40, 600))
    table[:, 590] = -table[:, 3]
    assert np.flatnonzero(~DropCorrelated(0.95).fit(table).get_support()).tolist() == [590]


def test_agreement_below_the_minimum_or_unknown_is_not_enough():
    icc = np.array([0.95, 0.9, 0.89, np.nan])
    assert IccFilter(icc, 0.9).fit(np.ones((3, 4))).get_support().tolist() == [True, True, False, False]
    assert IccFilter().fit(np.ones((3, 4))).get_support().all()


@pytest.mark.parametrize(
    ("icc", "words"), [([0.2, 0.4], r"no feature with an ICC of 0\.9 or more among 2, the best 0\.400"),
                       ([np.nan, np.nan], "the best nan"), ([1.0], "1 intraclass correlations for 2 features")]
)  # fmt: skip
def test_no_agreement_is_a_message(icc, words):
    with pytest.raises(HeadError, match=words):
        IccFilter(np.array(icc)).fit(np.ones((3, 2)))


def some(seed: int = 5, features: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """The first two columns carry the outcome, the third is a copy of the first with noise."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(150, features))
    event = (table[:, 0] - table[:, 1] + rng.normal(size=150) > 0.5).astype(int)
    table[:, 2] = table[:, 0] + 0.3 * rng.normal(size=150)
    return (table - table.mean(axis=0)) / table.std(axis=0), event


def test_f_is_that_of_scikit_learn():
    table, event = some()
    np.testing.assert_allclose(f_statistic(table, event), f_classif(table, event)[0])


def test_rank_sum_is_that_of_scipy_with_ties():
    table, event = some()
    tied = np.round(table)
    p = mannwhitneyu(tied[event == 1], tied[event == 0], use_continuity=False, method="asymptotic").pvalue
    np.testing.assert_allclose(2 * norm.sf(rank_sum(tied, event)), p)


def test_the_choice_of_statistic_matters_to_outliers():
    table, event = some()
    table[0, 0] = 1e3
    assert UnivariateTop(2, "mann_whitney").fit(table, event).get_support()[0]
    assert not UnivariateTop(2).fit(table, event).get_support()[0]


def test_mrmr_is_ding_and_pengs_quotient_taken_greedily():
    table, event = some()
    relevance, alike = f_statistic(table, event), np.abs(np.corrcoef(table.T))
    taken = [int(relevance.argmax())]
    while len(taken) < 6:
        rest = [column for column in range(40) if column not in taken]
        taken.append(max(rest, key=lambda column: relevance[column] / alike[column, taken].mean()))
    scores = Mrmr(6).fit(table, event).scores_
    assert np.argsort(-scores, kind="stable")[:6].tolist() == taken


def test_mrmr_avoids_a_copy_of_what_it_has():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 3))
    event = (2 * table[:, 0] - table[:, 1] + rng.normal(size=200) > 0).astype(int)
    table[:, 2] = table[:, 0] + 0.2 * rng.normal(size=200)
    assert UnivariateTop(2).fit(table, event).get_support(indices=True).tolist() == [0, 2]
    assert Mrmr(2).fit(table, event).get_support(indices=True).tolist() == [0, 1]


def test_stability_selection_counts_halves():
    table, event = some()
    fitted = StabilityTop(3, samples=20).fit(table, event)
    assert {0, 1} <= set(fitted.get_support(indices=True))
    assert fitted.frequency_.max() == 1
    assert (fitted.frequency_ * 20 % 1).max() < 1e-9
    assert fitted.frequency_.sum() <= 3


def test_stability_selection_is_the_same_again_and_bears_copies():
    table, event = some()
    table[:, 3] = table[:, 0]
    first, again = (StabilityTop(5, samples=20, seed=3).fit(table, event).frequency_ for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_an_unreached_threshold_is_a_message():
    rng = np.random.default_rng(0)
    with pytest.raises(HeadError, match=r"no feature that 100% of the halves chose.*lower heads\.selector\.threshold"):
        StabilityTop(2, samples=20, threshold=1.0).fit(rng.normal(size=(60, 100)), np.repeat([0, 1], 30))


@pytest.mark.parametrize("selector", [UnivariateTop, Mrmr, LassoTop, StabilityTop])
def test_events_a_variable_cap_every_ranking(selector):
    table, event = some()
    events = int(min(event.sum(), (1 - event).sum()))
    assert selector(20, events_per_variable=events / 3.5).fit(table, event).get_support().sum() == 3


@pytest.mark.parametrize("selector", [UnivariateTop, Mrmr, LassoTop, StabilityTop])
def test_a_table_without_variation_is_a_message(selector):
    with pytest.raises(HeadError):
        selector(5).fit(np.ones((40, 3)), np.repeat([0, 1], 20))


@pytest.mark.parametrize(
    "selector", [DropFlat(), DropCorrelated(0.8, "spearman"), IccFilter(np.ones(40)), UnivariateTop(4, "mann_whitney"),
                 Mrmr(4), LassoTop(4, l1_ratio=0.5, rule="one_se"), StabilityTop(4, samples=10)]
)  # fmt: skip
def test_a_clone_selects_the_same(selector):
    table, event = some()
    again = clone(selector).fit(table, event)
    np.testing.assert_array_equal(selector.fit(table, event).get_support(), again.get_support())
    assert again.transform(table).shape == (150, again.get_support().sum())


def test_each_region_gives_its_own():
    table, event = some()
    both = ByRegion(make_pipeline(DropFlat(), UnivariateTop(2)), (10, 30)).fit(table, event)
    support = both.get_support()
    assert support[:10].sum() == support[10:].sum() == 2
    np.testing.assert_array_equal(support[10:], UnivariateTop(2).fit(table[:, 10:], event).get_support())


def test_regions_that_do_not_make_up_the_table_are_a_message():
    table, event = some()
    with pytest.raises(HeadError, match="regions of 10, 10 features in a table of 40"):
        ByRegion(make_pipeline(DropFlat()), (10, 10)).fit(table, event)
