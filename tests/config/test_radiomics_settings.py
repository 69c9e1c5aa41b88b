import pytest
from pydantic import ValidationError

from fusion.config import dump, parse
from fusion.config.images import IMAGES, TYPES, kind_of, wavelet_names
from fusion.config.radiomics import FILTERS, Override, PerImage, Radiomics
from fusion.errors import ConfigError

PLAIN = "name: a\ncohort:\n  table: t.csv\n"


def refused(**settings) -> str:
    with pytest.raises(ValidationError) as error:
        Radiomics(**settings)
    return str(error.value)


def test_the_default_is_the_preset_of_1874():
    own = Radiomics()
    assert own.images == IMAGES
    assert (own.spacing_mm, own.bin_width, own.normalise, own.pad_distance) == ((1.0, 1.0, 1.0), 25.0, False, 5)
    assert list(own.classes) == ["shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]
    assert set(own.classes.values()) == {None}


def test_a_run_of_before_reads_on():
    before = parse(PLAIN, ["radiomics={engine: pyradiomics, images: [original], spacing_mm: null, bin_width: 5}"])
    assert before.radiomics == Radiomics(engine="pyradiomics", images=("original",), spacing_mm=None, bin_width=5)


def test_a_dumped_section_reads_back_equal():
    words = [
        "radiomics.classes={glcm: [MCC, Contrast], firstorder: null}",
        "radiomics.per_image={log: {bin_width: 5, bin_count: null}, square: {bin_count: 32, distances: [1, 2]}}",
        "radiomics.resegment_range=[-3, 3]",
        "radiomics.initial_value=.nan",
    ]
    run = parse(PLAIN, words)
    assert parse(dump(run)) == run
    assert list(parse(dump(run)).radiomics.classes) == ["glcm", "firstorder"]


def test_a_dump_names_only_the_overrides_that_are_given():
    dumped = Radiomics(per_image={"log": {"bin_count": None}}).model_dump(mode="json")
    assert dumped["per_image"] == {"log": {"bin_count": None}}


def test_an_override_to_null_is_not_the_same_as_none():
    assert Override(bin_count=None) != Override()
    assert Radiomics(bin_count=32, per_image={"log": {"bin_count": None}}).for_kind("log")["bin_count"] is None


def test_an_override_holds_for_its_kind_alone():
    own = Radiomics(bin_width=10, per_image={"log": {"bin_width": 5}})
    assert {kind: own.for_kind(kind)["bin_width"] for kind in ("log", "original")} == {"log": 5, "original": 10}


@pytest.mark.parametrize("name", [*IMAGES, "log-sigma-1-mm-3D", "wavelet2-HH", "wavelet-LH", "lbp-2D", "lbp-3D-m12"])
def test_a_name_of_pyradiomics_has_a_kind(name):
    assert kind_of(name) in TYPES


@pytest.mark.parametrize(
    "name",
    ["Original", "log-sigma-0-mm-3D", "log-sigma-2-50-mm-3D", "log-sigma-01-mm-3D", "wavelet1-LLH", "wavelet-LLLH",
     "lbp-3D-m0", "original\n", ""],
)  # fmt: skip
def test_a_name_that_no_filter_writes_is_refused_with_the_list(name):
    assert "one of original, square, squareroot" in refused(images=(name,))


def test_wavelet_names_are_pyradiomics_own():
    import numpy as np
    import SimpleITK as sitk
    from radiomics.imageoperations import getWaveletImage

    image = sitk.GetImageFromArray(np.random.default_rng(0).normal(size=(8, 8, 8)))
    for levels, settings in ((1, {}), (2, {}), (2, {"force2D": True})):
        theirs = [name for _, name, _ in getWaveletImage(image, None, level=levels, **settings)]
        assert wavelet_names(levels, axes=2 if settings else 3) == tuple(theirs)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"mode": "ibsi", "engine": "pyradiomics"}, "mode=ibsi needs engine=fusion"),
        ({"crop": "shared", "engine": "pyradiomics"}, "crop=shared needs engine=fusion"),
        ({"outlier_sigma": 3}, "outlier_sigma needs mode=ibsi"),
        ({"classes": {"shape2D": None}}, "classes.shape2D needs force_2d=true"),
        ({"classes": {"glcm": ("SumVariance",)}}, "it equals glcm ClusterTendency"),
        ({"classes": {"glcm": ("Mean",)}}, "glcm has no Mean, only Autocorrelation"),
        ({"classes": {"glcm": ("MCC", "MCC")}}, "glcm names a feature twice"),
        ({"classes": {"glcm": ()}}, "at least 1 item"),
        ({"classes": {}}, "at least 1 item"),
        ({"images": ("original", "original")}, "images names original twice"),
        ({"images": ("wavelet2-LLH",)}, "no filter makes wavelet2-LLH"),
        ({"images": ("wavelet-LLL",), "wavelet_levels": 2}, "wavelet2-LLL"),
        ({"images": ("wavelet-LLL",), "force_2d": True}, "these settings give wavelet-LH, wavelet-HL"),
        ({"images": ("lbp-3D-m3",)}, "these settings give lbp-3D-m1, lbp-3D-m2, lbp-3D-k"),
        ({"resegment_range": (3, -3)}, "low <= high"),
        ({"per_image": {"log": {"wavelet": "haar"}}}, "per_image.log.wavelet does nothing"),
        ({"wavelet": "mexh"}, "discrete wavelets"),
        ({"bin_width": 0}, "greater than 0"),
    ],
)
def test_an_impossible_combination_is_refused_by_name(settings, reason):
    assert reason in refused(**settings)


def test_every_impossible_combination_is_told_at_once():
    told = refused(engine="pyradiomics", mode="ibsi", crop="shared")
    assert "mode=ibsi" in told
    assert "crop=shared" in told


def test_deprecated_features_may_be_named():
    classes = {"firstorder": ("StandardDeviation",), "shape": ("Compactness1", "Compactness2")}
    assert Radiomics(classes=classes).classes == classes


def test_an_override_makes_other_images_possible():
    own = Radiomics(images=("original", "wavelet2-LLL"), per_image={"wavelet": {"wavelet_levels": 2}})
    assert own.for_kind("wavelet")["wavelet_levels"] == 2


def test_an_unknown_setting_has_a_suggestion_wherever_it_stands():
    with pytest.raises(ConfigError) as error:
        parse(PLAIN, ["radiomics.binwidth=3", "radiomics.per_image.log.bin_widht=3"])
    assert "did you mean radiomics.bin_width?" in str(error.value)
    assert "did you mean radiomics.per_image.log.bin_width?" in str(error.value)


def test_every_filter_setting_belongs_to_a_kind():
    assert set(FILTERS) < set(PerImage.model_fields)
    assert set(FILTERS.values()) < set(TYPES)


def test_every_setting_says_what_it_is():
    assert not [name for name, field in Radiomics.model_fields.items() if not field.description]


def test_a_parameter_file_and_another_setting_exclude_each_other(tmp_path):
    path = tmp_path / "ct.yaml"
    path.write_text("setting: {binWidth: 5}\n")
    with pytest.raises(ConfigError, match="parameters describes bin_width, images, too"):
        parse(PLAIN, [f"radiomics.parameters={path}", "radiomics.images=[original]", "radiomics.bin_width=5"])


def test_a_parameter_file_is_resolved_into_the_run(tmp_path):
    path = tmp_path / "ct.yaml"
    path.write_text("setting: {binWidth: 5}\nimageType: {LoG: {sigma: [1], binCount: 32}}\n")
    run = parse(PLAIN, [f"radiomics.parameters={path}", "radiomics.crop=shared"])
    path.unlink()
    assert parse(dump(run)) == run
    assert (run.radiomics.bin_width, run.radiomics.crop, run.radiomics.images) == (5, "shared", ("log-sigma-1-mm-3D",))
    assert run.radiomics.for_kind("log")["bin_count"] == 32


def test_faults_of_a_parameter_file_are_told_with_its_lines(tmp_path):
    path = tmp_path / "ct.yaml"
    path.write_text("setting:\n  binWidht: 5\n")
    with pytest.raises(ConfigError, match=r"ct.yaml line 2: .*did you mean setting.binWidth\?"):
        parse(PLAIN, [f"radiomics.parameters={path}"])
