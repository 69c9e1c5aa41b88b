"""RT structures and segmentations on the image's grid: the same voxels as a mask in NIfTI, or refused by name."""

from pathlib import Path

import numpy as np
import pytest

from fusion.config.cohort import Cohort
from fusion.data.case import Files, load
from fusion.data.dicom.seg import read_segment
from fusion.data.image import read_image, write_mask
from fusion.data.roi_name import TUMOUR
from fusion.errors import CohortError
from tests import toy
from tests.data import dicom_made as made


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    return made.series(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def tumour() -> np.ndarray:
    mask = np.zeros((5, 12, 16), bool)
    mask[1:4, 3:9, 4:11] = True
    mask[2, 5:7, 6:8] = False
    mask[3, 3] = False
    return mask


BOXES = [made.box(1, (2.5, 8.5), (3.5, 10.5)), made.box(2, (2.5, 8.5), (3.5, 10.5)),
         made.box(2, (4.5, 6.5), (5.5, 7.5)), made.box(3, (3.5, 8.5), (3.5, 10.5))]  # fmt: skip
"""The contours of ``tumour``, with its hole."""


def case(image: Path, mask: Path, external2: Path | None = None, resample: bool = False, **cohort):
    return load(Files("a", image, mask, external2), Cohort(table=Path("table.csv"), **cohort), resample)


def refusal(*given, **cohort) -> str:
    with pytest.raises(CohortError) as caught:
        case(*given, **cohort)
    told = str(caught.value)
    assert not any(secret in told for secret in ("Mustermann", "4711", "Haus", "1.2.826"))
    return told


def test_a_structure_with_a_hole_is_its_nifti_twin(tmp_path, image, tumour):
    own = case(image, made.structures(tmp_path / "a.dcm", {"GTV": BOXES}))
    write_mask(tmp_path / "a.nii.gz", tumour, read_image(image).geometry)
    assert (own.tumour == tumour).all()
    assert (case(image, tmp_path / "a.nii.gz").tumour == own.tumour).all()


def test_the_label_of_a_dicom_mask_is_the_cohorts(tmp_path, image, tumour):
    assert (case(image, made.structures(tmp_path / "a.dcm", {"GTV": BOXES}), label=7).tumour == tumour).all()


def test_the_tumour_among_several_is_found_by_its_name(tmp_path, image, tumour):
    far = [made.box(0, (0.5, 2.5), (0.5, 2.5))]
    path = made.structures(tmp_path / "a.dcm", {"Parotid L": far, "gtv-1": BOXES, "nodes": far})
    assert (case(image, path).tumour == tumour).all()
    assert case(image, path, roi="nodes").tumour.sum() == 4
    assert case(image, path, roi="^par").tumour.sum() == 4
    assert (case(image, path, roi="#2").tumour == tumour).all()
    assert "0 of 3 structures that fit 'bone' (Parotid L, gtv-1, nodes)" in refusal(image, path, roi="bone")
    assert "2 of 3 structures that fit 'o'" in refusal(image, path, roi="o")
    assert "roi = '(' (missing )" in refusal(image, path, roi="(")


def test_two_tumours_ask_for_a_choice(tmp_path, image):
    path = made.structures(tmp_path / "a.dcm", {"GTV-1": BOXES, "Tumor": BOXES})
    assert "2 of 2 structures that fit 'gtv|tumou?r|lesion|mass' (GTV-1, Tumor)" in refusal(image, path)


def test_a_mask_in_the_images_own_folder(tmp_path, tumour):
    folder = made.series(tmp_path)
    made.structures(folder / "RS", {"GTV": BOXES})
    assert (case(folder, folder).tumour == tumour).all()
    made.segmentation(folder / "SEG", {"Tumour": tumour})
    assert "2 DICOM masks (RT structures, a segmentation)" in refusal(folder, folder)


@pytest.mark.parametrize(
    ("contours", "reason"),
    [
        ([made.box(1.4, (2.5, 8.5), (3.5, 9.5))], "1 of 1 contours between slices, by up to 0.40 of the step"),
        ([made.box(5, (2.5, 8.5), (3.5, 9.5))], "1 of 1 contours outside the image"),
        ([made.box(2, (2.5, 13), (3.5, 9.5))], "1 of 1 contours outside the image"),
        ([made.box(1, (2.5, 8.5), (3.5, 9.5)), made.box(3, (2.5, 8.5), (3.5, 9.5))], "no contour on 1 slices"),
        ([made.box(1, (2.5, 8.5), (3.5, 9.5))] * 2, "cross or are drawn twice on 1 of 1 slices"),
        ([made.box(1, (2.5, 8.5), (3.5, 9.5)), made.box(1, (3.5, 9.5), (5.5, 10.5))], "cross or are drawn twice"),
        ([made.box(1, (2.5, 8.5), (3.5, 9.5))[:2]], "contours of fewer than 3 points"),
        ([np.zeros((2, 2))], "a contour of something else than points"),
        ([], "a structure without a contour"),
        ([made.box(1, (0.5 + n / 500, 8), (1, 9)) for n in range(201)], "201 contours on one slice"),
    ],
)  # fmt: skip
def test_contours_that_give_no_certain_mask_are_refused(tmp_path, image, contours, reason):
    assert reason in refusal(image, made.structures(tmp_path / "a.dcm", {"GTV": contours}))


def test_open_contours_are_refused(tmp_path, image):
    path = made.structures(tmp_path / "a.dcm", {"GTV": BOXES}, kind="OPEN_PLANAR")
    assert "contours that are not closed" in refusal(image, path)


def test_parts_side_by_side_are_one_mask(tmp_path, image):
    parts = [made.box(1, (0.5, 3.5), (0.5, 3.5)), made.box(1, (5.5, 8.5), (0.5, 3.5))]
    assert case(image, made.structures(tmp_path / "a.dcm", {"GTV": parts})).tumour.sum() == 18


def test_masks_of_another_series_are_refused(tmp_path, image, tumour):
    structures = made.structures(tmp_path / "a.dcm", {"GTV": BOXES}, seed="b")
    told = refusal(image, structures)
    assert "RT structures of another frame of reference" in told
    assert "RT structures of another series" in told
    told = refusal(image, made.segmentation(tmp_path / "b.dcm", {"Tumour": tumour}, seed="b"))
    assert "a segmentation in another frame of reference" in told
    assert "a segmentation of another series" in told


def test_structures_need_a_dicom_image(tmp_path):
    path = made.structures(tmp_path / "a.dcm", {"GTV": BOXES})
    assert "an image that is no DICOM" in refusal(toy.write(tmp_path / "a.nii", made.voxels()), path)


def test_an_image_is_no_mask(image):
    assert "a DICOM file that is no mask (CT)" in refusal(image, next(image.iterdir()))


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_a_segment_is_its_nifti_twin_wherever_its_frames_come(tmp_path, image, tumour, kind):
    path = made.segmentation(tmp_path / "a.dcm", {"Tumour": tumour}, kind=kind)
    assert (case(image, path).tumour == tumour).all()
    alone = read_segment(path, None, None, TUMOUR)
    assert (alone.values > 0).sum() == tumour.sum()
    assert alone.geometry.origin_mm[2] == made.ORIGIN[2] + made.SPACING[0]


def test_a_fraction_counts_from_one_half_and_says_so(tmp_path, image, tumour):
    fractions = np.where(tumour, 0.5, 0.0)
    fractions[1, 3] = 0.49
    own = case(image, made.segmentation(tmp_path / "a.dcm", {"Tumour": fractions}, kind="FRACTIONAL"))
    assert (own.tumour == (fractions >= 0.5)).all()
    assert own.notes == ("tumour: a fractional segmentation, inside from 0.5",)


def test_segments_that_overlap_are_each_read_whole(tmp_path, image, tumour):
    other = np.roll(tumour, 2, axis=2)
    path = made.segmentation(tmp_path / "a.dcm", {"Gland": other, "Lesion": tumour})
    assert (case(image, path).tumour == tumour).all()
    assert (case(image, path, roi="Gland").tumour == other).all()


def test_a_ring_drawn_by_hand_is_the_segment_named_so(tmp_path, image, tumour):
    ring = np.roll(tumour, 6, axis=2) & ~tumour
    path = made.segmentation(tmp_path / "a.dcm", {"External2": ring, "Tumour": tumour})
    own = case(image, path, path)
    assert (own.tumour == tumour).all()
    assert (own.external2 == ring).all()


def test_a_segment_on_another_grid_is_refused_or_resampled(tmp_path, image):
    fine = np.zeros((5, 24, 32), bool)
    fine[2, 8:16, 8:16] = True
    step = made.SPACING[1] / 2, made.SPACING[2] / 2
    origin = made.ORIGIN[0] - step[1] / 2, made.ORIGIN[1] - step[0] / 2, made.ORIGIN[2]
    path = made.segmentation(tmp_path / "a.dcm", {"Tumour": fine}, origin=origin, spacing=(made.SPACING[0], *step))
    assert "another grid than the image's" in refusal(image, path)
    own = case(image, path, resample=True).tumour
    assert own.sum() == 16
    assert own[2, 4:8, 4:8].all()


def test_frames_beyond_the_image_are_refused(tmp_path, image, tumour):
    path = made.segmentation(tmp_path / "a.dcm", {"Tumour": np.concatenate([tumour, tumour])})
    assert "3 of 6 frames outside the image" in refusal(image, path)


def test_a_damaged_mask_never_breaks(tmp_path, image, tumour):
    rng = np.random.default_rng(0)
    whole = [made.structures(tmp_path / "a.dcm", {"GTV": BOXES}).read_bytes(),
             made.segmentation(tmp_path / "b.dcm", {"Tumour": tumour}).read_bytes()]  # fmt: skip
    read = read_image(image)
    for number in range(24):
        content = bytearray(whole[number % 2])
        for place in rng.integers(132, len(content), 8):
            content[place] = rng.integers(256)
        (tmp_path / "c.dcm").write_bytes(content[: rng.integers(1, 2 * len(content))])
        try:
            own = case(image, tmp_path / "c.dcm")
        except CohortError:
            continue
        assert own.tumour.shape == read.values.shape
