"""Slices on the device, turned and scaled, and what a missing one is."""

import numpy as np
import pytest
import torch

from fusion.models import chance
from fusion.models.planes import IMAGENET, Planes, plain, turned, units
from fusion.roi.slice import Slices

CPU = torch.device("cpu")
CASES = torch.arange(4)
KEYS = chance.key(5, CASES)


def slices(cases: int = 4, side: int = 32) -> Slices:
    rng = np.random.default_rng(0)
    there = np.ones((cases, 2), dtype=bool)
    there[1, 1] = False
    grey = rng.integers(0, 256, (cases, 2, side, side)).astype(np.uint8) * there[..., None, None]
    return Slices(tuple(f"c{n}" for n in range(cases)), ("A", "B"), grey.astype(np.uint8), there,
                  np.zeros(grey.shape, dtype=bool), np.ones((cases, 2, 2)))  # fmt: skip


@pytest.fixture
def planes() -> Planes:
    return Planes.of(slices(), CPU)


def test_three_equal_channels_in_imagenets_units(planes):
    seen = plain(planes, CASES)
    assert seen.shape == (4, 2, 3, 1, 32, 32)
    scale, shift = (torch.tensor(own)[:, None, None] for own in (IMAGENET.deviation, IMAGENET.mean))
    back = seen[0, 0, :, 0] * scale + shift
    for channel in back:
        assert torch.allclose(channel * 255, planes.grey[0, 0].float(), atol=1e-3)


def test_weights_with_other_units_get_them(planes):
    seen = plain(planes, CASES, units("tf_mobilenetv3_small_100"))
    assert torch.allclose((seen[0, 0, 1, 0] / 2 + 0.5) * 255, planes.grey[0, 0].float(), atol=1e-3)


@pytest.mark.parametrize("see", [plain, lambda p, c: turned(p, c, KEYS, True), lambda p, c: turned(p, c, KEYS, False)])
def test_a_missing_picture_is_zero_everywhere_and_no_other_is(planes, see):
    seen = see(planes, CASES)
    assert not seen[1, 1].any()
    assert all(seen[case, branch].any() for case in range(4) for branch in (0, 1) if (case, branch) != (1, 1))


@pytest.mark.parametrize("rotation_only", [True, False])
def test_a_case_gets_the_same_in_any_company_and_alone(planes, rotation_only):
    whole = turned(planes, CASES, KEYS, rotation_only)
    assert torch.equal(turned(planes, CASES[[2, 0]], KEYS[[2, 0]], rotation_only), whole[[2, 0]])
    one = Planes.of(slices(), CPU, [1])
    assert torch.equal(turned(one, CASES, KEYS, rotation_only)[:, 0], whole[:, 1])


def test_rotation_alone_keeps_the_grey_values_of_a_disc_about_the_centre():
    y, x = np.mgrid[:64, :64] - 31.5
    disc = np.where(np.hypot(y, x) < 20, 200, 50).astype(np.uint8)
    own = Slices(
        ("a",), ("A",), disc[None, None], np.ones((1, 1), bool), np.zeros((1, 1, 64, 64), bool), np.ones((1, 1, 2))
    )
    planes = Planes.of(own, CPU)
    as_it_is, after = plain(planes, torch.tensor([0])), turned(planes, torch.tensor([0]), KEYS[:1], True)
    apart = (after - as_it_is).abs()[0, 0, 0, 0]
    assert apart[torch.from_numpy(np.abs(np.hypot(y, x) - 20) > 2)].max() < 1e-4  # all but the disc's edge


def test_all_branches_of_a_case_are_moved_alike():
    rng = np.random.default_rng(1)
    grey = np.repeat(rng.integers(0, 256, (3, 1, 32, 32)), 2, axis=1).astype(np.uint8)
    own = Slices(
        ("a", "b", "c"), ("A", "B"), grey, np.ones((3, 2), bool), np.zeros(grey.shape, bool), np.ones((3, 2, 2))
    )
    seen = turned(Planes.of(own, CPU), torch.arange(3), KEYS[:3], True)
    assert torch.equal(seen[:, 0], seen[:, 1])
