"""2-D radiomics of slices against PyRadiomics, and what has to hold for every one."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fusion.config.radiomics import Radiomics
from fusion.config.run import Run
from fusion.errors import FeatureError
from fusion.features.radiomics import engine
from fusion.features.radiomics.preset import columns
from fusion.features.slice_preset import IMAGES_2D, on_slices
from fusion.features.slices import slice_features, unmet
from fusion.roi.slice import Slices

SEQUENCES = ("T2-w", "ADC")
NATIVE = {"images": ("original",), "spacing_mm": None}


def slices(cases: int = 3, pixels: int = 48, seed: int = 0) -> Slices:
    """Smooth noise in 0..255 with a lobed tumour in the middle; pixels of 0.7 mm."""
    random = np.random.default_rng(seed)
    shape = (cases, len(SEQUENCES), pixels, pixels)
    grey = gaussian_filter(random.normal(0, 1, shape), (0, 0, 1, 1))
    y, x = np.indices(shape[2:]) - pixels / 2 + 0.3
    lobes = 1 + 0.3 * np.sin(3 * np.arctan2(y, x) + random.uniform(0, 6, shape[:2])[..., None, None])
    return Slices(
        tuple(f"c{n}" for n in range(cases)), SEQUENCES, np.clip(128 + 200 * grey, 0, 255).astype(np.uint8),
        np.ones(shape[:2], dtype=bool), np.hypot(y, 1.3 * x) < pixels / 4 * lobes, np.full((*shape[:2], 2), 0.7),
    )  # fmt: skip


def run(**radiomics) -> Run:
    classes = {"benign": [0], "malignant": [1]}
    cohort = {
        "table": "table.csv",
        "sequences": {name: {"column": name, "mask": "mask"} for name in SEQUENCES},
        "tasks": {"kind": {"classes": classes, "positive": "malignant"}},
    }
    return Run(name="slices", jobs=1, cohort=cohort, network=None, radiomics=radiomics)


def features(own: Slices, folder, **radiomics):
    return slice_features(own, run(**radiomics), folder)["T2-w"].values


def edit(own: Slices, case: int, sequence: int, pixels) -> Slices:
    mask = own.mask.copy()
    mask[case, sequence] = False
    mask[case, sequence][pixels] = True
    return replace(own, mask=mask)


@pytest.mark.parametrize(
    "settings",
    [{}, {"spacing_mm": None}, {"normalise": True, "bin_width": 0.1}, {"bin_count": 16, "spacing_mm": (3.0, 0.5, 0.9)},
     {"images": IMAGES_2D[:3], "pad_distance": 2, "distances": (1, 2)}, {"images": ("original",), "gldm_alpha": 1},
     {"images": ("original", "wavelet-HH"), "force_2d": True, "spacing_mm": None}],
    ids=str,
)  # fmt: skip
def test_every_feature_is_pyradiomics_own(settings, tmp_path):
    own = slices(cases=2)
    ours = slice_features(own, run(**settings), tmp_path)
    theirs = slice_features(own, run(**settings, engine="pyradiomics"), tmp_path)
    for name in SEQUENCES:
        np.testing.assert_allclose(ours[name].values, theirs[name].values, rtol=1e-6, atol=1e-11)


def test_pyradiomics_gives_the_same_for_a_plain_slice_with_force2d(tmp_path):
    import SimpleITK as sitk
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    own = slices(cases=1)
    ours = features(own, tmp_path, **NATIVE).iloc[0]
    plain = RadiomicsFeatureExtractor(binWidth=25, force2D=True)
    plain.enableFeatureClassByName("shape2D")
    both = [sitk.GetImageFromArray(array[0, :1]) for array in (own.grey.astype(np.float32), own.mask.astype(np.uint8))]
    for part in both:
        part.SetSpacing((0.7, 0.7, 1.0))
    theirs = plain.execute(*both)
    np.testing.assert_allclose(ours, [float(theirs[name]) for name in ours.index], rtol=1e-6, atol=1e-11)


def test_the_laplacian_is_that_of_the_plane(tmp_path):
    """Scale-normalised, it is half sigma squared on a quarter of x squared, which does not change across the slice."""
    own = slices(cases=1, pixels=60)
    valley = np.broadcast_to((np.arange(60) - 30) ** 2 / 4, (60, 60)).astype(np.uint8)
    own = edit(replace(own, grey=np.broadcast_to(valley, own.grey.shape).copy()), 0, 0, np.s_[26:35, 26:35])
    found = features(own, tmp_path, images=("log-sigma-2-0-mm-3D",), spacing_mm=None)
    assert found["log-sigma-2-0-mm-3D_firstorder_Mean"].item() == pytest.approx(0.5 * (2 / 0.7) ** 2, rel=0.02)


def test_a_slice_has_shape2d_in_place_of_shape_and_texture_of_14_images(tmp_path):
    names = features(slices(cases=1), tmp_path).columns
    assert len(names) == 9 + 14 * 93
    assert {"original_shape2D_Perimeter", "wavelet-HL_glcm_Contrast", "lbp-2D_firstorder_Mean"} <= set(names)
    assert not any("_shape_" in name or "lbp-3D" in name for name in names)


def test_first_order_does_not_change_with_a_quarter_turn(tmp_path):
    own = slices()
    turned = replace(own, grey=np.rot90(own.grey, axes=(2, 3)).copy(), mask=np.rot90(own.mask, axes=(2, 3)).copy())
    before, after = features(own, tmp_path, **NATIVE), features(turned, tmp_path, **NATIVE)
    first = [name for name in before if "_firstorder_" in name]
    np.testing.assert_allclose(after[first], before[first], rtol=1e-12)
    np.testing.assert_allclose(after["original_shape2D_Perimeter"], before["original_shape2D_Perimeter"], rtol=1e-12)


def test_lengths_grow_with_the_pixel_and_grey_values_do_not(tmp_path):
    own = slices()
    before = features(own, tmp_path, **NATIVE)
    after = features(replace(own, pixel_mm=3 * own.pixel_mm), tmp_path, **NATIVE)
    np.testing.assert_allclose(after["original_shape2D_Perimeter"], 3 * before["original_shape2D_Perimeter"])
    np.testing.assert_allclose(after["original_shape2D_MeshSurface"], 9 * before["original_shape2D_MeshSurface"])
    np.testing.assert_array_equal(after["original_glcm_Contrast"], before["original_glcm_Contrast"])


def test_a_square_of_known_size_is_measured_in_mm(tmp_path):
    own = edit(slices(cases=1), 0, 0, np.s_[10:20, 10:30])
    row = features(own, tmp_path, **NATIVE).iloc[0]
    assert row["original_shape2D_PixelSurface"] == pytest.approx(200 * 0.7**2)
    assert row["original_firstorder_Mean"] == pytest.approx(own.grey[0, 0, 10:20, 10:30].mean(), rel=1e-6)


def test_spacing_holds_in_plane(tmp_path):
    """A pixel of 2 mm measured at 1 mm has four times the voxels, of a quarter of the surface."""
    own = edit(replace(slices(cases=1), pixel_mm=np.full((1, 2, 2), 2.0)), 0, 0, np.s_[10:20, 10:30])
    found = slice_features(own, run(images=("original",), spacing_mm=(5.0, 1.0, 1.0)), tmp_path)["T2-w"]
    assert found.values["original_shape2D_PixelSurface"].item() == pytest.approx(200 * 2**2)
    assert found.values["original_glszm_GrayLevelNonUniformity"].item() > 0
    assert '"spacing_mm":[0.0,1.0,1.0]' in found.metadata["settings"]


def test_a_case_without_the_sequence_or_a_mask_has_no_row(tmp_path):
    own = slices()
    own.there[0, 0] = False
    own.mask[1, 0] = False
    found = slice_features(own, run(**NATIVE), tmp_path)
    assert found["T2-w"].values.index.tolist() == ["c2"]
    assert found["ADC"].values.index.tolist() == ["c0", "c1", "c2"]


def test_a_sequence_nobody_has_gives_an_empty_table(tmp_path):
    own = slices()
    own.there[:, 1] = False
    table = slice_features(own, run(**NATIVE), tmp_path)["ADC"]
    assert table.values.shape == (0, 9 + 93)


def test_slices_that_cannot_be_measured_are_told_together_after_the_others(tmp_path):
    own = edit(edit(slices(), 0, 0, np.s_[9, 9]), 2, 1, np.s_[9, 9:12])
    with pytest.raises(FeatureError) as error:
        slice_features(own, run(**NATIVE), tmp_path)
    assert [fault.case for fault in error.value.faults] == ["c0", "c2"]
    assert "T2-w: one voxel" in str(error.value)
    assert "ADC: a region of 1 dimension" in str(error.value)
    assert len(list(tmp_path.glob("*.kept"))) == 4


def test_what_was_measured_is_read_again(tmp_path, monkeypatch):
    before = features(slices(), tmp_path, **NATIVE)
    monkeypatch.setattr(engine, "measure", lambda *_: pytest.fail("measured twice"))
    assert features(slices(), tmp_path, **NATIVE).equals(before)


def test_workers_do_not_change_a_number(tmp_path):
    own, one = slices(cases=2), run(**NATIVE)
    alone = slice_features(own, one, tmp_path / "one")["ADC"].values
    assert slice_features(own, one.model_copy(update={"jobs": 2}), tmp_path / "two")["ADC"].values.equals(alone)


def test_a_flat_tumour_carries_a_warning(tmp_path):
    own = slices(cases=1)
    own.grey[:] = 7
    table = slice_features(own, run(**NATIVE), tmp_path)["T2-w"]
    assert "every voxel has the grey value 7" in table.warnings.item()


def test_black_tumours_of_two_sequences_are_told_apart(tmp_path):
    own = slices(cases=1)
    own.grey[:] = 0
    with pytest.raises(FeatureError) as error:
        slice_features(own, run(images=("square",), spacing_mm=None), tmp_path)
    assert [str(fault)[:22] for fault in error.value.faults] == ["case c0: found ADC: gr", "case c0: found T2-w: g"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"images": ("original", "lbp-3D-k")}, "radiomics.images with lbp-3D-k"),
        ({"images": ("wavelet-LLH",)}, "radiomics.images with wavelet-LLH"),
        ({"classes": {"shape": ("Sphericity", "MeshVolume")}}, "shape2D has no MeshVolume"),
        ({"force_2d_dimension": 1}, "radiomics.force_2d_dimension"),
        ({"per_image": {"square": {"force_2d": False}}}, "radiomics.per_image.square.force_2d"),
        ({"images": ("log-sigma-7-0-mm-3D",), "pad_distance": 3}, "radiomics.pad_distance 3"),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_what_has_no_meaning_on_a_slice_is_one_fault(settings, told):
    (fault,) = unmet(run(**settings))
    assert told in str(fault)


def test_the_default_has_its_counterpart_and_no_fault():
    assert unmet(run()) == []
    assert on_slices(Radiomics()).images == IMAGES_2D
    assert on_slices(on_slices(Radiomics())) == on_slices(Radiomics())


def test_shape2d_that_is_asked_for_beside_shape_comes_once():
    both = Radiomics(classes={"shape": None, "shape2D": ("Perimeter",)}, images=("original",), force_2d=True)
    assert columns(on_slices(both)) == ("original_shape2D_Perimeter",)
