"""Harmonisation in the fold: what a head reads of a case never depends on cases that it is judged by."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fusion.config.harmonise import Combat
from fusion.config.heads import Heads
from fusion.errors import HeadError
from fusion.heads.combine import radiomics_scores, vectors_of
from fusion.heads.harmonise import columns, harmonised
from fusion.heads.vectors import scores

HEADS = Heads(lasso_folds=3, top=5, harmonise=Combat())
PLAIN = Heads(lasso_folds=3, top=5)


def cohort(cases: int = 90, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    fold = np.where(np.arange(cases) < cases * 0.7, np.arange(cases) % 3, -1)
    return pd.DataFrame({
        "case": [f"c{n}" for n in range(cases)], "set": np.where(fold >= 0, "train", "test"), "fold": fold,
        "event": rng.permutation(np.arange(cases) % 2), "scanner": np.array(["one", "two"])[rng.integers(0, 2, cases)],
        "age": rng.normal(50, 10, cases), "sex": np.array(["F", "M"])[rng.integers(0, 2, cases)],
    })  # fmt: skip


def tables(own: pd.DataFrame, gap: float, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Two features that carry the outcome, all shifted by ``gap`` on the second scanner."""
    rng, index = np.random.default_rng(seed), pd.Index(own["case"], name="case")
    signal = np.outer(own["event"], np.arange(30) < 2) * 1.2
    shift = gap * (own["scanner"] == "two").to_numpy()[:, None]
    return {
        region: pd.DataFrame(rng.normal(size=(len(own), 30)) + signal + shift, index, [f"f{n}" for n in range(30)])
        for region in ("tumour", "external2")
    }


def auc(rows: pd.DataFrame, own: pd.DataFrame) -> float:
    train = rows[(rows["set"] == "train") & (rows["source"] == "tumour_RAD")].set_index("case")["score"]
    return float(roc_auc_score(own.set_index("case")["event"][train.index], train))


def test_a_shift_between_scanners_is_undone_and_the_signal_kept():
    own = cohort()
    clean = auc(radiomics_scores(tables(own, 0), own, PLAIN, 0, jobs=1).rows, own)
    shifted = auc(radiomics_scores(tables(own, 6), own, PLAIN, 0, jobs=1).rows, own)
    aligned = auc(radiomics_scores(tables(own, 6), own, HEADS, 0, jobs=1).rows, own)
    assert shifted < clean - 0.05
    assert aligned == pytest.approx(clean, abs=0.05)


def test_test_cases_do_not_touch_the_training_scores():
    own = cohort()
    before = radiomics_scores(tables(own, 2), own, HEADS, 0, jobs=1).rows
    changed = tables(own, 2)
    for table in changed.values():
        table.loc[own["case"][own["set"] == "test"]] *= 100
    after = radiomics_scores(changed, own, HEADS, 0, jobs=1).rows
    train = before["set"] == "train"
    np.testing.assert_array_equal(before["score"][train], after["score"][train])


def test_cases_of_the_own_fold_do_not_touch_each_others_scores():
    own = cohort()
    first, second = own["case"][own["fold"] == 0].iloc[:2]
    before = radiomics_scores(tables(own, 2), own, HEADS, 0, jobs=1).rows
    changed = tables(own, 2)
    for table in changed.values():
        table.loc[first] *= 100
    after = radiomics_scores(changed, own, HEADS, 0, jobs=1).rows
    np.testing.assert_array_equal(before["score"][before["case"] == second], after["score"][after["case"] == second])


def test_an_outcome_that_changes_does_not_change_the_features():
    own = cohort()
    table, fit = tables(own, 2)["tumour"], (own["set"] == "train").to_numpy()
    flipped = own.assign(event=1 - own["event"])
    pd.testing.assert_frame_equal(harmonised(table, own, fit, Combat()), harmonised(table, flipped, fit, Combat()))


def test_vectors_of_networks_stay_as_they_are():
    own = cohort()
    vectors = {"tumour_RAD": tables(own, 2)["tumour"]}
    with_, without = (scores(vectors_of(vectors, own, heads, 0), 1, "deep scores").rows for heads in (HEADS, PLAIN))
    pd.testing.assert_frame_equal(with_, without)


def test_null_gives_the_table_back():
    own = cohort()
    table = tables(own, 2)["tumour"]
    assert harmonised(table, own, np.ones(len(own), bool), None) is table


def test_covariates_are_numbers_and_levels():
    own = cohort()
    found = columns(own, Combat(covariates=("age", "sex")))
    np.testing.assert_array_equal(found, np.column_stack([own["age"], own["sex"] == "M"]))
    assert columns(own, Combat()).shape == (90, 0)


def test_a_scanner_of_the_test_set_alone_is_refused_by_name_or_left_as_it_is():
    own = cohort()
    own.loc[own["case"] == "c89", "scanner"] = "three"
    table, fit = tables(own, 2)["tumour"], (own["set"] == "train").to_numpy()
    with pytest.raises(HeadError, match="scanner three"):
        harmonised(table, own, fit, Combat())
    kept = harmonised(table, own, fit, Combat(unseen="as_is"))
    pd.testing.assert_series_equal(kept.loc["c89"], table.loc["c89"])
