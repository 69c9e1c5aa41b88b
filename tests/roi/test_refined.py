"""Rings refined by hand: found again by name, checked, and compared with the automatic ring."""

from pathlib import Path

import numpy as np
import pytest

from fusion.config.roi import Roi
from fusion.data.case import Case
from fusion.data.image import Geometry, write_mask
from fusion.errors import CohortError
from fusion.roi.refined import dice, judged
from fusion.roi.region import external2
from fusion.roi.ring_files import found_rings, ring_file, write_labels

GEOMETRY = Geometry((6, 40, 40), (3.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
ROI = Roi()


def made(ring: np.ndarray | None = None) -> Case:
    tumour = np.zeros(GEOMETRY.size, bool)
    tumour[2:4, 15:25, 15:25] = True
    return Case("a", np.zeros(GEOMETRY.size, np.float32), tumour, ring, GEOMETRY)


def automatic() -> np.ndarray:
    return external2(made(), ROI.external2)


def changed() -> np.ndarray:
    ring = automatic()
    ring[:, :, 25:] = False
    return ring


def refusal(*given, **named) -> str:
    with pytest.raises(CohortError) as caught:
        judged(*given, **named)
    return str(caught.value)


@pytest.mark.parametrize("ring", [None, automatic()])
def test_an_untouched_ring_is_automatic(ring):
    own = judged(made(ring), None if ring is None else Path("a_external2.nii.gz"), ROI)
    assert (own.how, own.dice, own.voxels, own.notes) == ("automatic", 1.0, own.automatic_voxels, ())
    assert (own.ring == automatic()).all()


def test_a_changed_ring_is_edited_or_given_with_its_dice():
    ring, expected = changed(), 2 * changed().sum() / (changed().sum() + automatic().sum())
    for origin in ("edited", "given"):
        own = judged(made(ring), None, ROI, origin)
        assert (own.how, own.dice, own.voxels) == (origin, pytest.approx(expected), ring.sum())
        assert own.automatic_voxels == automatic().sum()
        assert (own.ring == ring).all()


def test_the_columns_ring_that_the_run_copied_is_given_until_it_is_edited(tmp_path):
    given = changed()
    file = ring_file(tmp_path, "a")
    assert judged(made(given), file, ROI, "edited", written=given).how == "given"
    edited = given.copy()
    edited[2, 14, 15:20] = False
    assert judged(made(edited), file, ROI, "edited", written=given).how == "edited"


def test_a_ring_over_the_tumour_is_refused_with_its_voxels(tmp_path):
    ring = changed()
    ring[2, 20, 20:23] = True
    told = refusal(made(ring), ring_file(tmp_path, "a"), ROI)
    assert f"case a: {tmp_path}/a_external2.nii.gz: found a ring over the tumour (3 of its {ring.sum()} voxels)" in told


def test_a_filled_ring_holds_the_tumour_and_says_where_it_does_not():
    roi = ROI.model_copy(update={"external2": ROI.external2.model_copy(update={"shape": "filled"})})
    whole = external2(made(), roi.external2)
    assert judged(made(whole), None, roi).how == "automatic"
    hole = whole.copy()
    hole[2, 20, 20] = False
    assert judged(made(hole), None, roi).notes == ("external2: a filled ring without 1 of the tumour's 200 voxels",)


def test_an_empty_ring_is_refused():
    assert "an empty ring" in refusal(made(np.zeros(GEOMETRY.size, bool)), None, ROI)


def test_voxels_far_away_are_told_not_refused():
    ring = automatic()
    ring[2, 20, 33] = True  # 9 mm away, the limit
    assert judged(made(ring), None, ROI).notes == ()
    ring[2, 20, 34] = True
    ring[5, 38, 38] = True
    assert judged(made(ring), None, ROI).notes == (
        f"external2: 2 of {ring.sum()} voxels lie more than 9 mm away from the tumour",
    )


def test_another_region_than_the_ring_is_told():
    ring = np.zeros(GEOMETRY.size, bool)
    ring[2, 14, 15:25] = True
    (note,) = judged(made(ring), None, ROI).notes
    assert note.startswith("external2: little in common with the automatic ring (Dice 0.")


def test_dice_of_known_masks():
    one, other = np.zeros((1, 2, 4), bool), np.zeros((1, 2, 4), bool)
    one[0, 0], other[0, :, 0] = True, True
    assert dice(one, other) == 2 * 1 / (4 + 2)
    assert dice(~one & one, one & ~one) == 1.0


def write(folder: Path, name: str, ring: np.ndarray) -> Path:
    write_mask(folder / name, ring, GEOMETRY, 3)
    return folder / name


def test_a_file_edited_in_its_place_beside_another_edited_one_is_refused(tmp_path):
    base, saved = ring_file(tmp_path, "a"), write(tmp_path, "a_external2_edited.nii.gz", changed())
    write(tmp_path, base.name, automatic())
    assert judged(made(changed()), saved, ROI).how == "edited"
    write(tmp_path, base.name, automatic() & ~changed())
    told = refusal(made(changed()), saved, ROI)
    assert "a_external2_edited.nii.gz: found two edited rings: this one and a_external2.nii.gz" in told


@pytest.mark.parametrize(
    "name",
    ["a_external2.nii", "a_external2.nrrd", "a_external2.seg.nrrd", "a_external2.mha", "a_external2_edited.nii.gz",
     "a_external2_edited.seg.nrrd", "a_external2.nii.gz.seg.nrrd", "a_external2_edited.nii.gz.seg.nrrd"],
)  # fmt: skip
def test_a_ring_saved_under_another_name_counts_before_the_runs_own(tmp_path, name):
    for file in ("a_external2.nii.gz", "b.1_external2.nii.gz", name, ".0123abcd-b.1_external2.nii.gz", "rings.csv"):
        (tmp_path / file).touch()
    assert found_rings(tmp_path, ["a", "b.1", "c"]) == {
        "a": tmp_path / name,
        "b.1": tmp_path / "b.1_external2.nii.gz",
    }


def test_without_a_folder_there_is_no_ring(tmp_path):
    assert found_rings(tmp_path / "regions", ["a"]) == {}


def test_what_is_found_and_not_meant_is_told_at_once(tmp_path):
    for file in ("a_external2.seg.nrrd", "a_external2_edited.mha", "b2_external2.nii.gz", "a_externl2.nii.gz"):
        (tmp_path / file).touch()
    with pytest.raises(CohortError) as caught:
        found_rings(tmp_path, ["a", "b"])
    told = str(caught.value)
    assert len(caught.value.faults) == 3
    assert "case a: " in told
    assert "found 2 edited rings (a_external2.seg.nrrd, a_external2_edited.mha)" in told
    assert "b2_external2.nii.gz: found a ring of 'b2', which is no case" in told
    assert "a_externl2.nii.gz: found a volume that is not named like a ring" in told


def test_labels_are_written_for_both_programs_and_stay_once_changed(tmp_path):
    write_labels(tmp_path, 3)
    snap = (tmp_path / "labels_itksnap.txt").read_text().splitlines()
    rows = [line.split(maxsplit=7) for line in snap if not line.startswith("#")]
    assert [(int(row[0]), row[7]) for row in rows] == [(0, '"Clear Label"'), (3, '"External2"'), (4, '"Tumour"')]
    assert all(0 <= int(number) <= 255 for row in rows for number in row[1:4])
    colours = [line.split() for line in (tmp_path / "labels_slicer.ctbl").read_text().splitlines() if line[0] != "#"]
    assert [row[:2] for row in colours] == [["0", "Background"], ["3", "External2"], ["4", "Tumour"]]
    assert [row[2:5] for row in colours[1:]] == [row[1:4] for row in rows[1:]]
    assert all(row[5] == "255" for row in colours[1:])
    readme = tmp_path / "README.txt"
    assert "edit label 3" in readme.read_text()
    readme.write_text("mine")
    write_labels(tmp_path, 3)
    assert readme.read_text() == "mine"
