"""Masks that programs stored cropped, padded, flipped or turned: every voxel lands where it was, or a fault says so."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from fusion.config.cohort import Cohort
from fusion.data.case import Files, load
from fusion.data.image import Geometry, Labels, geometry_of, read_labels, to_sitk
from fusion.data.on_grid import MOVED, RESAMPLED, Landed, on_grid
from fusion.errors import CohortError
from tests import toy

ANGLE = 0.3
OBLIQUE = np.array([[np.cos(ANGLE), -np.sin(ANGLE), 0], [np.sin(ANGLE), np.cos(ANGLE), 0], [0, 0, 1]]) @ np.array(
    [[1, 0, 0], [0, np.cos(0.2), -np.sin(0.2)], [0, np.sin(0.2), np.cos(0.2)]]
)
IMAGE = Geometry((9, 11, 13), (2.5, 0.75, 0.75), (-120.3, 33.1, 412.7), tuple(OBLIQUE.ravel()))
COHORT = Cohort(table=Path("table.csv"))
TURNS = [(order, flips) for order in itertools.permutations(range(3)) for flips in ((0, 0, 0), (1, 0, 1), (1, 1, 1))]


def drawn(seed: int = 0) -> np.ndarray:
    mask = np.zeros(IMAGE.size, bool)
    mask[2:7, 3:9, 4:10] = np.random.default_rng(seed).random((5, 6, 6)) < 0.4
    mask[2, 3, 4] = mask[6, 8, 9] = True
    return mask


def stored(mask: np.ndarray) -> sitk.Image:
    return to_sitk(mask.astype(np.uint8), IMAGE)


def land(labels: Labels, image: Geometry = IMAGE, resample: bool = False, trusted: bool = True, **cohort) -> Landed:
    return on_grid(labels, image, Path("mask.nrrd"), COHORT.model_copy(update=cohort), resample, trusted)


def as_labels(raw: sitk.Image) -> Labels:
    return Labels(sitk.GetArrayFromImage(raw), geometry_of(raw))


@pytest.mark.parametrize(("order", "flips"), TURNS)
@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz"])
def test_any_order_and_direction_of_axes_is_the_same_mask(tmp_path, order, flips, suffix):
    turned = sitk.Flip(sitk.PermuteAxes(stored(drawn()), order), [bool(one) for one in flips])
    sitk.WriteImage(turned, str(tmp_path / f"a{suffix}"))
    assert (land(read_labels(tmp_path / f"a{suffix}")).mask == drawn()).all()


@pytest.mark.parametrize("seed", range(20))
def test_crops_and_margins_of_turned_masks_land_exactly(seed):
    rng = np.random.default_rng(seed)
    raw = stored(drawn(seed))
    low, high = rng.integers(0, [5, 4, 3]), np.array([13, 11, 9]) - rng.integers(0, [4, 3, 3])
    raw = sitk.RegionOfInterest(raw, [int(one) for one in high - low], [int(one) for one in low])
    if seed % 2:
        raw = sitk.ConstantPad(
            raw, [int(one) for one in rng.integers(0, 9, 3)], [int(one) for one in rng.integers(0, 9, 3)]
        )
    order, flips = TURNS[int(rng.integers(len(TURNS)))]
    landed = land(as_labels(sitk.Flip(sitk.PermuteAxes(raw, order), [bool(one) for one in flips])))
    assert (landed.mask == drawn(seed)).all()
    assert landed.notes in ((MOVED,), ())


def test_the_same_grid_is_taken_as_it_is_without_a_note():
    landed = land(as_labels(stored(drawn())))
    assert landed.notes == ()
    assert (landed.mask == drawn()).all()


def test_a_crop_of_the_mask_loses_no_voxel_where_it_may_be_moved(tmp_path):
    image = toy.write(tmp_path / "a.nii", np.zeros((6, 20, 20), np.float32))
    mask = np.ones((2, 5, 4), np.uint8)
    crop = toy.write(tmp_path / "m.nii", mask, origin=(3.0, 2.0, 6.0))
    case = load(Files("a", image, crop), COHORT, resample_mask=True)
    assert case.tumour.sum() == 40
    assert case.tumour[2:4, 2:7, 3:7].all()
    assert case.notes == (f"tumour: {MOVED}",)


@pytest.mark.parametrize("off", [0.3, 0.05, 0.5])
def test_a_mask_between_voxels_is_refused_or_resampled(off):
    raw = stored(drawn())
    raw.SetOrigin(tuple(np.asarray(IMAGE.origin_mm) + OBLIQUE[:, 0] * 0.75 * off))
    with pytest.raises(CohortError, match="another grid than the image's: origin mm"):
        land(as_labels(raw))
    landed = land(as_labels(raw), resample=True)
    assert landed.notes == (RESAMPLED,)
    assert off == 0.5 or (landed.mask == drawn()).all()


def test_rounding_of_an_origin_is_no_other_grid():
    crop = sitk.RegionOfInterest(stored(drawn()), [9, 9, 8], [2, 1, 1])
    crop.SetOrigin([round(one, 2) for one in crop.GetOrigin()])
    assert (land(as_labels(crop)).mask == drawn()).all()


@pytest.mark.parametrize("change", ["spacing", "direction"])
def test_another_spacing_or_direction_is_another_grid(change):
    raw = stored(drawn())
    if change == "spacing":
        raw.SetSpacing((0.74, 0.75, 2.5))
    else:
        turn = np.array([[np.cos(0.01), -np.sin(0.01), 0], [np.sin(0.01), np.cos(0.01), 0], [0, 0, 1]])
        raw.SetDirection(tuple((OBLIQUE @ turn).ravel()))
    with pytest.raises(CohortError, match="another grid than the image's"):
        land(as_labels(raw))


def test_what_lies_outside_the_image_is_refused():
    crop = Geometry((7, 11, 13), IMAGE.spacing_mm, IMAGE.origin_mm, IMAGE.direction)
    mask = drawn()
    assert land(as_labels(stored(mask)), crop).mask.sum() == mask.sum()
    mask[8, 0, 0] = True
    with pytest.raises(CohortError, match=f"{100 / mask.sum():.3g}% of the mask outside the image"):
        land(as_labels(stored(mask)), crop)


def test_only_the_label_asked_for_lands():
    labels = as_labels(stored(drawn()))
    two = Labels(labels.values * 2 + (labels.values == 0), labels.geometry)
    assert (land(two, label=2).mask == drawn()).all()
    with pytest.raises(CohortError, match=r"no voxel with label 7 \(labels: 1, 2\)"):
        land(two, label=7)


def test_a_plain_volume_in_another_order_is_moved_on_request_alone():
    turned = as_labels(sitk.Flip(stored(drawn()), [True, False, False]))
    with pytest.raises(CohortError, match=r"direction .* which keeps every voxel here, if its header is right"):
        land(turned, trusted=False)
    assert (land(turned, trusted=False, resample=True).mask == drawn()).all()


@pytest.mark.parametrize("field", [280, 292])
def test_a_mask_that_lies_nowhere_is_no_mask(tmp_path, field):
    sitk.WriteImage(stored(drawn()), str(tmp_path / "a.nii"))
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[field : field + 4] = np.float32(np.nan).tobytes()
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(CohortError, match="voxels that lie nowhere"):
        read_labels(tmp_path / "a.nii")
