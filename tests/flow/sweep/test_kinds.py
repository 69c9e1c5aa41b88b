"""Sweeps of other kinds of run: several rounds, slices."""

from pathlib import Path

import pandas as pd

from fusion.config import load
from fusion.config.sweep import read
from fusion.flow.folder import opened
from fusion.flow.rounds_run import run_rounds
from fusion.flow.run import OF_CASES
from fusion.flow.sweep import sweep
from tests import toy_slices
from tests.flow.sweep.swept import asked

ROOT = Path(__file__).parents[3]
NESTED = "{kind: nested, outer: 2, folds: 2}"
MRMR = "heads.selector={kind: mrmr}"


def of_rounds(folder):
    return {path.relative_to(folder): path.read_bytes() for name in ("metrics.csv", "rounds.csv", "predictions.csv")
            for path in (folder / name, *folder.glob(f"rounds/*/{name}")) if path.is_file()}  # fmt: skip


def test_a_cell_with_rounds_has_the_numbers_of_its_run_alone_which_goes_on_from_the_cell(whole, in_process):
    asked_for = (f"split={{kind: holdout, folds: 2}},{NESTED}", MRMR)
    assert sweep(asked(whole.config, "rounds", *asked_for)).failures == ()
    folder = whole.config.parent / "rounds"
    jobs = pd.read_csv(folder / "jobs.csv", keep_default_na=False)
    assert dict(jobs["round"].value_counts()) == {"": 4, "outer_1": 4, "outer_2": 4}
    words = [f"output={whole.config.parent / 'alone'}", "jobs=1", f"split={NESTED}", MRMR]
    alone, cell = load(whole.config, words), load(folder / "cells/c02/run.yaml")
    before = of_rounds(cell.folder)
    for run in (alone, cell):
        with opened(run) as place:
            run_rounds(run, place, OF_CASES[False])
    assert len(before) == 7
    assert before == of_rounds(alone.folder) == of_rounds(cell.folder)


def test_slices_are_cut_once_for_all_cells(tmp_path, in_process):
    config = ROOT / "configs/tiny_mri.yaml"
    table = toy_slices.cohort(tmp_path, load(config).cohort, each=6)
    plain = ("cohort.phantom=null", f"cohort.table={table}", "network=null", "fused=[]", "literal=null", "jobs=1",
             "tasks=[benign-malignant]", "sequences=[T2-w]", "heads.lasso_folds=2", "split.folds=2")  # fmt: skip
    done = sweep(read(config, [*plain, "heads.top=2,3", f"output={tmp_path / 'sweep'}"]))
    assert done.failures == ()
    for name in ("checkpoints/slices.npz", "features/radiomics_T2-w.parquet"):
        found = list((tmp_path / "sweep").glob(f"*/*/{name}"))
        assert (len(found), len({path.stat().st_ino for path in found})) == (3, 1)
