import dataclasses

import pytest
import torch
import torch.nn.functional as F

from fusion.config.network import SliceMean, Slices
from fusion.config.roi import Ring
from fusion.models import augment, chance
from fusion.models.augment import augmented, draw, intensities, move, spread
from fusion.models.inputs import Boxes, centred, inputs, masks, scaled

from .conftest import ROI, patches

CASES = torch.arange(6)
CPU = torch.device("cpu")
SLICES = Slices()
KEYS = chance.key(7, 3, CASES)


def identity(cases: int, **changed):
    one, nothing = torch.ones(cases), torch.zeros(cases)
    own = {
        "matrix": torch.eye(2).expand(cases, 2, 2), "shift_mm": torch.zeros(cases, 2),
        "shift_slices": torch.zeros(cases, dtype=torch.long), "gain": one, "offset": nothing, "sigma": nothing,
        "thickness": one, "contour_mm": torch.zeros(cases, 4, 4, 4), "kept": torch.ones(cases, 4, dtype=torch.bool),
    }  # fmt: skip
    return dataclasses.replace(draw(torch.arange(cases), 4), **(own | changed))


def moved(boxes: Boxes, cases: torch.Tensor, draws) -> torch.Tensor:
    sample = move(boxes, cases, ROI.patch, draws)
    return inputs(scaled(sample.grey, ROI.patch), masks(sample, ROI.external2, torch.full((len(cases),), 2.0)), SLICES)[
        :, :, 0
    ]


def seen(boxes: Boxes, cases: torch.Tensor = CASES, keys: torch.Tensor | None = None, roi=ROI) -> torch.Tensor:
    return augmented(boxes, cases, roi, SLICES, chance.key(7, 3, cases) if keys is None else keys)[:, :, 0]


def test_the_same_key_gives_the_same_input(boxes):
    assert torch.equal(seen(boxes), seen(boxes))


@pytest.mark.parametrize(("seed", "epoch"), [(8, 3), (7, 4)])
def test_another_seed_or_epoch_gives_another(boxes, seed, epoch):
    assert not torch.equal(seen(boxes), seen(boxes, keys=chance.key(seed, epoch, CASES)))


def test_a_cases_input_does_not_depend_on_its_batch_bit_for_bit(boxes):
    alone = torch.cat([seen(boxes, case[None]) for case in CASES])
    assert torch.equal(seen(boxes), alone)


@pytest.mark.parametrize("piece", [1, 5, 100])
def test_the_size_of_its_pieces_does_not_matter(boxes, monkeypatch, piece):
    before = seen(boxes)
    monkeypatch.setattr(augment, "PIECE", piece)
    assert torch.equal(seen(boxes), before)


def test_the_global_generator_is_left_alone(boxes):
    before = torch.get_rng_state()
    seen(boxes)
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_around_it_does_not_blur_the_coordinates(boxes):
    with torch.autocast("cpu", torch.bfloat16):
        inside = seen(boxes)
    assert torch.equal(inside, seen(boxes))


def test_both_regions_get_the_same_transform(boxes):
    """A ring with the tumour in it shows, inside the tumour, what the tumour's own branch sees."""
    filled = ROI.model_copy(update={"external2": Ring(shape="filled", hu_range=None)})
    tumour, ring = seen(boxes, torch.tensor([0, 1, 2]), roi=filled).unbind(1)
    assert (tumour != 0).any()
    assert torch.equal(ring[tumour != 0], tumour[tumour != 0])


def test_ring_and_tumour_stay_disjoint(boxes):
    tumour, ring = seen(boxes, torch.tensor([0, 1, 2])).unbind(1)
    assert not ((tumour != 0) & (ring != 0)).any()
    assert (ring != 0).any()


def test_values_stay_in_the_window(boxes):
    assert seen(boxes).abs().max() <= 2


def test_no_transform_is_the_box_without_its_margin(boxes):
    assert torch.allclose(moved(boxes, CASES, identity(6)), centred(boxes, CASES, ROI, SLICES)[:, :, 0], atol=1e-4)


def test_a_quarter_turn_is_a_quarter_turn(boxes):
    quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).expand(6, 2, 2)
    turned = moved(boxes, CASES, identity(6, matrix=quarter))[:, 0]
    assert torch.allclose(turned, moved(boxes, CASES, identity(6))[:, 0].rot90(1, (2, 3)), atol=1e-3)


def test_a_shift_in_mm_is_that_many_voxels(boxes):
    shifted = moved(boxes, CASES, identity(6, shift_mm=torch.tensor([1.5, 0.0]).expand(6, 2)))
    assert torch.allclose(shifted[..., :-3], moved(boxes, CASES, identity(6))[..., 3:], atol=1e-3)


def test_a_shift_along_z_is_whole_slices(boxes):
    shifted = moved(boxes, CASES, identity(6, shift_slices=torch.ones(6, dtype=torch.long)))
    assert torch.allclose(shifted[:, :, :-1], moved(boxes, CASES, identity(6))[:, :, 1:], atol=1e-4)


def test_gain_offset_and_noise_are_those_drawn():
    grey = torch.full((2, 4, 32, 32), 0.5)
    changed = intensities(grey, identity(2, gain=torch.tensor([1.0, 1.04]), offset=torch.tensor([0.1, 0.0]),
                                         sigma=torch.tensor([0.0, 0.05])))  # fmt: skip
    assert torch.allclose(changed[0], torch.tensor(0.6))
    assert (float(changed[1].mean()), float(changed[1].std())) == pytest.approx((0.52, 0.05), rel=0.05)


def test_draws_keep_their_ranges():
    draws = draw(chance.key(torch.arange(200)), 16)
    scale = torch.linalg.det(draws.matrix).abs().sqrt()
    assert 0.9 <= scale.min() < 0.92 < 1.08 < scale.max() <= 1.1
    assert (torch.linalg.det(draws.matrix) < 0).float().mean() == pytest.approx(0.5, abs=0.15)
    assert draws.shift_mm.abs().max() <= 4
    assert set(draws.shift_slices.tolist()) == {-1, 0, 1}
    assert 0.75 <= draws.thickness.min() < draws.thickness.max() <= 1.25
    assert draws.contour_mm.abs().max() <= 0.5
    assert 0 <= draws.sigma.min() < draws.sigma.max() <= 0.1
    assert float(draws.kept.float().mean()) == pytest.approx(0.9, abs=0.02)


def test_the_contours_field_is_linear_between_its_nodes():
    nodes = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(nodes[:, None], ROI.patch.shape, mode="trilinear", align_corners=True)[:, 0]
    assert torch.allclose(spread(nodes, ROI.patch), expected, atol=1e-5)


def test_a_drawn_ring_moves_with_the_tumour():
    boxes = Boxes.of(patches(cases=2, drawn=(0, 1)), CPU)
    flip = torch.diag(torch.tensor([1.0, -1.0])).expand(2, 2, 2)
    flipped = moved(boxes, torch.arange(2), identity(2, matrix=flip))[:, 1]
    assert (flipped[:, :, 16:] == 0).all()
    assert (flipped[:, :, :16] != 0).float().mean() > 0.9


def test_a_dropped_slice_is_empty_in_both_regions_and_their_outline(boxes):
    kept = draw(KEYS, 4).kept
    outline = augmented(boxes, CASES, ROI, SliceMean(), KEYS)[:, :, 2]
    assert (~kept).any()
    assert not outline.transpose(1, 2)[~kept].any()
    assert outline.transpose(1, 2)[kept].any()


def test_the_soft_window_is_the_same_for_every_input(boxes):
    assert torch.equal(augmented(boxes, CASES, ROI, SliceMean(), KEYS)[:, :, 0], seen(boxes))
