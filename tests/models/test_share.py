import numpy as np
import pytest
import torch

from fusion.config.network import Network
from fusion.models.share import ALONE, Share

PICTURES = Network(input={"kind": "picture"}, fuse={"kind": "add"})


@pytest.mark.parametrize(("cases", "world"), [(5, 2), (7, 3), (32, 4), (4, 4)])
def test_shares_are_all_cases_in_their_order_and_differ_by_one_at_most(cases, world):
    spans = [Share(rank, world).own(cases) for rank in range(world)]
    assert [n for start, stop in spans for n in range(start, stop)] == list(range(cases))
    sizes = [stop - start for start, stop in spans]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("network", [Network(), Network(mixup=0.2), PICTURES])
@pytest.mark.parametrize("world", [1, 2, 3])
def test_own_cases_are_found_among_those_that_are_looked_at(network, world):
    case = torch.from_numpy(np.random.default_rng(0).permutation(20)[:7])
    found = [Share(rank, world).needed(case, network, 2) for rank in range(world)]
    assert torch.equal(torch.cat([rows[own] for rows, own in found]), case)


def test_with_mixup_every_case_comes_after_its_partner():
    case = torch.tensor([4, 8, 2, 9, 6])
    for rank in range(2):
        rows, own = Share(rank, 2).needed(case, Network(mixup=0.2), 1)
        assert torch.equal(rows.roll(1)[own], case.roll(1)[slice(*Share(rank, 2).own(5))])


def test_several_pictures_are_filled_from_the_whole_step():
    case = torch.arange(5)
    assert torch.equal(Share(1, 2).needed(case, PICTURES, 2)[0], case)
    assert len(Share(1, 2).needed(case, PICTURES, 1)[0]) == 3


def test_the_mean_of_weighed_losses_is_the_mean_over_all_cases():
    losses = torch.rand(5, dtype=torch.double)
    shares = [Share(rank, 2) for rank in range(2)]
    weighed = [own.weighed(losses[slice(*own.own(5))].mean(), 5) for own in shares]
    torch.testing.assert_close(torch.stack(weighed).mean(), losses.mean())
    assert ALONE.weighed(losses.mean(), 5) == losses.mean()
