"""Sweeps of other kinds of run: several rounds, slices."""

from pathlib import Path

import pandas as pd

from fusion.config import load
from fusion.config.sweep import read
from fusion.flow.folder import opened
from fusion.flow.rounds_run import run_rounds
from fusion.flow.run import OF_CASES, run
from fusion.flow.sweep import sweep
from fusion.models import train
from tests import toy_slices
from tests.flow.sweep.swept import asked, config

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
    for own in (alone, cell):
        with opened(own) as place:
            run_rounds(own, place, OF_CASES[False])
    assert len(before) == 7
    assert before == of_rounds(alone.folder) == of_rounds(cell.folder)


def test_slices_are_cut_once_for_all_cells(tmp_path, in_process):
    tiny = ROOT / "configs/tiny_mri.yaml"
    table = toy_slices.cohort(tmp_path, load(tiny).cohort, each=6)
    plain = ("cohort.phantom=null", f"cohort.table={table}", "network=null", "fused=[]", "literal=null", "jobs=1",
             "tasks=[benign-malignant]", "sequences=[T2-w]", "heads.lasso_folds=2", "split.folds=2")  # fmt: skip
    done = sweep(read(tiny, [*plain, "heads.top=2,3", f"output={tmp_path / 'sweep'}"]))
    assert done.failures == ()
    for name in ("checkpoints/slices.npz", "features/radiomics_T2-w.parquet"):
        found = list((tmp_path / "sweep").glob(f"*/*/{name}"))
        assert (len(found), len({path.stat().st_ino for path in found})) == (3, 1)


def test_networks_that_cells_have_in_common_are_trained_once_and_each_cell_has_the_numbers_of_its_run_alone(
    tmp_path, in_process, monkeypatch
):  # fmt: skip
    here, trained, fit = config(tmp_path), [], train.fit

    def counted(training, job):
        trained.append(job.name)
        fit(training, job)

    monkeypatch.setattr(train, "fit", counted)
    network = "network={backbone: test_resnet, weights: none, epochs: 1, warmup_epochs: 0, batch: 8}"
    done = sweep(asked(here, "swept", network, "heads.top=2,3", "seed=0,1", "split.folds=2"))
    assert done.failures == ()
    assert len(trained) == 2 * 2 * 3  # of four cells two seeds, two folds, tumour and ring and both
    run(load(here, [network, "heads.top=3", "split.folds=2", "jobs=1", f"output={tmp_path / 'alone'}"]))
    for name in ("predictions.csv", "metrics.csv", "checkpoints/tumour_DL_fold1_seed0.safetensors"):
        assert (tmp_path / "swept/cells/c03" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
