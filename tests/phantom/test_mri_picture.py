"""A rendered tumour looks like six MRI sequences: tissues, contrasts, geometry."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion, label

from fusion.config.cohort import MriPhantom
from fusion.phantom.mri.anatomy import FIELD_MM, Tissue, ellipse_radius, tissues
from fusion.phantom.mri.contour import distance_mm
from fusion.phantom.mri.law import HISTOLOGIES, LAWS
from fusion.phantom.mri.picture import Pictures, noise, points, render
from fusion.phantom.mri.plan import Plan, plan_cohort
from fusion.phantom.mri.signal import DISPLAY, SEQUENCES, diffusion_weighted, grey, signal

PIXELS = 96


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return plan_cohort(MriPhantom(cases=40, seed=4))


@pytest.fixture(scope="module")
def pictures(plans: list[Plan]) -> list[Pictures]:
    return [render(plan, PIXELS) for plan in plans]


def plain(plan: Plan, **changes) -> Plan:
    """``plan`` with a large smooth tumour that has its contrasts alone."""
    still = {"semi_axes_mm": (12.0, 11.0), "texture_sd": 0.0, "cyst": False, "capsule": False, "infiltration": 0.0,
             "roughness": 0.03, "edge_mm": 0.4}  # fmt: skip
    return replace(plan, lesion=replace(plan.lesion, **{**still, **changes}))


def inner(picture: Pictures) -> np.ndarray:
    return binary_erosion(picture.tumour, iterations=4)


def test_eight_bit_squares_in_six_sequences(pictures: list[Pictures]) -> None:
    for own in pictures:
        assert tuple(own.grey) == SEQUENCES
        assert {(value.shape, value.dtype.name) for value in own.grey.values()} == {((PIXELS, PIXELS), "uint8")}


def test_same_plan_gives_the_same_pictures(plans: list[Plan], pictures: list[Pictures]) -> None:
    again = render(plans[0], PIXELS)
    np.testing.assert_array_equal(again.grey["adc"], pictures[0].grey["adc"])
    np.testing.assert_array_equal(again.tumour, pictures[0].tumour)


def test_the_word_of_the_label_never_reaches_a_picture(plans: list[Plan], pictures: list[Pictures]) -> None:
    again = render(replace(plans[0], histology="?", looks="?", case="?", patient="?"), PIXELS)
    assert all((again.grey[name] == pictures[0].grey[name]).all() for name in SEQUENCES)


def test_tumour_is_nearly_one_piece_inside_the_picture(pictures: list[Pictures]) -> None:
    for own in pictures:
        pieces = np.bincount(label(own.tumour)[0].ravel())[1:]
        assert pieces.max() > 0.9 * pieces.sum()
        assert not own.tumour[[0, -1]].any()
        assert not own.tumour[:, [0, -1]].any()


def test_a_rough_outline_keeps_the_area_of_the_smooth_one(plans: list[Plan]) -> None:
    lateral, back = points(plans[0].anatomy, 192)
    smooth = (ellipse_radius(plans[0].lesion, lateral, back) < 1).sum()
    for roughness in (0.04, 0.11):
        rough = distance_mm(replace(plans[0].lesion, roughness=roughness), lateral, back, np.random.default_rng(1))
        assert (rough < 0).sum() == pytest.approx(smooth, rel=0.01)


def test_a_tumour_pushes_and_never_creates_gland(plans: list[Plan]) -> None:
    """Outside the tumour every ray keeps its tissues' area: the skin of a growing superficial mass moves outwards."""
    lateral, back = points(plans[0].anatomy, 192)
    body = [
        (tissues(plans[0].anatomy, replace(plans[0].lesion, semi_axes_mm=semi), lateral, back) > Tissue.AIR).sum()
        for semi in ((6.0, 6.0), (18.0, 18.0))
    ]
    assert body[0] < body[1]


def test_distance_is_in_mm(plans: list[Plan]) -> None:
    lateral, back = points(plans[0].anatomy, 192)
    round_one = replace(plans[0].lesion, semi_axes_mm=(12.0, 12.0), roughness=1e-6)
    distance = distance_mm(round_one, lateral, back, np.random.default_rng(1))
    radius = 12 * ellipse_radius(round_one, lateral, back)
    near = np.abs(distance) < 10
    assert np.abs(distance - (radius - 12))[near].max() < 0.6


@pytest.mark.parametrize("sequence", ["t2w", "t1w", "t1c", "dwi_b0"])
def test_a_z_is_a_fixed_grey_step_against_muscle(plans: list[Plan], sequence: str) -> None:
    """The window is fixed against muscle, so two z more are one muscle signal more, as grey values of that window."""
    low, high = (render(plain(plans[0], z=dict.fromkeys(plans[0].lesion.z, z)), PIXELS) for z in (-0.5, 1.5))
    step = high.grey[sequence][inner(high)].mean() - low.grey[sequence][inner(low)].mean()
    expected = 255 / (DISPLAY[sequence].high - DISPLAY[sequence].low)
    assert step == pytest.approx(expected, rel=0.2)


def test_adc_is_a_fixed_grey_step(plans: list[Plan]) -> None:
    low, high = (render(plain(plans[0], adc=adc), PIXELS) for adc in (0.8, 1.8))
    step = high.grey["adc"][inner(high)].mean() - low.grey["adc"][inner(low)].mean()
    assert step == pytest.approx(255 / DISPLAY["adc"].high, rel=0.1)


def test_b2000_is_b0_times_exp_of_minus_b_adc() -> None:
    """Muscle, z 0 and ADC 1.35e-3: exp(-2.7)."""
    found = diffusion_weighted(signal(np.zeros((1, 1), np.float32)), np.full((1, 1), 1.35, np.float32))
    assert found.item() == pytest.approx(np.exp(-2.7))


def test_restricted_diffusion_is_bright_in_b2000_and_dark_in_adc(plans: list[Plan]) -> None:
    low, high = (render(plain(plans[0], adc=adc), PIXELS) for adc in (0.8, 1.8))
    bright, dark = (own.grey["dwi_b2000"][inner(own)].mean() for own in (low, high))
    assert bright > dark + 40


def test_sequences_see_different_tissue(plans: list[Plan]) -> None:
    """Fat is bright in T1 and suppressed after contrast and in diffusion; gland is brighter than muscle in all."""
    plan = plain(replace(plans[0], left=True), semi_axes_mm=(5.0, 5.0))
    own = render(plan, PIXELS)
    lateral, back = points(plan.anatomy, PIXELS)
    found = tissues(plan.anatomy, plan.lesion, lateral, back)
    away = binary_erosion(np.ones_like(found, bool)) & ~binary_dilation(own.tumour, iterations=4)
    mean = {
        (sequence, tissue): own.grey[sequence][binary_erosion(found == tissue, iterations=1) & away].mean()
        for sequence in SEQUENCES
        for tissue in (Tissue.FAT, Tissue.GLAND, Tissue.MUSCLE, Tissue.AIR)
    }
    assert mean["t1w", Tissue.FAT] > mean["t1w", Tissue.GLAND] > mean["t1w", Tissue.MUSCLE]
    assert all(mean[s, Tissue.GLAND] > mean[s, Tissue.MUSCLE] + 10 for s in ("t2w", "t1w", "t1c", "dwi_b0"))
    assert all(mean[s, Tissue.FAT] < mean[s, Tissue.MUSCLE] for s in ("t1c", "dwi_b0"))
    assert all(mean[s, Tissue.AIR] < 15 for s in SEQUENCES)


def test_histologies_differ_in_t2_and_adc_as_their_laws(plans: list[Plan], pictures: list[Pictures]) -> None:
    def of(sequence: str, name: str) -> float:
        return np.mean([o.grey[sequence][o.tumour].mean() for p, o in zip(plans, pictures, strict=True)
                        if p.histology == name])  # fmt: skip

    assert all(of(sequence, "PA") > of(sequence, "Warthin") + 20 for sequence in ("t2w", "dwi_b0", "adc"))
    assert of("t1w", "PA") < of("t1w", "Warthin") - 10
    assert of("dwi_b2000", "PA") < of("dwi_b2000", "Warthin") - 20


def test_malignancy_coarsens_texture_and_blurs_the_margin() -> None:
    from fusion.phantom.mri.lesion import draw_lesion

    benign, malignant = (
        [draw_lesion(LAWS[name], np.random.default_rng(seed)) for seed in range(50)] for name in ("PA", "MEC")
    )
    for trait in ("texture_sd", "edge_mm", "infiltration", "roughness"):
        assert all(getattr(b, trait) <= getattr(m, trait) for b, m in zip(benign, malignant, strict=True))


def test_mirrored_sides(plans: list[Plan]) -> None:
    left, right = (render(replace(plans[0], left=side), PIXELS) for side in (True, False))
    np.testing.assert_array_equal(left.grey["t2w"], right.grey["t2w"][:, ::-1])
    np.testing.assert_array_equal(left.tumour, right.tumour[:, ::-1])


def test_resolution_does_not_change_the_patient(plans: list[Plan]) -> None:
    coarse, fine = (render(plans[0], pixels) for pixels in (64, 192))
    area = [own.tumour.sum() * (FIELD_MM / len(own.tumour)) ** 2 for own in (coarse, fine)]
    assert area[0] == pytest.approx(area[1], rel=0.06)
    pooled = fine.grey["t2w"].reshape(64, 3, 64, 3).mean(axis=(1, 3))
    assert np.corrcoef(pooled.ravel(), coarse.grey["t2w"].ravel())[0, 1] > 0.97


def test_noise_does_not_know_its_mask(plans: list[Plan]) -> None:
    difference = []
    for plan in plans[:20]:
        own = noise(plan, 64)
        difference += [own.grey[s][own.tumour].mean() - own.grey[s][~own.tumour].mean() for s in SEQUENCES]
    assert abs(np.mean(difference)) < 3 * np.std(difference) / np.sqrt(len(difference))


def test_noise_of_two_sequences_is_unrelated(plans: list[Plan]) -> None:
    own = noise(plans[0], 64)
    assert abs(np.corrcoef(own.grey["t2w"].ravel(), own.grey["dwi_b0"].ravel())[0, 1]) < 0.1


def test_window_clips() -> None:
    value = np.array([[-1.0, 0.0, 3.0, 9.0]], np.float32)
    assert grey(value, DISPLAY["t2w"]).tolist() == [[0, 0, 255, 255]]


def test_laws_name_the_words_of_the_table() -> None:
    assert HISTOLOGIES == ("PA", "Warthin", "other benign", "MEC", "other malignant")
