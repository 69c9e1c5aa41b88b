from itertools import combinations

import numpy as np
import pytest

from fusion.evaluate.stability import jaccard, nogueira


def drawn(folds: int, features: int, kept: int, seed: int = 0) -> np.ndarray:
    """Each fold keeps ``kept`` features at random."""
    rng = np.random.default_rng(seed)
    return np.array([rng.permutation(np.arange(features) < kept) for _ in range(folds)])


def test_the_same_in_every_fold_is_one():
    same = np.repeat(drawn(1, 30, 4), 5, axis=0)
    assert nogueira(same) == pytest.approx(1)
    assert jaccard(same) == 1


def test_random_choices_are_zero_on_average():
    assert np.mean([nogueira(drawn(5, 60, 10, seed)) for seed in range(300)]) == pytest.approx(0, abs=0.01)


def test_with_equal_counts_it_is_kunchevas_index():
    """Kuncheva 2007, mean over pairs of (r - k^2/d) / (k - k^2/d); so Nogueira, Sechidis & Brown 2018."""
    chosen, kept, features = drawn(6, 25, 7), 7, 25
    chance = kept**2 / features
    pairs = [((one & other).sum() - chance) / (kept - chance) for one, other in combinations(chosen, 2)]
    assert nogueira(chosen) == pytest.approx(np.mean(pairs))


def test_by_hand():
    chosen = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0]], dtype=bool)
    # frequencies 1, 1/3, 1/3, 0: mean variance (2/9 + 2/9) / 4 * 3/2 = 1/6; share 5/12, 5/12 * 7/12 = 35/144
    assert nogueira(chosen) == pytest.approx(1 - (1 / 6) / (35 / 144))
    assert jaccard(chosen) == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)


@pytest.mark.parametrize("chosen", [np.ones((3, 4), dtype=bool), np.zeros((3, 4), dtype=bool), drawn(1, 9, 3)])
def test_where_nothing_can_vary_there_is_no_number(chosen):
    assert np.isnan(nogueira(chosen))
