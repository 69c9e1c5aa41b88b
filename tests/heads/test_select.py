import numpy as np
import pytest

from fusion.errors import HeadError
from fusion.heads.select import DropCorrelated, DropFlat, LassoTop


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
