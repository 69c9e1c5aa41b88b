import dataclasses

import pytest
import torch
import torch.nn.functional as F

from fusion.config.run import Ring
from fusion.models.augment import augmented, draw, intensities, move, spread
from fusion.models.inputs import Boxes, centred, inputs, masks, scaled

from .conftest import ROI, patches

CASES = torch.arange(6)
CPU = torch.device("cpu")


def identity(cases: int, **changed):
    one, nothing = torch.ones(cases), torch.zeros(cases)
    own = {
        "matrix": torch.eye(2).expand(cases, 2, 2), "shift_mm": torch.zeros(cases, 2),
        "shift_slices": torch.zeros(cases, dtype=torch.long), "gain": one, "offset": nothing, "noise": nothing,
        "thickness": one, "contour_mm": torch.zeros(cases, 4, 4, 4), "kept": torch.ones(cases, 4, dtype=torch.bool),
    }  # fmt: skip
    return dataclasses.replace(draw([*range(cases)], 0, 0, 4, CPU), **(own | changed))


def moved(boxes: Boxes, cases: torch.Tensor, draws) -> torch.Tensor:
    sample = move(boxes, cases, ROI.patch, draws)
    return inputs(scaled(sample.grey, ROI.patch), masks(sample, ROI.external2, torch.full((len(cases),), 2.0)))


def test_the_same_seed_epoch_and_case_give_the_same_input(boxes):
    assert torch.equal(augmented(boxes, CASES, ROI, 7, 3), augmented(boxes, CASES, ROI, 7, 3))


@pytest.mark.parametrize(("seed", "epoch"), [(8, 3), (7, 4)])
def test_another_seed_or_epoch_gives_another(boxes, seed, epoch):
    assert not torch.equal(augmented(boxes, CASES, ROI, 7, 3), augmented(boxes, CASES, ROI, seed, epoch))


def test_a_cases_input_does_not_depend_on_its_batch(boxes):
    together = augmented(boxes, CASES, ROI, 7, 3)
    alone = torch.cat([augmented(boxes, case[None], ROI, 7, 3) for case in CASES])
    assert torch.allclose(together, alone, atol=1e-5)


def test_the_global_generator_is_left_alone(boxes):
    before = torch.get_rng_state()
    augmented(boxes, CASES, ROI, 7, 3)
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_around_it_does_not_blur_the_coordinates(boxes):
    with torch.autocast("cpu", torch.bfloat16):
        inside = augmented(boxes, CASES, ROI, 7, 3)
    assert torch.equal(inside, augmented(boxes, CASES, ROI, 7, 3))


def test_both_regions_get_the_same_transform(boxes):
    """A ring with the tumour in it shows, inside the tumour, what the tumour's own branch sees."""
    filled = ROI.model_copy(update={"external2": Ring(shape="filled", hu_range=None)})
    tumour, ring = augmented(boxes, torch.tensor([0, 1, 2]), filled, 7, 3).unbind(1)
    assert (tumour != 0).any()
    assert torch.equal(ring[tumour != 0], tumour[tumour != 0])


def test_ring_and_tumour_stay_disjoint(boxes):
    tumour, ring = augmented(boxes, torch.tensor([0, 1, 2]), ROI, 7, 3).unbind(1)
    assert not ((tumour != 0) & (ring != 0)).any()
    assert (ring != 0).any()


def test_values_stay_in_the_window(boxes):
    assert augmented(boxes, CASES, ROI, 7, 3).abs().max() <= 2


def test_no_transform_is_the_box_without_its_margin(boxes):
    assert torch.allclose(moved(boxes, CASES, identity(6)), centred(boxes, CASES, ROI), atol=1e-4)


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
                                         noise=torch.tensor([0.0, 0.05])))  # fmt: skip
    assert torch.allclose(changed[0], torch.tensor(0.6))
    assert (float(changed[1].mean()), float(changed[1].std())) == pytest.approx((0.52, 0.05), rel=0.05)


def test_draws_keep_their_ranges():
    draws = draw([*range(200)], 0, 0, 16, CPU)
    scale = torch.linalg.det(draws.matrix).abs().sqrt()
    assert 0.9 <= scale.min() < 0.92 < 1.08 < scale.max() <= 1.1
    assert (torch.linalg.det(draws.matrix) < 0).float().mean() == pytest.approx(0.5, abs=0.15)
    assert draws.shift_mm.abs().max() <= 4
    assert set(draws.shift_slices.tolist()) == {-1, 0, 1}
    assert 0.75 <= draws.thickness.min() < draws.thickness.max() <= 1.25
    assert draws.contour_mm.abs().max() <= 0.5
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
