"""A rendered case looks like a scan: range, geometry, tissues, readers."""

import numpy as np
import pytest
from scipy.ndimage import label

from fusion.config.cohort import Phantom
from fusion.phantom import Plan, Scan, plan_cohort, render


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return plan_cohort(Phantom(cases=24, seed=3))


@pytest.fixture(scope="module")
def scans(plans: list[Plan]) -> list[Scan]:
    return [render(plan, "crop") for plan in plans[:10]]


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_whole_hu_in_the_scanners_range(scans: list[Scan]) -> None:
    assert all(scan.hu.dtype == np.int16 and scan.hu.min() >= -1024 and scan.hu.max() <= 3071 for scan in scans)


def test_crop_is_112_by_112_by_12_with_5_mm_slices(scans: list[Scan]) -> None:
    assert {scan.hu.shape for scan in scans} == {(12, 112, 112)}
    assert all(scan.spacing_mm[0] == 5 and 0.40 <= scan.spacing_mm[1] <= 0.60 for scan in scans)


def test_tumour_stays_inside_the_crop(scans: list[Scan]) -> None:
    borders = [(s.tumour[[0, -1]], s.tumour[:, [0, -1]], s.tumour[:, :, [0, -1]]) for s in scans]
    assert not any(side.any() for sides in borders for side in sides)


def test_tumour_is_nearly_one_piece(scans: list[Scan]) -> None:
    for scan in scans:
        pieces = np.bincount(label(scan.tumour)[0].ravel())[1:]
        assert pieces.max() > 0.9 * pieces.sum()


def test_every_tissue_is_there(scans: list[Scan]) -> None:
    """Fat, gland, muscle, vessel and bone each fill some part of every crop."""
    for scan in scans:
        share = [((scan.hu > low) & (scan.hu < high)).mean() for low, high in ((-130, -70), (-20, 40), (45, 85))]
        assert min(share) > 0.02
        assert (scan.hu > 600).any()


def test_readers_agree_closely_but_not_exactly(scans: list[Scan]) -> None:
    for scan in scans:
        again, second = dice(scan.tumour, scan.repeat), dice(scan.tumour, scan.reader2)
        assert 0.80 < second < 1
        assert 0.80 < again < 1


def test_same_plan_gives_the_same_voxels(plans: list[Plan], scans: list[Scan]) -> None:
    again = render(plans[0], "crop")
    np.testing.assert_array_equal(again.hu, scans[0].hu)


def test_infiltration_raises_the_ring(plans: list[Plan]) -> None:
    from dataclasses import replace

    plan = plans[0]
    bare, full = (
        render(replace(plan, lesion=replace(plan.lesion, infiltration=weight)), "crop") for weight in (0.0, 1.0)
    )
    difference = full.hu.astype(float) - bare.hu
    assert difference[~bare.tumour].max() > 20
    assert difference.min() >= -1


def test_neck_holds_the_same_tumour_in_a_whole_field(plans: list[Plan], scans: list[Scan]) -> None:
    neck = render(plans[0], "neck")
    volume = [scan.tumour.sum() * np.prod(scan.spacing_mm) for scan in (neck, scans[0])]
    assert neck.hu.shape == (24, 512, 512)
    assert volume[0] == pytest.approx(volume[1], rel=0.08)
