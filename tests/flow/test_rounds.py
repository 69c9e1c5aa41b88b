"""Runs whose split has several rounds: what they leave, that they resume, what is refused, and their page."""

import pickle
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fusion.config import load
from fusion.config.split import LeaveOneScannerOut
from fusion.errors import CohortError, FusionError, RunError
from fusion.flow import canary, export, rounds_run, stages
from fusion.flow.bundle import bundle_of
from fusion.flow.check import check
from fusion.flow.folder import stored_run
from fusion.flow.rounds import found_rounds, rounds_of
from fusion.flow.run import EVERYTHING, EXTRACT, REGIONS, TRAIN, part, run
from fusion.report.rounds.page import report
from fusion.report.rounds.read import read
from tests import toy, toy_slices
from tests.unrendered import unrendered

NESTED = "split={kind: nested, outer: 3, folds: 2}"
REPEATED = "split={kind: repeated, repeats: 2, folds: 2}"
SCANNERS = "split={kind: leave_one_scanner_out, folds: 2}"
POOLED = ("predictions.csv", "rounds.csv", "metrics.csv")
ROOT = Path(__file__).parents[2]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in POOLED}


def finished(folder: Path, *words: str):
    own = toy.run(folder, f"cache={folder / 'cache'}", *words)
    with unrendered():
        run(own)
    return own


def but_measured(folder: str, names: list[str]) -> list[str]:
    """Of a run folder all but what was measured."""
    return [name for name in names if Path(folder).name == "nested" and name not in ("regions", "features")]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """24 cases: two of each class on each of three scanners, in each of two halves; years rise."""
    folder = tmp_path_factory.mktemp("rounds")
    table = toy.cohort(folder, 24)
    table["scanner"], table["year"] = ["A", "A", "B", "B", "C", "C"] * 4, range(2000, 2024)
    table.to_csv(folder / "table.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def nested(cohort):
    return finished(cohort, NESTED, f"output={cohort / 'nested'}")


def test_every_case_is_tested_once_by_a_round_that_did_not_learn_from_its_patient(nested):
    own = pd.read_csv(nested.folder / "predictions.csv")
    assert set(own["set"]) == {"test"}
    assert (own.groupby("model")["case"].nunique() == 24).all()
    assert not own.duplicated(["model", "case"]).any()
    for name, part_of in own.groupby("round"):
        split = pd.read_csv(nested.folder / f"rounds/{name}/splits.csv")
        learned = set(split["patient"][split["set"] == "train"])
        assert not learned & set(split["patient"][split["case"].isin(part_of["case"])])


def test_cases_are_measured_once_and_linked_into_the_rounds(nested):
    own = found_rounds(nested.folder)
    assert list(own) == ["outer_1", "outer_2", "outer_3"]
    for name in ("features/radiomics_tumour.parquet", "regions/c0_external2.nii.gz"):
        assert all((nested.folder / name).samefile(each.folder / name) for each in own.values())
    assert not any((each.folder / "features/cases").exists() for each in own.values())


def test_rounds_csv_has_what_each_round_says_of_itself(nested):
    table = pd.read_csv(nested.folder / "rounds.csv")
    for name, own in table.groupby("round"):
        each = pd.read_csv(nested.folder / f"rounds/{name}/metrics.csv")
        pd.testing.assert_frame_equal(own.drop(columns="round").reset_index(drop=True), each)


def test_a_round_is_the_run_that_its_split_file_makes(nested, cohort):
    alone = toy.run(cohort, f"split={{folds: 2, file: {nested.folder / 'rounds/outer_2/split.csv'}}}",
                    f"output={cohort / 'alone'}", f"cache={cohort / 'cache'}")  # fmt: skip
    shutil.copytree(nested.folder, alone.folder, ignore=but_measured)
    part(alone, EVERYTHING)
    stages.evaluate(alone.folder, alone)
    for name in ("predictions.csv", "metrics.csv", "selection.csv"):
        assert (alone.folder / name).read_bytes() == (nested.folder / f"rounds/outer_2/{name}").read_bytes()


def test_a_run_that_was_broken_off_makes_what_is_missing_and_ends_with_the_same_bytes(nested, cohort):
    before = bytes_of(nested.folder)
    kept = (nested.folder / "rounds/outer_1/predictions.csv").stat().st_mtime_ns
    for name in ("metrics.csv", "rounds/outer_3/predictions.csv", "rounds/outer_3/features/scores.parquet"):
        (nested.folder / name).unlink()
    with unrendered():
        run(nested)
    assert bytes_of(nested.folder) == before
    assert (nested.folder / "rounds/outer_1/predictions.csv").stat().st_mtime_ns == kept


def test_evaluate_and_report_know_rounds(nested):
    before = bytes_of(nested.folder)
    stages.evaluate(nested.folder, stored_run(nested.folder))
    assert bytes_of(nested.folder) == before


def test_a_folder_that_was_moved_goes_on(nested, cohort):
    moved = cohort / "moved"
    shutil.copytree(nested.folder, moved)
    (moved / "rounds/outer_1/predictions.csv").unlink()
    own = nested.model_copy(update={"output": moved})
    with unrendered():
        run(own)
    assert bytes_of(moved) == bytes_of(nested.folder)
    assert stored_run(moved / "rounds/outer_1").split.file == moved / "rounds/outer_1/split.csv"


def test_the_pages_figures_are_in_its_prose(nested):
    page = (nested.folder / "report.html").read_text()
    row = pd.read_csv(nested.folder / "metrics.csv").set_index("model").loc["Combined"]
    assert f"Combined: AUC {row['auc']:.3f}" in page
    assert "each tested once by models that never saw its patient" in page
    assert "nested: 3 outer folds" in page
    assert (nested.folder / "figures/rounds.svg").is_file()


def test_rounds_are_the_scanners(nested, cohort):
    own = toy.run(cohort, SCANNERS, f"output={cohort / 'scanners'}")
    found = rounds_of(own, check(own))
    scanner = pd.read_csv(cohort / "table.csv").set_index("case")["scanner"]
    assert list(found) == ["A", "B", "C"]
    for name, each in found.items():
        split = pd.read_csv(each.split.file).set_index("case")["set"]
        assert ((split == "test") == (scanner[split.index] == name)).all()


def test_a_page_of_scanners_speaks_of_scanners(nested):
    known = read(nested.folder, nested, found_rounds(nested.folder))
    asked = LeaveOneScannerOut(folds=2, pool_small=True)
    words = dict.fromkeys(known.cohort["case"], "A")
    made, tables = report(replace(known, split=asked, places=words))
    text = str(made)
    assert "patients of a scanner that it has never met" in text
    assert "3 rounds are few" in text
    assert "this is no external validation" in text
    assert tables["rounds"]["scanner"].tolist() == ["A"] * 3


def test_repeats_are_averaged(cohort):
    own = finished(cohort, REPEATED, f"output={cohort / 'repeated'}")
    found = pd.read_csv(own.folder / "metrics.csv").set_index("model")
    each = pd.read_csv(own.folder / "rounds.csv")
    assert set(found["set"]) == {"train_oof"}
    assert found["n"].tolist() == [24] * len(found)
    mean = each[each["set"] == "train_oof"].groupby("model")["auc"].mean()
    np.testing.assert_allclose(found["auc"], mean[found.index])
    assert "There is no test set" in (own.folder / "report.html").read_text()


def test_rounds_of_a_sweep_are_written_where_its_cell_lies(cohort):
    own = toy.run(cohort, REPEATED, f"output={cohort / 'cell'}")
    checked = check(own)
    found = rounds_of(own, checked)
    assert {name: each.folder for name, each in found.items()} == {
        name: cohort / "cell/rounds" / name for name in ("repeat_1", "repeat_2")
    }
    assert rounds_of(own, checked) == found
    alone = toy.run(cohort)
    assert rounds_of(alone, checked) == {"": alone}


class Elsewhere:
    """A pool whose one worker is this process, which gets what a worker would."""

    def submit(self, verb, /, *given, shape=None):
        verb(*pickle.loads(pickle.dumps(given)))
        return self

    def done(self):
        return True

    def result(self):
        return None


def test_folds_that_workers_make_end_with_the_same_bytes(nested, cohort, monkeypatch):
    monkeypatch.setattr(rounds_run, "_engine", lambda run, folder: nullcontext(Elsewhere()))
    shutil.copytree(nested.folder, cohort / "pool", ignore=but_measured)
    with unrendered():
        run(nested.model_copy(update={"output": cohort / "pool"}))
    assert bytes_of(cohort / "pool") == bytes_of(nested.folder)
    assert len(list((cohort / "pool/rounds/outer_1/jobs").glob("*.json"))) == 4  # two folds, final, finish


def test_a_round_that_fails_is_named_and_the_others_are_done(nested, cohort, monkeypatch):
    broken = cohort / "broken"
    shutil.copytree(nested.folder, broken)
    for name in ("rounds/outer_1/predictions.csv", "rounds/outer_2/predictions.csv", "metrics.csv"):
        (broken / name).unlink()
    write_rest = rounds_run.write_rest

    def breaks(work):
        if work.folder.name == "outer_1":
            raise ValueError("no luck")
        write_rest(work)

    monkeypatch.setattr(rounds_run, "write_rest", breaks)
    with pytest.raises(RunError, match="round outer_1 that failed: ValueError: no luck"):
        run(nested.model_copy(update={"output": broken}))
    made = [(broken / f"rounds/outer_{n}/predictions.csv").is_file() for n in (1, 2)]
    assert made == [False, True]
    assert not (broken / "metrics.csv").is_file()


def test_faults_of_every_round_are_told_before_any_work(cohort):
    own = toy.run(cohort, "split={kind: nested, outer: 3, folds: 2}", "heads={lasso_folds: 6, top: 3}")
    with pytest.raises(CohortError) as error:
        check(own)
    assert [f"round outer_{n}" in str(fault) for n, fault in enumerate(error.value.faults, 1)] == [True] * 3


def test_regions_and_radiomics_need_no_round_and_networks_are_refused(cohort):
    own = toy.run(cohort, NESTED, f"output={cohort / 'parts'}", f"cache={cohort / 'cache'}")
    part(own, REGIONS)
    part(own, EXTRACT)
    assert (own.folder / "features/radiomics_tumour.parquet").is_file()
    with pytest.raises(RunError, match=r"split\.kind=nested, which has several rounds; .*use fusion run"):
        part(own, TRAIN)


@pytest.mark.parametrize("verb", ["bundle", "canary", "export", "compare"])
def test_verbs_for_one_round_say_so(nested, verb):
    verbs = {
        "bundle": lambda: bundle_of(nested.folder),
        "canary": lambda: canary.canary(nested),
        "export": lambda: export.export(nested, nested.folder, export.Wanted(("tumour_DL",), (), False, False, ())),
        "compare": lambda: stages.compare([nested.folder, nested.folder], nested.folder / "c.html"),
    }
    with pytest.raises(FusionError, match=r"split\.kind=nested, which has several rounds"):
        verbs[verb]()


def test_tasks_are_judged_over_rounds(tmp_path):
    """One task of five classes, by 2-D radiomics and clinical columns."""
    config = ROOT / "configs/tiny_mri.yaml"
    table = toy_slices.cohort(tmp_path, load(config, ["cohort.phantom=null"]).cohort, each=8)
    small = ["cohort.phantom=null", "network=null", "fused=[]", "jobs=1", "literal=null", "bundle=false",
             "sequences=T2-w", "tasks=all", f"cohort.table={table}", f"output={tmp_path / 'run'}",
             "heads.lasso_folds=2", "split={kind: nested, outer: 2, folds: 2}"]  # fmt: skip
    own = load(config, small)
    with unrendered():
        page = run(own)
    found = pd.read_csv(own.folder / "metrics.csv").set_index("model")
    assert list(found.index) == list(own.models)
    cases = pd.read_csv(own.folder / "predictions.csv").groupby("model")["case"].nunique()
    assert (found["n"] == cases[found.index]).all()
    assert found["auc"].between(0, 1).all()
    assert "Round by round" in page.read_text()
