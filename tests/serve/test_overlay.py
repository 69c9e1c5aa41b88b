"""Pictures of made-up answers: what is drawn lies where it belongs, the right way round, and names nobody."""

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from fusion.data.case import Case
from fusion.data.image import Geometry, to_sitk
from fusion.roi.cut_slice import Piece
from fusion.roi.region import peritumoural_ring
from fusion.serve import overlay
from fusion.serve.answer import Answer, ModelAnswer
from fusion.serve.draw import SIDE
from fusion.serve.legend import GAP
from fusion.serve.told import Told

SPACING_MM, WINDOW = (5.0, 0.5, 0.8), (-160.0, 240.0)
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SAGITTAL = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
"""Rows run to the back, columns to the feet, slices to the left."""
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0)
"""Rows run to the left, columns to the head, slices to the back."""
TURNED = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)


def answered(case: str, models: tuple[ModelAnswer, ...]) -> Answer:
    return Answer.led_by_first(models, case, (), {}, "made-up")


def model(name: str, positive: str | None = "malignant", label: str = "benign") -> ModelAnswer:
    return ModelAnswer(model=name, probabilities={}, positive=positive, probability=None, threshold=None,
                       threshold_rule="", label=label, set=(), refer=True)  # fmt: skip


def told(case: str = "c1", direction: tuple[float, ...] = UPRIGHT, heated: bool = True) -> Told:
    """An oblong tumour, off the middle, in noise; with TURNED the same patient stored the other way round."""
    z, y, x = np.ogrid[:5, :120, :100]
    tumour = ((y - 50) * 0.5 / 9) ** 2 + ((x - 60) * 0.8 / 6) ** 2 + ((z - 2) * 5 / 8) ** 2 < 1
    ring = peritumoural_ring(tumour, SPACING_MM, 2.0)
    image = np.random.default_rng(0).normal(40, 60, tumour.shape).astype(np.float32)
    heat = {"tumour": tumour * (x > 60) * np.float32(1), "external2": ring * (x > 60) * np.float32(1)}
    if direction == TURNED:
        image, tumour, ring = (own[:, ::-1, ::-1] for own in (image, tumour, ring))
        heat = {name: own[:, ::-1, ::-1] for name, own in heat.items()}
    geometry = Geometry(tumour.shape, SPACING_MM, (0.0, 0.0, 0.0), direction)
    known = Case(case, image, tumour, None, geometry)
    return Told(answered(case, (model("Combined"),)), known, ring, heat if heated else {})


def panel(picture: Image.Image, number: int = 0) -> np.ndarray:
    left = number * (SIDE + GAP)
    return np.asarray(picture)[:SIDE, left : left + SIDE].astype(int)


def near(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.argwhere(np.abs(pixels - colour).max(axis=2) < 60)


def millimetres(places: np.ndarray, picture_side_mm: float) -> np.ndarray:
    return (places.max(axis=0) - places.min(axis=0)) * picture_side_mm / SIDE


def test_outlines_are_as_large_as_tumour_and_ring_in_mm():
    pixels = panel(overlay.regions(told(), WINDOW))
    tumour, ring = (millimetres(near(pixels, own), 40.0) for own in (overlay.TUMOUR, overlay.RING))
    assert tumour == pytest.approx([18, 12], abs=1)
    assert ring == pytest.approx([22, 16], abs=1)


def test_the_scale_bar_is_as_long_as_it_says():
    pixels = panel(overlay.regions(told(), WINDOW))
    bar = (pixels[SIDE - 20, : SIDE // 2] == 255).all(axis=1)
    assert bar.sum() * 40.0 / SIDE == pytest.approx(10, abs=0.1)


def test_heat_lies_in_its_regions_alone_and_beside_the_plain_picture():
    own = told()
    picture = overlay.regions(own, WINDOW)
    plain, heated = panel(picture), panel(picture, 1)
    changed = np.argwhere(np.abs(heated - plain).max(axis=2) > 10)
    middle = SIDE / 2
    assert picture.width == 2 * SIDE + GAP
    assert len(changed) > 500
    assert changed[:, 1].min() >= middle - 6  # the half of the patient's left, towards the right of the picture
    assert millimetres(changed, 40.0) == pytest.approx([22, 8], abs=1.5)
    assert overlay.regions(told(heated=False), WINDOW).width == SIDE


def test_a_patient_stored_the_other_way_round_looks_the_same():
    one, other = (np.asarray(overlay.regions(told(direction=own), WINDOW)) for own in (UPRIGHT, TURNED))
    assert np.abs(one.astype(int) - other).max() <= 60  # dashes begin elsewhere, numbers round
    assert np.mean(np.abs(one.astype(int) - other) > 8) < 0.01


def stored(own: Told, order: str) -> Told:
    """The same answer with its voxels in another order, at the same places, by ITK."""

    def moved(values):
        kept = values.astype(np.uint8) if values.dtype == bool else values
        return sitk.DICOMOrient(to_sitk(kept, own.case.geometry), order)

    image = moved(own.case.image)
    geometry = Geometry(image.GetSize()[::-1], image.GetSpacing()[::-1], image.GetOrigin(), image.GetDirection())
    tumour, ring = (sitk.GetArrayFromImage(moved(mask)).astype(bool) for mask in (own.case.tumour, own.external2))
    heat = {name: sitk.GetArrayFromImage(moved(values)) for name, values in own.heat.items()}
    return Told(own.answer, Case(own.case.name, sitk.GetArrayFromImage(image), tumour, None, geometry), ring, heat)


@pytest.mark.parametrize("order", ["RAS", "PIR", "SAL", "ILP"])
def test_it_is_the_same_picture_in_whatever_order_the_voxels_are_stored(order):
    own, other = told(), stored(told(), order)
    mine, its = (np.asarray(overlay.regions(one, WINDOW)) for one in (own, other))
    assert np.array_equal(mine[:SIDE], its[:SIDE])
    number = 1 if "S" in order else 3  # in the file, whose slices may run from the head
    assert np.array_equal(panel(overlay.regions(own, WINDOW, 1)), panel(overlay.regions(other, WINDOW, number)))


@pytest.mark.parametrize(("turned", "letters"), [(SAGITTAL, ("A", "S")), (CORONAL, ("R", "S"))])
def test_slices_of_other_acquisitions_are_shown_as_acquired_with_the_head_at_the_top(turned, letters):
    stack = overlay._Stack.of(Geometry((5, 120, 100), SPACING_MM, (0.0, 0.0, 0.0), turned))
    index = np.broadcast_to(np.arange(5)[:, None, None], (5, 120, 100)).astype(np.float32)
    assert stack.letters == letters
    assert stack.pixel_mm == SPACING_MM[1:]
    assert [np.unique(own).tolist() for own in stack.slices(index)] == [[n] for n in range(5)]
    assert stack.slices(np.arange(5 * 120 * 100).reshape(5, 120, 100))[0, 0, 0] == 119 * 100 * (turned == CORONAL)


def test_another_slice_is_shown_on_request():
    shown = {at: overlay.regions(told(), WINDOW, at) for at in (None, 2, 1)}
    assert shown[None].tobytes() == shown[2].tobytes() != shown[1].tobytes()


def test_the_name_of_the_case_is_nowhere_in_the_picture(tmp_path):
    for case in ("c1", "Doe^Jane"):
        overlay.regions(told(case), WINDOW).save(tmp_path / f"{len(case)}.png")
    assert (tmp_path / "2.png").read_bytes() == (tmp_path / "8.png").read_bytes()


def of_slices(name: str, **fields: str | None) -> Told:
    rng = np.random.default_rng(0)
    mask = np.zeros((56, 56), dtype=bool)
    mask[20:36, 14:42] = True
    piece = Piece(rng.integers(0, 255, mask.shape).astype(np.uint8), mask, np.ones(2))
    heat = {(name, "T2-w"): mask.astype(np.float32)}
    return Told(answered("c1", (model(name, **fields),)), pieces={"T2-w": piece}, slice_heat=heat)  # type: ignore[arg-type]


def test_a_slice_stands_beside_itself_with_heat():
    own = of_slices("benign-malignant/T2-w")
    picture = overlay.slice(own, "benign-malignant/T2-w", "T2-w")
    changed = np.argwhere(np.abs(panel(picture, 1) - panel(picture)).max(axis=2) > 20)
    assert changed.min(axis=0) == pytest.approx([20 * SIDE / 56, 14 * SIDE / 56], abs=10)
    assert changed.max(axis=0) == pytest.approx([36 * SIDE / 56, 42 * SIDE / 56], abs=10)
    assert overlay.slice(own, None, "T2-w").width == SIDE
    assert overlay.slice(own, "benign-malignant/RAD", "T2-w").width == SIDE


def test_the_legend_names_the_class_that_heat_speaks_for():
    name = "all/T2-w"
    legends = {
        words: np.asarray(overlay.slice(of_slices(name, positive=positive, label=label), name, "T2-w"))[SIDE:].tobytes()
        for words, positive, label in (("PA", None, "PA"), ("MEC", None, "MEC"), ("PA again", "PA", "Warthin"))
    }
    assert legends["PA"] == legends["PA again"] != legends["MEC"]
