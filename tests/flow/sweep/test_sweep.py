from collections import Counter

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from fusion.cli import app
from fusion.config import load
from fusion.errors import CohortError, Fault, FeatureError, RunError
from fusion.flow import fold, stages
from fusion.flow.run import EVERYTHING, part
from fusion.flow.run import run as run_all
from fusion.flow.sweep import folds, sweep
from fusion.flow.sweep.folder import opened
from fusion.flow.sweep.plan import plan
from fusion.flow.sweep.share import measure
from tests.flow.sweep.conftest import FLOW
from tests.flow.sweep.swept import CASES, WORDS, asked, numbers
from tests.unrendered import unrendered


def test_a_sweep_leaves_its_cells_its_jobs_and_a_page(whole):
    cells = pd.read_csv(whole.folder / "cells.csv", dtype=str)
    assert cells.to_dict("list") == {"cell": ["c01", "c02"], "heads.top": ["2", "3"], "state": ["done", "done"]}
    jobs = pd.read_csv(whole.folder / "jobs.csv")
    assert list(jobs["job"][jobs["cell"] == "c02"]) == ["final", "finish", "fold_0", "fold_1"]
    assert (whole.folder / "failures.csv").read_text() == "cell,round,job,message\n"
    assert yaml.safe_load((whole.folder / "sweep.yaml").read_text())["words"][2:] == list(WORDS)
    assert whole.done.page == whole.folder / "comparison.html"
    assert whole.done.page.is_file()
    assert whole.done.failures == ()


def test_no_case_is_read_or_measured_twice_for_two_cells(whole):
    steps = Counter(what for what, *_ in whole.calls)
    assert steps == {"look": CASES, "ring": CASES, "radiomics": CASES, "measure": 2 * CASES}
    assert set(whole.calls.values()) == {1}


def test_what_is_measured_once_is_linked_and_not_copied(whole):
    for name in ("features/radiomics_tumour.parquet", "regions/c3_external2.nii.gz"):
        found = list(whole.folder.glob(f"*/*/{name}"))
        assert (len(found), len({path.stat().st_ino for path in found})) == (3, 1)


def test_a_cell_has_the_numbers_of_its_config_run_alone_and_its_run_adds_the_report(whole, tmp_path):
    alone = load(whole.config, [f"output={tmp_path / 'run'}", "jobs=1", "heads.top=3", "split.folds=2"])
    part(alone, EVERYTHING)
    stages.evaluate(alone.folder, alone)
    names = ("metrics.csv", "predictions.csv", "selection.csv", "splits.csv", "features/scores.parquet")
    cell = whole.folder / "cells/c02"
    before = {name: (cell / name).read_bytes() for name in names}
    assert before == {name: (tmp_path / "run" / name).read_bytes() for name in names}
    with unrendered():
        page = run_all(load(cell / "run.yaml", ["bundle=true"]))
    assert page == cell / "report.html"
    assert (cell / "bundle").is_dir()
    assert {name: (cell / name).read_bytes() for name in names} == before


def test_keys_that_differ_in_part_share_what_they_can(whole, calls, monkeypatch):
    monkeypatch.setattr(FLOW, "coordinate", lambda *_: None)  # nothing is fitted
    words = ("roi.external2.thickness_mm=2,3", "heads.icc=null,{readers: none, minimum: 0.5, perturb: {cases: 5}}")
    sweep(asked(whole.config, "partly", *words, "split.folds=2"))
    folder = whole.config.parent / "partly"
    assert len(list((folder / "shared").glob("*/run.yaml"))) == 2
    measured = Counter(region for what, region, *_ in calls if what == "measure")
    assert measured["tumour"] == CASES + 5
    assert {count for key, count in calls.items() if key[0] == "measure"} == {1}


def test_all_faults_of_all_cells_at_once_and_nothing_is_begun(whole, calls):
    here = whole.config.parent
    (here / "bad.nii.gz").write_text("no image")
    table = pd.read_csv(here / "table.csv")
    table.assign(ct=[*table["ct"][:-1], "bad.nii.gz"]).to_csv(here / "bad.csv", index=False)
    words = (f"cohort.table={here / 'bad.csv'}", "heads.lasso_folds=2,90", "split.folds=2,3,99")
    with pytest.raises(CohortError) as error:
        sweep(asked(whole.config, "faulty", *words))
    lines = str(error.value).splitlines()
    image = [line for line in lines if "bad.nii.gz" in line]
    assert [("in cell" in line, "in every cell" in line) for line in image] == [(False, False)]
    assert sum("in every cell with split.folds=99" in line for line in lines) == 1
    assert sum("cell c04 (heads.lasso_folds=90 split.folds=2)" in line for line in lines) == 1
    assert set(calls.values()) == {1}
    assert [path.name for path in (here / "faulty").iterdir()] == [".lock"]


def test_a_fold_that_fails_is_named_all_others_stand_and_the_next_start_mends_it(whole, in_process):
    folder, expected = whole.config.parent / "failing", numbers(whole.folder)

    def failing(work, number):
        if (work.folder.name, number) == ("c02", 1):
            raise OSError(28, "No space left on device", "fold.parquet")
        fold.write_fold(work, number)

    in_process.setattr(folds, "write_fold", failing)
    words = ["sweep", str(whole.config), f"output={folder}", "jobs=1", *WORDS]
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code == 1
    assert "cell c02 (heads.top=3), fold_1 failed: fold.parquet: found a full disk" in ended.stderr
    assert "1 cell failed" in ended.stderr
    failures = pd.read_csv(folder / "failures.csv", keep_default_na=False)
    assert failures[["cell", "round", "job"]].to_numpy().tolist() == [["c02", "", "fold_1"]]
    assert list(pd.read_csv(folder / "cells.csv")["state"]) == ["done", "failed"]
    assert {"fold_0", "final"} <= set(pd.read_csv(folder / "jobs.csv").query("cell == 'c02'")["job"])
    there = numbers(folder)
    assert {n for n in expected if "c01" in n} == {n for n in there if "c01" in n and there[n] == expected[n]}
    done = []

    def noted(work, number):
        done.append((work.folder.name, number))
        fold.write_fold(work, number)

    in_process.setattr(folds, "write_fold", noted)
    again = CliRunner().invoke(app, [*words, "--resume"])
    assert again.exit_code == 0, again.stderr
    assert done == [("c02", 1)]
    assert numbers(folder) == expected


def test_ctrl_c_says_how_to_go_on(whole, in_process):
    def interrupted(*_):
        raise KeyboardInterrupt

    in_process.setattr(FLOW, "coordinate", interrupted)
    words = [str(whole.config), f"output={whole.config.parent / 'interrupted'}", "jobs=1", *WORDS]
    ended = CliRunner().invoke(app, ["sweep", *words])
    assert ended.exit_code == 130
    assert "the same command with --resume goes on where it stopped" in ended.stderr


def test_cells_that_cannot_be_measured_or_prepared_leave_the_others_alone(whole, in_process):
    fault = Fault("a tired reader", "one who slept", "wait")

    def failing(verb, wrong):
        def step(own, *more):
            if wrong(own):
                raise FeatureError(fault)
            return verb(own, *more)

        return step

    in_process.setattr(FLOW, "measure", failing(FLOW.measure, lambda parts: parts[0].run.roi.minimum_voxels == 21))
    in_process.setattr(FLOW, "prepare", failing(FLOW.prepare, lambda part: part.cell.name == "c02"))
    done = sweep(asked(whole.config, "unprepared", "roi.minimum_voxels=20,21", *WORDS))
    assert [(own.cell, own.job, own.message) for own in done.failures] == [
        (cell, "measure", str(fault)) for cell in ("c02", "c03", "c04")
    ]
    assert list(pd.read_csv(whole.config.parent / "unprepared/cells.csv")["state"]) == ["done", *["failed"] * 3]


def test_a_folder_that_holds_a_sweep_is_refused_without_resume_and_so_are_other_words(whole, in_process):
    with pytest.raises(RunError, match="say --resume"):
        sweep(asked(whole.config, "swept"))
    with pytest.raises(RunError, match=r"found heads\.top=2,4; expected heads\.top=2,3, with which this sweep was"):
        sweep(asked(whole.config, "swept", "heads.top=2,4", "split.folds=2"), resume=True)
    with pytest.raises(RunError, match="found seed = 5; expected 0, with which this folder was begun"):
        sweep(asked(whole.config, "swept", *WORDS, "seed=5"), resume=True)
    with pytest.raises(RunError, match="the folder of a run"):
        sweep(asked(whole.config, "swept/cells/c01"))
    before = numbers(whole.folder)
    in_process.setattr(folds, "write_fold", None)
    assert sweep(asked(whole.config, "swept"), resume=True).page == whole.folder / "comparison.html"
    assert numbers(whole.folder) == before


def test_two_sweeps_in_one_folder_at_once_are_refused(whole):
    own = asked(whole.config, "swept")
    with opened(own, resume=True), pytest.raises(RunError, match="another process at work"), opened(own, resume=True):
        pass


def test_the_model_that_chooses_has_to_be_one_that_every_cell_makes(whole, in_process):
    with pytest.raises(CohortError, match="found no model Tumor_DL; expected one of Tumor_RAD"):
        sweep(asked(whole.config, "choosing"), by="Tumor_DL")


def test_cells_begun_with_other_features_are_refused(whole, in_process):
    own = asked(whole.config, "swept")
    features = whole.folder / "cells/c01/features/radiomics_tumour.parquet"
    planned = plan(own, whole.folder)
    shared = planned[0].whole.base / "features/radiomics_tumour.parquet"
    before = pd.read_parquet(shared)
    features.unlink()
    before.iloc[::-1].to_parquet(features)
    try:
        with pytest.raises(RunError, match="found features of other rings") as error:
            measure([cell.whole for cell in planned])
        assert [fault.file for fault in error.value.faults] == [str(features)]
    finally:
        features.unlink()
        features.hardlink_to(shared)
