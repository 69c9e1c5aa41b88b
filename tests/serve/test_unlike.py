"""What is told of a case that is unlike the training cases."""

import numpy as np
import pytest

from fusion.serve import unlike
from fusion.serve.parts import Range, Ranges

RANGES = Ranges(
    features={f"tumour:f{n}": Range(low=0, high=1, n=20) for n in range(8)},
    clinical={"age": Range(low=20, high=80, n=20)},
    hu={
        "tumour": (Range(low=-20, high=10, n=20), Range(low=80, high=160, n=20)),
        "external2": (Range(low=-200, high=-100, n=20), Range(low=100, high=200, n=20)),
    },
    spacing_mm={"ct": (Range(low=3, high=5, n=20), Range(low=0.4, high=0.5, n=20), Range(low=0.4, high=0.5, n=20))},
)


@pytest.fixture
def image():
    values = np.full((4, 20, 20), -100.0, np.float32)
    values[1:3, 8:12, 8:12] = np.linspace(0, 100, 32).reshape(2, 4, 4)
    return values


@pytest.fixture
def masks():
    tumour, ring = np.zeros((4, 20, 20), bool), np.zeros((4, 20, 20), bool)
    tumour[1:3, 8:12, 8:12] = True
    ring[1:3, 7:13, 7:13] = ~tumour[1:3, 7:13, 7:13]
    return {"tumour": tumour, "external2": ring}


def test_a_case_like_the_others_has_nothing_to_tell():
    assert unlike.unlike_features({"tumour:f0": 0.0, "tumour:f1": 1.0, "unread": 9.0}, RANGES) == []
    assert unlike.unlike_numbers({"age": 80.0}, RANGES) == []
    assert unlike.unlike_spacing((5.0, 0.5, 0.4), "ct", RANGES) == []


def test_the_worst_features_come_first_with_their_numbers_and_the_rest_by_name():
    told = unlike.unlike_features({f"tumour:f{n}": 2.0 + n for n in range(8)} | {"tumour:f3": -90.0}, RANGES)
    assert told[0] == "feature tumour:f3 = -90, training 0 to 1 (n=20)"
    assert told[1] == "feature tumour:f7 = 9, training 0 to 1 (n=20)"
    assert told[-1] == "3 more features outside their training ranges: tumour:f2, tumour:f1, tumour:f0"


def test_spacing_and_clinical_numbers_are_told_with_unit_and_range():
    assert unlike.unlike_spacing((1.0, 0.5, 0.9), "ct", RANGES) == [
        "spacing along z = 1 mm, training 3 to 5 mm (n=20)",
        "spacing along x = 0.9 mm, training 0.4 to 0.5 mm (n=20)",
    ]
    assert unlike.unlike_numbers({"age": 19.0}, RANGES) == ["age = 19, training 20 to 80 (n=20)"]


def test_grey_values_outside_a_regions_range(image, masks):
    told = unlike.unlike_grey(image, {"tumour": masks["tumour"], "external2": masks["tumour"]}, {}, RANGES, hu=True)
    assert told == ["lowest grey value of external2 = 0 HU, training -200 to -100 HU (n=20)"]


def test_measured_extremes_stand_for_the_images_own(image, masks):
    regions = {"tumour": masks["tumour"], "external2": masks["tumour"]}
    measured = {"tumour:original_firstorder_Maximum": 300.0, "external2:original_firstorder_Minimum": -150.0}
    told = unlike.unlike_grey(image, regions, measured, RANGES, hu=False)
    assert told == ["highest grey value of tumour = 300, training 80 to 160 (n=20)"]


@pytest.mark.parametrize(
    ("shift", "scale", "words"), [(2000, 1, "fat and air lie below 0"), (-9000, 1, "end at -1024"), (0, 0.01, "scaled")]
)
def test_an_image_that_holds_no_hu_is_told(image, shift, scale, words):
    told = unlike.unlike_grey(image * scale + shift, {}, {}, RANGES.model_copy(update={"hu": {}}), hu=True)
    assert len(told) == 1
    assert words in told[0]


def test_grey_values_without_unit_are_not_judged_as_hu(image):
    assert unlike.unlike_grey(image + 2000, {}, {}, RANGES.model_copy(update={"hu": {}}), hu=False) == []


def test_a_region_at_the_border_is_told_with_its_axes(masks):
    assert unlike.cut_off(masks) == []
    masks["external2"][1, 0, 7] = masks["tumour"][3, 8, 8] = True
    assert unlike.cut_off(masks) == [
        "tumour touches the image's border along z: a part of it may be missing",
        "external2 touches the image's border along y: a part of it may be missing",
    ]
