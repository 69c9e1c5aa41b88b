"""Masks of series that had to be mended, or chosen: tilted, with slices between, in zips, one of several."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest

from fusion.config.cohort import Cohort
from fusion.config.dicom import Dicom
from fusion.data.case import Case, Files, load
from fusion.errors import CohortError
from tests.data import dicom_made as made

TILT_MM = 1.0
"""Of a slice against the one below, along the rows' axis: two pixels."""
BOX = (slice(1, 4), slice(7, 11), slice(4, 11))
"""The tumour in rows and columns of the first slice, which reaches through slices stacked aslant."""


def case(image: Path, mask: Path, roi: str | None = None, **dicom) -> Case:
    cohort = Cohort(table=Path("table.csv"), roi=roi, dicom=Dicom(**dicom))
    return load(Files("a", image, mask), cohort, False)


def refusal(image: Path, mask: Path, roi: str | None = None, **dicom) -> str:
    with pytest.raises(CohortError) as caught:
        case(image, mask, roi, **dicom)
    told = str(caught.value)
    assert not any(secret in told for secret in ("Mustermann", "4711", "Haus", "1.2.826"))
    return told


def changed(path: Path, change: Callable[[pydicom.Dataset], None]) -> Path:
    own = pydicom.dcmread(path)
    change(own)
    own.save_as(path)
    return path


def tilted(folder: Path) -> tuple[Path, list[np.ndarray]]:
    """A series stacked aslant, -900 but for 40 in the tumour; and the tumour in the pixels of each slice."""
    inside = np.zeros((5, 12, 16), bool)
    for position in range(BOX[0].start, BOX[0].stop):
        inside[position, BOX[1].start - 2 * position : BOX[1].stop - 2 * position, BOX[2]] = True

    def aslant(position: int, own: pydicom.Dataset) -> None:
        own.ImagePositionPatient[1] = float(own.ImagePositionPatient[1]) + position * TILT_MM

    return made.series(folder, np.where(inside, 40, -900).astype(np.int16), change=aslant), list(inside)


def contours(slices: range) -> list[np.ndarray]:
    rows, columns = BOX[1:]
    return [
        made.box(at, (rows.start - 0.5, rows.stop - 0.5), (columns.start - 0.5, columns.stop - 0.5)) for at in slices
    ]


def test_contours_on_tilted_slices_land_on_the_upright_image(tmp_path):
    image, _ = tilted(tmp_path / "image")
    own = case(image, made.structures(tmp_path / "a.dcm", {"GTV": contours(range(1, 4))}))
    assert own.tumour.sum() == 3 * 4 * 7
    assert (own.tumour == (own.image > 0)).all()


@pytest.mark.parametrize("pixel", [0, 0.3])
def test_frames_on_tilted_slices_are_shifted_likewise(tmp_path, pixel):
    image, inside = tilted(tmp_path / "image")

    def aslant(own: pydicom.Dataset) -> None:
        for frame in own.PerFrameFunctionalGroupsSequence:
            place = frame.PlanePositionSequence[0].ImagePositionPatient
            position = round((float(place[2]) - made.ORIGIN[2]) / made.SPACING[0])
            place[1] = float(place[1]) + position * TILT_MM + pixel * made.SPACING[1]

    own = case(image, changed(made.segmentation(tmp_path / "a.dcm", {"GTV": np.array(inside)}), aslant))
    assert (own.tumour == (own.image > 0)).all()
    assert "tumour: frames shifted by whole pixels onto the upright grid, as their slices were" in own.notes


@pytest.mark.parametrize(("offset_px", "lands"), [(2, True), (0.4, False)])
def test_frames_of_an_upright_grid_are_no_tilted_slices(tmp_path, offset_px, lands):
    image, _ = tilted(tmp_path / "image")
    inside = np.zeros((5, 12, 16), bool)
    inside[1:4, 5:9, 4:11] = True
    origin = made.ORIGIN[0], made.ORIGIN[1] + offset_px * made.SPACING[1], made.ORIGIN[2]
    path = made.segmentation(tmp_path / "a.dcm", {"GTV": inside}, origin=origin)
    if lands:
        own = case(image, path)
        assert (own.tumour == (own.image > 0)).all()
    else:
        assert "another grid than the image's" in refusal(image, path)


def without_a_slice(folder: Path) -> Path:
    """A series whose slice 2 is missing."""
    image = made.series(folder)
    next(path for path in image.iterdir() if path.name.endswith("_2")).unlink()
    return image


def test_contours_skip_a_slice_that_was_not_scanned_only_on_request(tmp_path):
    image = without_a_slice(tmp_path / "image")
    path = made.structures(tmp_path / "a.dcm", {"GTV": [*contours(range(1, 2)), *contours(range(3, 4))]})
    told = refusal(image, path, missing_slices="interpolate")
    assert "no contour on 1 slices between the first and the last" in told
    assert "cohort.dicom.contours=interpolate" in told
    own = case(image, path, missing_slices="interpolate", contours="interpolate")
    assert (own.tumour[2] == own.tumour[1]).all()
    assert own.tumour.sum() == 3 * 4 * 7
    assert "tumour: 1 of 3 slices filled between contours, by signed distance" in own.notes


def test_frames_skip_a_slice_that_was_not_scanned_only_on_request(tmp_path):
    image = without_a_slice(tmp_path / "image")
    inside = np.zeros((5, 12, 16), bool)
    inside[BOX] = True
    frames = inside.copy()
    frames[2] = False
    path = made.segmentation(tmp_path / "a.dcm", {"GTV": frames})
    assert "no frame on 1 slices between others" in refusal(image, path, missing_slices="interpolate")
    own = case(image, path, missing_slices="interpolate", contours="interpolate")
    assert (own.tumour == inside).all()
    assert "tumour: 1 slices filled between frames, by signed distance" in own.notes


def test_frames_may_leave_out_a_slice_that_was_scanned(tmp_path):
    two = np.zeros((5, 12, 16), bool)
    two[[1, 3], 3:6, 3:6] = True
    path = made.segmentation(tmp_path / "a.dcm", {"GTV": two})
    assert (case(made.series(tmp_path / "image"), path).tumour == two).all()


def test_contours_between_slices_are_filled_on_request(tmp_path):
    image = made.series(tmp_path / "image")
    between = [contour + np.array([0, 0, 0.4 * made.SPACING[0]]) for contour in contours(range(1, 4))]
    path = made.structures(tmp_path / "a.dcm", {"GTV": between})
    assert "3 of 3 contours between slices, by up to 0.40 of the step" in refusal(image, path)
    own = case(image, path, contours="interpolate")
    assert [int(one) for one in own.tumour.sum(axis=(1, 2))] == [0, 28, 28, 28, 0]
    assert own.notes == ("tumour: 3 of 3 slices filled between contours, by signed distance",)


def test_contours_aslant_to_the_slices_are_refused_even_on_request(tmp_path):
    contour = contours(range(2, 3))[0]
    contour[:2, 2] += 0.5 * made.SPACING[0]
    path = made.structures(tmp_path / "a.dcm", {"GTV": [contour]})
    image = made.series(tmp_path / "image")
    for way in ("refuse", "interpolate"):
        assert "1 of 1 contours aslant to the slices" in refusal(image, path, contours=way)


def zipped(archive: Path, *sources: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as target:
        for source in sources:
            files = source.iterdir() if source.is_dir() else [source]
            for file in files:
                target.write(file, f"Mustermann/{file.name}")
    return archive


def test_image_and_mask_in_one_zip_or_in_two(tmp_path):
    image = made.series(tmp_path / "image")
    path = made.structures(tmp_path / "RS", {"GTV": contours(range(1, 4))})
    together = zipped(tmp_path / "all.zip", image, path)
    own = case(image, path)
    for one in (case(together, together), case(image, zipped(tmp_path / "RS.zip", path)), case(together, path)):
        assert (one.image == own.image).all()
        assert (one.tumour == own.tumour).all()
    told = refusal(together, zipped(tmp_path / "none.zip", image))
    assert f"case a: {tmp_path}/none.zip: found 0 DICOM masks (none)" in told


def test_of_several_masks_in_a_folder_the_one_of_the_image_counts(tmp_path):
    folder = made.series(tmp_path / "all")
    made.series(folder / "other", modality="MR", seed="b")
    made.structures(folder / "RS1", {"GTV": contours(range(1, 4))})
    made.structures(folder / "RS2", {"GTV": contours(range(1, 2))}, seed="b")
    assert case(folder, folder, modality="CT").tumour.sum() == 3 * 4 * 7
    assert case(folder, folder, modality="MR").tumour.sum() == 4 * 7


def test_structures_of_one_name_are_told_apart_by_number(tmp_path):
    def alike(own: pydicom.Dataset) -> None:
        for one in own.StructureSetROISequence:
            one.ROIName = "GTV"

    both = {"one": contours(range(1, 4)), "other": contours(range(2, 3))}
    path = changed(made.structures(tmp_path / "a.dcm", both), alike)
    image = made.series(tmp_path / "image")
    told = refusal(image, path, roi="GTV")
    assert "2 of 2 structures that fit 'GTV' (#1 GTV, #2 GTV)" in told
    assert "set cohort.roi to one name, or `#` and a number" in told
    assert case(image, path, roi="#2").tumour.sum() == 4 * 7


def test_an_empty_structure_is_refused_by_name(tmp_path):
    path = made.structures(tmp_path / "a.dcm", {"GTV": [], "Node": contours(range(2, 3))})
    assert "a structure without a contour" in refusal(made.series(tmp_path / "image"), path)


@pytest.mark.parametrize(
    ("kind", "told"), [("POINT", "points"), ("OPEN_PLANAR", "open lines"), ("X", "an unknown kind")]
)
def test_contours_that_enclose_nothing_are_refused_by_kind(tmp_path, kind, told):
    path = made.structures(tmp_path / "a.dcm", {"GTV": contours(range(2, 3))}, kind=kind)
    assert f"contours that are not closed ({told})" in refusal(made.series(tmp_path / "image"), path)


@pytest.mark.parametrize("fraction", [0.25, 0.5, 0.55, 0.9])
def test_a_fraction_counts_from_the_configs_share(tmp_path, fraction):
    shares = np.zeros((5, 12, 16))
    shares[2, 4:8, 4:8] = np.linspace(0.1, 1, 16).reshape(4, 4)
    shares[2, 3, 4:7] = 0.55, 0.25, 0.9
    path = made.segmentation(tmp_path / "a.dcm", {"GTV": shares}, kind="FRACTIONAL")
    own = case(made.series(tmp_path / "image"), path, fraction=fraction)
    assert (own.tumour == (np.round(shares * 200) / 200 >= fraction)).all()
    assert own.notes == (f"tumour: a fractional segmentation, inside from {fraction:g}",)


def test_two_labels_of_a_label_map_are_two_segments(tmp_path):
    one, other = np.zeros((2, 5, 12, 16), bool)
    one[2, 3:6, 3:6] = other[3, 3:6, 3:6] = True
    path = made.segmentation(tmp_path / "a.dcm", {"Node": one, "Tumour": other}, kind="LABELMAP")
    image = made.series(tmp_path / "image")
    assert (case(image, path).tumour == other).all()
    assert (case(image, path, roi="Node").tumour == one).all()
