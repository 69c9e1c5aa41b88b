import sys
from collections import Counter

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from fusion.cli import app
from fusion.config import load
from fusion.errors import CohortError, Fault, FeatureError, RunError
from fusion.features.radiomics import engine, extract
from fusion.flow import fold, look, networks, rings, stages
from fusion.flow.run import EVERYTHING, part
from fusion.flow.run import run as run_all
from fusion.flow.sweep import coordinate, sweep
from tests.flow.sweep.swept import WORDS, asked, config, inline, numbers
from tests.unrendered import unrendered

flow = sys.modules["fusion.flow.sweep.sweep"]
COUNTED = {"look": look, "ring": rings, "radiomics": extract, "patch": networks}


class Calls(Counter):
    """How often each step read a case, and each region was measured."""

    def watch(self, patch):
        for name, module in COUNTED.items():
            patch.setattr(module, "load", self._noting(name, module.load))
        patch.setattr(engine, "measure", self._measuring(engine.measure))

    def _noting(self, name, verb):
        def load(files, *more):
            self[name, files.case] += 1
            return verb(files, *more)

        return load

    def _measuring(self, verb):
        def measure(image, masks, *more, **named):
            for region, mask in masks.items():
                self["measure", region, mask.tobytes()] += 1
            return verb(image, masks, *more, **named)

        return measure


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    return config(tmp_path_factory.mktemp("swept"))


@pytest.fixture(scope="module")
def swept(here):
    """A sweep in this process, with what it read."""
    calls = Calls()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow, "engine", inline)
        calls.watch(patch)
        done = sweep(asked(here, "swept"))
    return done, here.parent / "swept", calls


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setattr(flow, "engine", inline)
    return monkeypatch


def test_a_sweep_leaves_its_cells_its_jobs_and_a_page(swept):
    done, folder, _ = swept
    cells = pd.read_csv(folder / "cells.csv", dtype=str)
    assert cells.to_dict("list") == {
        "cell": ["c01", "c02", "c03", "c04"], "heads.top": ["2", "2", "3", "3"], "split.folds": ["2", "3", "2", "3"],
        "state": ["done"] * 4,
    }  # fmt: skip
    jobs = pd.read_csv(folder / "jobs.csv")
    assert list(jobs["job"][jobs["cell"] == "c02"]) == ["final", "finish", "fold_0", "fold_1", "fold_2"]
    assert (folder / "failures.csv").read_text() == "cell,round,job,message\n"
    assert yaml.safe_load((folder / "sweep.yaml").read_text())["words"][2:] == list(WORDS)
    assert done.page == folder / "comparison.html"
    assert done.failures == ()


def test_no_case_is_read_or_measured_twice_for_two_cells(swept):
    calls = swept[2]
    assert len(calls) == 3 * 16 + 2 * 16
    assert set(calls.values()) == {1}


def test_what_is_measured_once_is_linked_and_not_copied(swept):
    folder = swept[1]
    for name in ("features/radiomics_tumour.parquet", "regions/c3_external2.nii.gz"):
        assert len({path.stat().st_ino for path in folder.glob(f"*/*/{name}")}) == 1
        assert len(list(folder.glob(f"*/*/{name}"))) == 5


def test_a_cell_has_the_numbers_of_its_config_run_alone_and_its_run_adds_the_report(swept, here, tmp_path):
    folder = swept[1]
    alone = load(here, [f"output={tmp_path / 'run'}", "jobs=1", "heads.top=3", "split.folds=2"])
    part(alone, EVERYTHING)
    stages.evaluate(alone.folder, alone)
    names = ("metrics.csv", "predictions.csv", "selection.csv", "splits.csv", "features/scores.parquet")
    before = {name: (folder / "cells/c03" / name).read_bytes() for name in names}
    assert before == {name: (tmp_path / "run" / name).read_bytes() for name in names}
    with unrendered():
        page = run_all(load(folder / "cells/c03/run.yaml", ["bundle=true"]))
    assert page == folder / "cells/c03/report.html"
    assert (folder / "cells/c03/bundle").is_dir()
    assert {name: (folder / "cells/c03" / name).read_bytes() for name in names} == before


def test_keys_that_differ_in_part_share_what_they_can(here, in_process):
    calls = Calls()
    calls.watch(in_process)
    words = ("roi.external2.thickness_mm=2,3", "heads.icc=null,{readers: none, minimum: 0.5, perturb: {cases: 5}}")
    sweep(asked(here, "partly", *words, "split.folds=2"))
    folder = here.parent / "partly"
    assert len(list((folder / "shared").glob("*/run.yaml"))) == 2
    measured = Counter(region for what, region, *_ in calls if what == "measure")
    assert measured["tumour"] == 16 + 5
    assert {count for key, count in calls.items() if key[0] == "measure"} == {1}
    assert len({path.stat().st_ino for path in folder.glob("cells/*/features/icc.csv")}) == 2


def test_all_faults_of_all_cells_at_once_and_nothing_is_begun(here, in_process):
    (here.parent / "bad.nii.gz").write_text("no image")
    table = pd.read_csv(here.parent / "table.csv")
    table.assign(ct=[*table["ct"][:-1], "bad.nii.gz"]).to_csv(here.parent / "bad.csv", index=False)
    calls = Calls()
    calls.watch(in_process)
    words = (f"cohort.table={here.parent / 'bad.csv'}", "heads.lasso_folds=2,90", "split.folds=2,3,99")
    with pytest.raises(CohortError) as error:
        sweep(asked(here, "faulty", *words))
    lines = str(error.value).splitlines()
    assert sum("bad.nii.gz" in line for line in lines) == 1
    assert "in cell" not in next(line for line in lines if "bad.nii.gz" in line)
    assert sum("in every cell with split.folds=99" in line for line in lines) == 1
    assert sum("cell c04 (heads.lasso_folds=90 split.folds=2)" in line for line in lines) == 1
    assert set(calls.values()) == {1}
    assert [path.name for path in (here.parent / "faulty").iterdir()] == [".lock"]


def test_a_fold_that_fails_is_named_all_others_stand_and_the_next_start_mends_it(swept, here, in_process, capsys):
    folder, whole = here.parent / "failing", numbers(swept[1])

    def failing(work, number):
        if (work.folder.name, number) == ("c02", 1):
            raise OSError(28, "No space left on device", "fold.parquet")
        fold.write_fold(work, number)

    in_process.setattr(coordinate, "write_fold", failing)
    words = [str(here), *WORDS, "jobs=1", f"output={folder}"]
    ended = CliRunner().invoke(app, ["sweep", *words])
    assert ended.exit_code == 1
    assert "cell c02 (heads.top=2 split.folds=3), fold_1 failed: fold.parquet: found a full disk" in ended.stderr
    assert "1 cell failed" in ended.stderr
    failures = pd.read_csv(folder / "failures.csv", keep_default_na=False)
    assert failures[["cell", "round", "job"]].to_numpy().tolist() == [["c02", "", "fold_1"]]
    assert list(pd.read_csv(folder / "cells.csv")["state"]) == ["done", "failed", "done", "done"]
    there = numbers(folder)
    assert all(there[name] == whole[name] for name in whole if name.startswith("cells/") and "c02" not in name)
    done = []
    in_process.setattr(
        coordinate, "write_fold", lambda work, number: done.append(number) or fold.write_fold(work, number)
    )
    again = CliRunner().invoke(app, ["sweep", *words, "--resume"])
    assert again.exit_code == 0, again.stderr
    assert done == [1]
    assert numbers(folder) == whole


def test_cells_that_cannot_be_measured_or_prepared_leave_the_others_alone(here, in_process):
    fault = Fault("a tired reader", "one who slept", "wait")

    def failing(verb, wrong):
        def step(own, *more):
            if wrong(own):
                raise FeatureError(fault)
            return verb(own, *more)

        return step

    in_process.setattr(flow, "measure", failing(flow.measure, lambda parts: parts[0].run.roi.minimum_voxels == 21))
    in_process.setattr(flow, "prepare", failing(flow.prepare, lambda part: part.cell.name == "c02"))
    done = sweep(asked(here, "unprepared", "roi.minimum_voxels=20,21", *WORDS[:1], "split.folds=2"))
    assert [(own.cell, own.job, own.message) for own in done.failures] == [
        ("c02", "measure", str(fault)), ("c03", "measure", str(fault)), ("c04", "measure", str(fault)),
    ]  # fmt: skip
    assert list(pd.read_csv(here.parent / "unprepared/cells.csv")["state"]) == ["done", "failed", "failed", "failed"]


def test_a_folder_that_holds_a_sweep_is_refused_without_resume_and_so_are_other_words(swept, here, in_process):
    folder = swept[1]
    with pytest.raises(RunError, match="say --resume"):
        sweep(asked(here, "swept"))
    with pytest.raises(RunError, match=r"found heads\.top=2,4 split\.folds=2,3; expected heads\.top=2,3"):
        sweep(asked(here, "swept", "heads.top=2,4", "split.folds=2,3"), resume=True)
    with pytest.raises(RunError, match="found seed = 5; expected 0, with which this folder was begun"):
        sweep(asked(here, "swept", *WORDS, "seed=5"), resume=True)
    with pytest.raises(RunError, match="the folder of a run"):
        sweep(asked(here, "swept/cells/c01"))
    before = numbers(folder)
    in_process.setattr(coordinate, "write_fold", None)
    assert sweep(asked(here, "swept"), resume=True).page == folder / "comparison.html"
    assert numbers(folder) == before


def test_two_sweeps_in_one_folder_at_once_are_refused(swept, here):
    from fusion.flow.sweep.folder import opened

    own = asked(here, "swept")
    with opened(own, resume=True), pytest.raises(RunError, match="another process at work"), opened(own, resume=True):
        pass


def test_the_model_that_chooses_has_to_be_one_that_every_cell_makes(here, in_process):
    with pytest.raises(CohortError, match="found no model Tumor_DL; expected one of Tumor_RAD"):
        sweep(asked(here, "choosing"), by="Tumor_DL")
