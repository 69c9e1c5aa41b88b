"""heads.icc.perturb from the cohort's files to the features that are kept: a toy cohort that nobody read twice."""

import shutil

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from fusion.errors import CohortError, FeatureError
from fusion.features.icc import KINDS, icc
from fusion.flow.agreement import agreed
from fusion.flow.check import check
from fusion.flow.readings import counted
from fusion.flow.run import EXTRACT, part
from tests import toy

ASKED = ("heads.icc={readers: none, minimum: 0.75, perturb: {cases: 5, readings: 2}}", "split.folds=2")


def files(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "run/readings").iterdir())}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("perturbed")
    toy.cohort(folder, 12)
    own = toy.run(folder, *ASKED)
    part(own, EXTRACT)
    return folder, own


def test_masks_are_drawn_of_as_many_training_cases_as_asked_and_never_equal_the_drawn_one(measured):
    folder = measured[0]
    train = pd.read_csv(folder / "run/splits.csv").query("set == 'train'")["case"]
    drawn = {name.split("_")[0] for name in files(folder)}
    assert len(drawn) == 5
    assert drawn <= set(train)
    assert set(files(folder)) == {f"{case}_perturbed{n}.nii.gz" for case in drawn for n in (1, 2)}
    for name in files(folder):
        first, again = (sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in
                        (folder / f"{name.split('_')[0]}_tumour.nii.gz", folder / "run/readings" / name))  # fmt: skip
        assert 0.75 < 2 * (first * again).sum() / (first.sum() + again.sum()) < 1


def test_every_reading_enters_one_icc_and_all_three_kinds_are_told(measured):
    folder = measured[0] / "run/features"
    table = pd.read_csv(folder / "icc.csv")
    assert set(table["readings"]) == {"perturbed"}
    assert (table["cases"].unique(), table["masks"].unique()) == ([5], [3])
    for region in ("tumour", "external2"):
        own = table[table["region"] == region]
        again = [pd.read_parquet(folder / f"radiomics_{region}_perturbed{n}.parquet") for n in (1, 2)]
        first = pd.read_parquet(folder / f"radiomics_{region}.parquet").loc[again[0].index]
        readings = np.stack([first, *again], axis=1)
        for kind in KINDS:
            found = icc(readings, kind)
            for name, values in (("icc", found.estimate), ("low", found.low), ("high", found.high)):
                np.testing.assert_allclose(own[f"{name}_{kind.replace(',', '_')}"], values, rtol=1e-12)
        assert (own["icc"] == own["icc_2_1"]).all()
        assert (own["passed"] == (own["icc"] > 0.75)).all()


def test_models_read_features_that_the_outline_does_not_decide(measured):
    folder, own = measured
    table = pd.read_csv(folder / "run/features/icc.csv")
    tables = {r: pd.read_parquet(folder / f"run/features/radiomics_{r}.parquet") for r in ("tumour", "external2")}
    kept = agreed(tables, folder / "run", own.heads.icc)
    for region in kept:
        assert list(kept[region]) == table.query(f"region == '{region}' and passed")["feature"].tolist()
        assert 0 < kept[region].shape[1] < tables[region].shape[1]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_started_again_the_masks_and_the_agreement_are_the_same_by_any_number_of_workers(measured, tmp_path, jobs):
    folder = tmp_path / "again"
    shutil.copytree(measured[0], folder)
    before, agreement = files(folder), (folder / "run/features/icc.csv").read_bytes()
    for path in [*sorted((folder / "run/readings").iterdir())[1::2], folder / "run/features/icc.csv"]:
        path.unlink()
    (folder / "run/run.yaml").unlink()
    (folder / "run/environment.json").unlink()
    part(toy.run(folder, *ASKED, f"jobs={jobs}"), EXTRACT)
    assert files(folder) == before
    assert (folder / "run/features/icc.csv").read_bytes() == agreement


def test_no_outcome_and_no_other_case_decides_whose_mask_is_perturbed(measured):
    folder, own = measured
    checked = check(own)
    cases, everyone = checked.cases, checked.files
    drawn = [one.case for one in counted(cases, everyone, own, "perturbed")]
    other = cases.assign(event=1 - cases["event"], age=0)
    assert [one.case for one in counted(other, everyone[::-1], own, "perturbed")] == drawn[::-1]
    left = [one for one in everyone if one.case != drawn[0]]
    assert set(drawn[1:]) <= {one.case for one in counted(cases, left, own, "perturbed")}
    assert {one.case for one in counted(cases, everyone, toy.run(folder, *ASKED, "seed=1"), "perturbed")} != {*drawn}


def test_readings_that_fail_late_are_told_all_at_once_by_their_file(measured, tmp_path):
    folder = tmp_path / "late"
    shutil.copytree(measured[0], folder)
    (folder / "run/features/icc.csv").unlink()
    for name in ("run.yaml", "environment.json"):
        (folder / "run" / name).unlink()
    one, _, other, *_ = sorted((folder / "run/readings").iterdir())
    one.write_bytes(one.read_bytes()[:60])
    toy.write(other, np.zeros(toy.SHAPE, np.uint8))
    with pytest.raises(FeatureError) as error:
        part(toy.run(folder, *ASKED), EXTRACT)
    first, second = sorted(str(fault) for fault in error.value.faults)
    assert f"{one}: found an unreadable file" in first
    assert f"{other}: found no voxel with label 1" in second
    assert not (folder / "run/features/icc.csv").exists()


def test_too_few_cases_to_draw_from_are_one_fault_and_missing_second_masks_are_others(tmp_path):
    toy.cohort(tmp_path, 12)
    with pytest.raises(CohortError) as error:
        check(toy.run(tmp_path, "split.folds=2", "heads.icc={perturb: {}}"))
    inter, intra, made = map(str, error.value.faults)
    assert "found no cases in the training set with a mask in column 'tumour_reader2'" in inter
    assert "(none with heads.icc.perturb)" in intra
    assert "found 8 cases in the training set; expected 20 whose masks to perturb" in made
    assert "lower heads.icc.perturb.cases (5 at least)" in made
