"""Segmentations of 3D Slicer: segments by name, whole where they overlap, at their place where cropped."""

from pathlib import Path

import numpy as np
import pytest

from fusion.config.cohort import Cohort
from fusion.data.case import Case, Files, load
from fusion.data.image import Geometry, write_mask
from fusion.data.slicer_seg import is_slicer_segmentation
from fusion.errors import CohortError
from tests import toy
from tests.data.slicer_made import segmentation

GRID = Geometry((6, 20, 24), (3.0, 1.0, 1.0), (5.0, -7.0, 11.0), tuple(np.eye(3).ravel()))
LOW, HIGH = (1, 4, 5), (5, 16, 20)


@pytest.fixture
def image(tmp_path) -> Path:
    return toy.write(tmp_path / "ct.nii", np.zeros(GRID.size, np.float32), GRID.spacing_mm, GRID.origin_mm)


def region(seed: int) -> np.ndarray:
    mask = np.zeros(GRID.size, bool)
    box = tuple(slice(a, b) for a, b in zip(LOW, HIGH, strict=True))
    mask[box] = np.random.default_rng(seed).random(np.subtract(HIGH, LOW)) < 0.3
    return mask


def cropped(mask: np.ndarray) -> np.ndarray:
    return mask[tuple(slice(a, b) for a, b in zip(LOW, HIGH, strict=True))]


CROP = Geometry(
    tuple(int(b - a) for a, b in zip(LOW, HIGH, strict=True)), GRID.spacing_mm,
    (GRID.origin_mm[0] + LOW[2], GRID.origin_mm[1] + LOW[1], GRID.origin_mm[2] + 3.0 * LOW[0]), GRID.direction,
)  # fmt: skip


def case(image: Path, mask: Path, external2: Path | None = None, **cohort) -> Case:
    return load(Files("a", image, mask, external2), Cohort(table=Path("table.csv"), **cohort), False)


def refusal(image: Path, mask: Path, **cohort) -> str:
    with pytest.raises(CohortError) as caught:
        case(image, mask, **cohort)
    return str(caught.value)


def test_one_segment_is_found_whatever_its_name_label_and_the_cohorts_label(tmp_path, image):
    path = segmentation(tmp_path / "a.seg.nrrd", [cropped(region(0)) * 3], [("Segment_1", 3, 0)], CROP)
    for label in (1, 9):
        assert (case(image, path, label=label).tumour == region(0)).all()


def test_overlapping_segments_in_layers_are_each_whole(tmp_path, image):
    tumour, gland, node = region(0), region(1), region(2) & ~region(1)
    layers = [cropped(tumour), np.where(cropped(gland), 1, 0) + np.where(cropped(node), 2, 0)]
    named = [("Parotid", 1, 1), ("Tumour", 1, 0), ("Node", 2, 1)]
    path = segmentation(tmp_path / "a.seg.nrrd", layers, named, CROP)
    own = case(image, path)
    assert (own.tumour == tumour).all()
    assert own.notes[0] == "tumour: the segment 'Tumour' of 3"
    assert (case(image, path, roi="Parotid").tumour == gland).all()
    assert (case(image, path, roi="#3").tumour == node).all()
    assert (case(image, path, roi="^no").tumour == node).all()
    assert "0 of 3 structures that fit 'bone' (Parotid, Tumour, Node)" in refusal(image, path, roi="bone")


@pytest.mark.parametrize("layers", [3, 4, 6])
def test_many_layers_are_layers_not_colours(tmp_path, image, layers):
    own = [region(number) for number in range(layers)]
    path = segmentation(tmp_path / "a.nrrd", own, [(f"S{n}", 1, n) for n in range(layers)], GRID)
    assert (case(image, path, roi=f"S{layers - 1}").tumour == own[-1]).all()


def test_files_of_old_versions_give_each_segment_a_layer(tmp_path, image):
    own = [region(0), region(1)]
    path = segmentation(tmp_path / "a.seg.nrrd", own, [("Node", 0, 0), ("Tumour", 0, 0)], GRID, old=True)
    assert (case(image, path).tumour == own[1]).all()


def test_the_ring_is_the_segment_named_so(tmp_path, image):
    ring, tumour = region(1) & ~region(0), region(0)
    path = segmentation(
        tmp_path / "a.seg.nrrd", [cropped(ring) + 2 * cropped(tumour)], [("External2", 1, 0), ("Tumour", 2, 0)], CROP
    )
    own = case(image, path, path)
    assert (own.tumour == tumour).all()
    assert own.external2 is not None
    assert (own.external2 == ring).all()


def test_two_segments_that_could_be_meant_ask_for_a_choice(tmp_path, image):
    labels = cropped(region(0)) + 2 * (cropped(region(1)) & ~cropped(region(0)))
    path = segmentation(tmp_path / "a.seg.nrrd", [labels], [("Tumour", 1, 0), ("Tumour", 2, 0)], CROP)
    assert "2 of 2 structures that fit 'gtv|tumou?r|lesion|mass' (#1 Tumour, #2 Tumour)" in refusal(image, path)
    assert (case(image, path, roi="#1").tumour == region(0)).all()


@pytest.mark.parametrize(
    ("segments", "more", "reason"),
    [
        ([("Tumour", 1, 2)], (), "a segment in layer 2 of 1"),
        ([("Tumour", 1, 0), ("Other", 1, 0)], (), "2 segments with label 1 in one layer"),
        ([("Tumour", 5, 0)], (), "no voxel with label 1 (labels: 0)"),
        ([("Tumour", 1, 0)], ("Segmentation_MasterRepresentation:=Fractional labelmap",), "that is not binary"),
        ([("Tumour", 1, 0)], ("Segment0_LabelValue:=one",), "a header without the label or layer of segment 1"),
    ],
)
def test_what_is_not_certain_is_refused(tmp_path, image, segments, more, reason):
    assert reason in refusal(image, segmentation(tmp_path / "a.seg.nrrd", [region(0)], segments, GRID, more))


def test_a_cut_off_segmentation_is_refused(tmp_path, image):
    path = segmentation(tmp_path / "a.seg.nrrd", [region(0)], [("Tumour", 1, 0)], GRID)
    path.write_bytes(path.read_bytes()[:-40])
    assert "an unreadable file" in refusal(image, path)


def test_other_nrrd_files_are_labels_as_before(tmp_path, image):
    write_mask(tmp_path / "a.nrrd", region(0), GRID, 2)
    assert not is_slicer_segmentation(tmp_path / "a.nrrd")
    assert (case(image, tmp_path / "a.nrrd", label=2).tumour == region(0)).all()


def test_a_damaged_segmentation_never_breaks(tmp_path, image):
    layers = [region(0) * 1, region(1) * 2]
    whole = segmentation(tmp_path / "a.seg.nrrd", layers, [("Tumour", 1, 0), ("Node", 2, 1)], GRID).read_bytes()
    rng, read = np.random.default_rng(0), 0
    for _ in range(60):
        content = bytearray(whole)
        for place in rng.integers(0, 700, rng.integers(1, 6)):
            content[place] = rng.integers(32, 127)
        (tmp_path / "b.seg.nrrd").write_bytes(content)
        try:
            read += case(image, tmp_path / "b.seg.nrrd").tumour.shape == GRID.size
        except CohortError:
            continue
    assert read > 5
