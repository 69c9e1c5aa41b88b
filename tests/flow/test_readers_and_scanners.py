"""heads.icc and heads.harmonise from the cohort's files to the report: a toy cohort read twice, on two scanners."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from fusion.config.harmonise import Icc
from fusion.errors import CohortError, HeadError
from fusion.flow.agreement import agreed
from fusion.flow.check import check
from fusion.flow.run import EVERYTHING, part
from fusion.flow.stages import evaluate
from fusion.report.results import read
from fusion.report.topics import agreement, scanners
from tests import toy

ASKED = ("heads.icc={kind: '2,1', minimum: 0.75}", "heads.harmonise={}", "split.folds=2")
TWICE = range(2, 10)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    cohort(folder)
    return folder


@pytest.fixture
def twice(template, tmp_path):
    """A folder with a cohort of its own."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return tmp_path


def cohort(folder, cases: int = 28) -> None:
    """28 cases, eight of the 20 training cases with a second and a repeated reading, and a scanner that adds 30 HU."""
    table = toy.cohort(folder, cases)
    table["scanner"] = np.where(table.index // 2 % 2 == 0, "one", "two")
    table["set"] = np.where(table.index < 20, "train", "test")
    rng = np.random.default_rng(1)
    for case in table["case"][table["scanner"] == "two"]:
        path = folder / f"{case}_ct.nii.gz"
        sitk.WriteImage(sitk.ReadImage(str(path)) + 30, str(path))
    for number in TWICE:
        case = table.loc[number, "case"]
        tumour = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{case}_tumour.nii.gz")))
        for column, size in (("tumour_reader2", 0.5), ("tumour_repeat", 0.15)):
            shown = sitk.GetImageFromArray(tumour)
            shown.SetSpacing(toy.SPACING[::-1])
            distance = sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(shown, useImageSpacing=True))
            toy.write(folder / f"{case}_{column}.nii.gz", (distance <= rng.normal(0, size)).astype(np.uint8))
            table.loc[number, column] = f"{case}_{column}.nii.gz"
    table.to_csv(folder / "table.csv", index=False)


@pytest.fixture(scope="module")
def finished(template, tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked")
    shutil.copytree(template, folder, dirs_exist_ok=True)
    own = toy.run(folder, *ASKED)
    part(own, EVERYTHING)
    evaluate(own.folder, own)
    return folder, own


def test_the_second_readings_are_measured_for_the_training_cases_that_have_them(finished):
    for region in ("tumour", "external2"):
        for name in ("reader2", "repeat"):
            table = pd.read_parquet(finished[0] / f"run/features/radiomics_{region}_{name}.parquet")
            assert list(table.index) == [f"c{number}" for number in TWICE]
            first = pd.read_parquet(finished[0] / f"run/features/radiomics_{region}.parquet").loc[table.index]
            assert list(table.columns) == list(first.columns)
            assert not table.equals(first)


def test_models_read_only_features_on_which_all_readings_agree(finished):
    folder = finished[0] / "run"
    readings = pd.read_csv(folder / "features/icc.csv")
    assert readings.groupby(["region", "readings"]).size().eq(107).all()
    passed = readings.groupby(["region", "feature"])["passed"].all()
    assert 0.1 < passed.mean() < 0.9
    chosen = pd.read_csv(folder / "selection.csv").query("model == 'Tumor_RAD'")["feature"]
    assert passed["tumour"][chosen].all()


def test_a_reader_agrees_better_with_himself(finished):
    readings = pd.read_csv(finished[0] / "run/features/icc.csv")
    medians = readings.groupby("readings")["icc"].median()
    assert medians["intra"] > medians["inter"]


def test_both_topics_have_something_to_say(finished):
    results = read(finished[0] / "run", finished[1])
    told = agreement.topic(results), scanners.topic(results)
    assert set(told[0].tables) == {"icc", "icc_by_class", "icc_by_image", "icc_by_kind"}
    assert set(told[1].tables) == {"scanners", "scanners_auc", "scanners_features"}
    says = next(block.text for block in told[0].section.blocks)
    kept = told[0].tables["icc"].groupby("region")["kept"].sum()
    assert f"agree on {kept['tumour']} (" in says
    assert f"of 107 Tumor features and {kept['external2']} (" in says
    assert "two readers (8 cases)" in says


def test_combat_removes_the_scanner_that_adds_30_hu(finished):
    table = scanners.topic(read(finished[0] / "run", finished[1])).tables["scanners_features"]
    first = table[(table["Region"] == "tumour") & (table["Class"] == "firstorder")].iloc[0]
    differing = [int(first[name].split()[0]) for name in ("As measured", "After ComBat")]
    assert differing[0] >= 9
    assert differing[1] == 0


def test_started_again_nothing_is_measured_or_predicted_anew(finished):
    folder, own = finished
    names = ("features/icc.csv", "predictions.csv")
    before = {name: (folder / "run" / name).stat().st_mtime_ns for name in names}
    part(own, EVERYTHING)
    assert {name: (folder / "run" / name).stat().st_mtime_ns for name in names} == before


def test_no_case_is_named(finished):
    results = read(finished[0] / "run", finished[1])
    words = repr([agreement.topic(results), scanners.topic(results)])
    assert not re.search(r"\b[cp]\d+\b", words)


def faults(folder, *overrides: str) -> list[str]:
    with pytest.raises(CohortError) as error:
        check(toy.run(folder, "split.folds=2", *overrides))
    return [str(fault) for fault in error.value.faults]


def edit(folder, change) -> None:
    table = pd.read_csv(folder / "table.csv", dtype=object, keep_default_na=False)
    change(table).to_csv(folder / "table.csv", index=False)


def test_icc_without_second_masks_is_a_fault_for_each_reading(tmp_path):
    toy.cohort(tmp_path)
    inter, intra = faults(tmp_path, "heads.icc={}")
    assert "found no cases in the training set with a mask in column 'tumour_reader2'; expected 5 or more" in inter
    assert "'tumour_repeat'" in intra
    assert "set heads.icc=null" in intra


def test_icc_with_too_few_training_cases_is_a_fault_unless_all_count(twice):
    edit(twice, lambda t: t.assign(set=["test"] * 6 + ["train"] * 22))
    (line,) = faults(twice, "heads.icc={readers: inter}")
    assert "found 4 cases in the training set with a mask in column 'tumour_reader2'" in line
    assert check(toy.run(twice, "split.folds=2", "heads.icc={cases: all}")).cases.shape[0] == 28


def test_a_second_mask_that_cannot_be_measured_is_told_by_its_file(twice):
    small = np.zeros(toy.SHAPE, np.uint8)
    small[4, 20, 20] = 1
    toy.write(twice / "c3_tumour_reader2.nii.gz", small)
    (line,) = faults(twice, "heads.icc={}")
    assert re.match(r"case c3: .*c3_tumour_reader2.nii.gz: found 1 voxels in tumour", line)
    assert len(check(toy.run(twice, "split.folds=2")).cases) == 28


def test_a_changed_second_mask_is_other_data_where_it_is_read(twice):
    digests = []
    for _ in range(2):
        digests.append([check(toy.run(twice, "split.folds=2", *more)).data_sha256 for more in ((), ASKED[:1])])
        box = np.zeros(toy.SHAPE, np.uint8)
        box[2:6, 12:28, 12:28] = 1
        toy.write(twice / "c3_tumour_reader2.nii.gz", box)
    assert digests[0][0] == digests[1][0]
    assert digests[0][1] != digests[1][1]


def test_no_feature_that_agrees_is_one_message(finished):
    tables = {"tumour": pd.DataFrame(columns=["original_shape_Elongation"])}
    folder = finished[0] / "run"
    readings = pd.read_csv(folder / "features/icc.csv").assign(passed=False)
    (folder / "strict/features").mkdir(parents=True)
    readings.to_csv(folder / "strict/features/icc.csv", index=False)
    with pytest.raises(
        HeadError, match=r"none of 1 tumour features with ICC\(3,1\) above 0.95; .* lower heads.icc.min"
    ):
        agreed(tables, folder / "strict", Icc(kind="3,1", minimum=0.95))


KINDS = {
    "no column": (lambda t: t.drop(columns="scanner"), "found no column 'scanner'; expected the scanner of every case"),
    "empty cell": (lambda t: t.replace({"scanner": {"two": ""}}).assign(scanner=["", *t["scanner"][1:]]),
                   "case c0: .*found no scanner; expected one"),
    "one scanner": (lambda t: t.assign(scanner="one"), "found 1 scanner with 2 cases or more in the training part of"),
    "new in the test set": (lambda t: t.assign(scanner=[*t["scanner"][:27], "three"]),
                            "found fewer than 2 cases of scanner three in the training part of fold 0"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_scanner_that_cannot_be_learned_is_one_message_before_any_work(twice, kind):
    change, message = KINDS[kind]
    edit(twice, change)
    (line,) = faults(twice, "heads.harmonise={}")
    assert re.search(message, line)
    assert "table.csv" in line


def test_what_is_left_as_it_is_is_no_fault(twice):
    edit(twice, KINDS["new in the test set"][0])
    assert check(toy.run(twice, "split.folds=2", "heads.harmonise={unseen: as_is}")).cases.shape[0] == 28


@pytest.mark.parametrize(
    ("covariates", "message"),
    [("[sex]", "heads.harmonise.covariates names sex"), ("[margin, age]", "covariates that cannot be told")],
)
def test_covariates_that_cannot_be_used_are_one_message(twice, covariates, message):
    edit(twice, lambda t: t.assign(margin=np.where(t["scanner"] == "one", "clear", "unclear")))
    (line,) = faults(twice, f"heads.harmonise={{covariates: {covariates}}}")
    assert message in line
