"""LASSO's path and choice against closed forms: Friedman, Hastie & Tibshirani 2010, doi:10.18637/jss.v033.i01."""

import numpy as np
import pytest
from sklearn.linear_model import LassoCV
from sklearn.model_selection import StratifiedKFold

from fusion.heads.select import LassoTop
from fusion.heads.select.lasso import chosen


def orthonormal(cases: int = 120, features: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Columns of mean 0 with X'X / n = 1, so that each coefficient is the soft-thresholded X'y / n."""
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(cases, features))
    table = np.linalg.qr(raw - raw.mean(axis=0))[0] * np.sqrt(cases)
    return table, (table[:, 2] - table[:, 5] + rng.normal(size=cases) > 0.4).astype(int)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_the_path_begins_where_nothing_is_kept_and_ends_at_a_hundredth(l1_ratio):
    table, event = orthonormal()
    fitted = LassoTop(l1_ratio=l1_ratio).fit(table, event)
    largest = np.abs(table.T @ (event - event.mean())).max() / len(event) / l1_ratio
    np.testing.assert_allclose(fitted.alphas_, np.geomspace(largest, largest / 100, 60))
    assert np.abs(fitted.path_[:, 0]).max() < 1e-12


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_coefficients_on_orthonormal_columns_are_the_closed_form(l1_ratio):
    table, event = orthonormal()
    fitted = LassoTop(l1_ratio=l1_ratio).fit(table, event)
    plain = table.T @ (event - event.mean()) / len(event)
    for penalty, found in zip(fitted.alphas_, fitted.path_.T, strict=True):
        soft = np.sign(plain) * np.maximum(np.abs(plain) - penalty * l1_ratio, 0)
        np.testing.assert_allclose(found, soft / (1 + penalty * (1 - l1_ratio)), atol=1e-8)


def test_the_choice_is_scikit_learns_with_the_same_folds():
    rng = np.random.default_rng(1)
    table = rng.normal(size=(90, 30))
    event = (table[:, 4] + rng.normal(size=90) > 0).astype(int)
    parts = StratifiedKFold(10, shuffle=True, random_state=7)
    peer = LassoCV(alphas=60, eps=1e-2, cv=parts, tol=1e-8, max_iter=100_000).fit(table, event)
    fitted = LassoTop(30, seed=7).fit(table, event)
    assert fitted.alpha_ == pytest.approx(peer.alpha_)
    np.testing.assert_allclose(fitted.coef_, peer.coef_, atol=2e-3)
    np.testing.assert_array_equal(np.flatnonzero(np.abs(peer.coef_) > 1e-3),
                                  np.flatnonzero(np.abs(fitted.coef_) > 1e-3))  # fmt: skip


def test_one_standard_error_by_hand():
    errors = np.array([[4.0, 6.0], [3.0, 3.2], [2.6, 3.4], [2.0, 3.0], [2.9, 2.9]])
    # smallest mean 2.5, the fourth; its standard error sqrt(0.5) / sqrt(2) = 0.5: the largest penalty with 3.0 or less
    assert chosen(errors, "min") == 3
    assert chosen(errors, "one_se") == 2


def test_one_se_keeps_no_more_than_the_smallest_error():
    rng = np.random.default_rng(2)
    table = rng.normal(size=(150, 60))
    event = (table[:, :4].sum(axis=1) + rng.normal(size=150) > 0).astype(int)
    few, many = (LassoTop(None, rule=rule).fit(table, event) for rule in ("one_se", "min"))
    assert few.alpha_ > many.alpha_
    assert few.get_support().sum() < many.get_support().sum()


def test_wide_and_tall_tables_take_the_same_road():
    rng = np.random.default_rng(3)
    table = rng.normal(size=(60, 130))  # more than twice as wide as tall: without a Gram matrix
    event = (table[:, 0] + 0.5 * rng.normal(size=60) > 0).astype(int)
    wide, narrow = LassoTop(5).fit(table, event), LassoTop(5).fit(table[:, :110], event)
    assert wide.get_support()[0]
    assert narrow.get_support()[0]


def test_copies_of_a_case_share_a_fold():
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 40, 80)
    X, y = rng.normal(size=(40, 6))[drawn], (np.arange(40) % 2)[drawn]
    for fit, apart in LassoTop(folds=4)._parts(X, y):
        assert not set(drawn[fit]) & set(drawn[apart])
