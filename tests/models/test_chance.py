import numpy as np
import pytest
import torch
from scipy.stats import beta as beta_law
from scipy.stats import kstest

from fusion.models.chance import beta, key, normal, uniform

KEYS = key(5, torch.arange(4000))


def test_numbers_and_tensors_make_the_same_key():
    mixed = [key(1, 2, 3), key(torch.tensor(1), 2, 3), key(1, torch.tensor(2), 3), key(1, 2, torch.tensor(3))]
    assert len({int(own) for own in mixed}) == 1
    assert torch.equal(key(9, torch.arange(3))[2], key(9, 2))


@pytest.mark.parametrize("large", [2**31, 2**32 - 1, 2**62, 2**63 - 1])
def test_large_numbers_make_the_same_key_as_tensors(large):
    assert torch.equal(key(large, 1), key(torch.tensor(large), 1))
    assert torch.equal(key(1, large), key(1, torch.tensor(large)))


def test_parts_broadcast():
    assert key(torch.arange(3)[:, None], torch.arange(4)).shape == (3, 4)


def test_order_and_number_of_the_parts_count():
    assert len({int(own) for own in (key(1, 2), key(2, 1), key(1), key(1, 2, 0), key(0, 1, 2))}) == 5


def test_neighbouring_keys_never_meet():
    assert len(key(torch.arange(100)[:, None], torch.arange(1000)).unique()) == 100_000


def test_a_key_s_numbers_are_uniform():
    assert kstest(uniform(KEYS, 10).flatten().numpy(), "uniform").pvalue > 0.01
    assert kstest(uniform(key(1), 40_000).numpy(), "uniform").pvalue > 0.01


def test_numbers_stay_below_one():
    numbers = uniform(KEYS, 100)
    assert 0 <= numbers.min() < 1e-3 < 0.999 < numbers.max() < 1


def test_numbers_of_neighbouring_keys_and_places_are_unrelated():
    numbers = uniform(KEYS, 2).numpy()
    pairs = [numbers.T, [numbers[:-1, 0], numbers[1:, 0]], [numbers[:, 0], uniform(key(KEYS, 1), 1)[:, 0].numpy()]]
    assert all(abs(np.corrcoef(pair)[0, 1]) < 0.06 for pair in pairs)


@pytest.mark.parametrize("numbers", [lambda k: uniform(k, 3), lambda k: normal(k, (2, 5)), lambda k: beta(k, 0.2)])
def test_a_key_s_numbers_do_not_depend_on_its_batch(numbers):
    assert torch.equal(numbers(KEYS[:5])[3], numbers(KEYS[3:4])[0])


def test_shapes():
    assert uniform(KEYS[:6].view(2, 3), 4).shape == (2, 3, 4)
    assert normal(KEYS[:2], (3, 4, 5)).shape == (2, 3, 4, 5)
    assert beta(KEYS[:2], 1.0).shape == (2,)


def test_noise_is_standard_normal_and_another_key_s_is_another():
    noise = normal(KEYS[:4], (16, 32, 32))
    assert kstest(noise[0].flatten().numpy(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(noise.flatten(1).numpy()) - np.eye(4)).max() < 0.04


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_mixing_shares_follow_their_law(alpha):
    assert kstest(beta(KEYS, alpha).numpy(), beta_law(alpha, alpha).cdf).pvalue > 0.01


def test_torchs_generator_is_left_alone():
    before = torch.get_rng_state()
    uniform(KEYS, 2), normal(KEYS[:2], (2,)), beta(KEYS, 0.3)
    assert torch.equal(torch.get_rng_state(), before)
