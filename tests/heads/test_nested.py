import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fusion.config.heads import Heads
from fusion.heads.nested import APART, HEAD, NETWORK, inner_folds, nested_scores
from fusion.heads.parts import FINAL, folds, parts

HEADS = Heads(lasso_folds=2, top=3)
CASES = 90


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    patient = np.arange(CASES) // 2
    fold = np.where(patient % 4 < 3, patient % 4, FINAL)
    return pd.DataFrame(
        {"case": [f"c{n}" for n in range(CASES)], "patient": [f"p{n}" for n in patient], "fold": fold,
         "set": np.where(fold >= 0, "train", "test"), "event": rng.permutation(np.arange(CASES) % 3 == 0).astype(int)}
    )  # fmt: skip


def vectors(cohort: pd.DataFrame, inner, seeds: int = 1, shift: float = 1.5) -> dict[int, dict[str, pd.DataFrame]]:
    """Each network has axes of its own; the rows it learned from are left out."""
    found = {}
    for fold, own in inner.items():
        tables = []
        for seed in range(seeds):
            rng = np.random.default_rng([fold + 1, seed])
            values = rng.normal(size=(CASES, 6)) + np.outer(cohort["event"], rng.normal(size=6)) * shift
            table = pd.DataFrame(values, pd.Index(cohort["case"]), [f"d{n:03d}" for n in range(6)])
            tables.append(table.assign(seed=seed, seen=False, set=cohort["set"].to_numpy())[own != NETWORK])
        found[fold] = {"tumour_DL": pd.concat(tables)}
    return found


@pytest.fixture(scope="module")
def inner(cohort):
    return {fold: inner_folds(cohort, fold, 0) for fold in folds(cohort)}


def test_a_third_is_left_for_the_head_and_no_patient_is_parted(cohort, inner):
    for own in inner.values():
        assert (own == NETWORK).sum() == pytest.approx(2 * (own == HEAD).sum(), abs=4)
        assert cohort.assign(own=own).groupby("patient")["own"].nunique().max() == 1
        assert set(cohort["event"][own == HEAD]) == set(cohort["event"][own == NETWORK]) == {0, 1}


def test_the_outer_fold_and_the_other_sets_stay_apart(cohort, inner):
    for fold, own in inner.items():
        assert np.array_equal(own == APART, ~parts(cohort, fold)[0])


def test_every_case_has_one_score(cohort, inner):
    rows = nested_scores(vectors(cohort, inner), inner, cohort, HEADS, 0).rows
    assert sorted(rows["case"]) == sorted(cohort["case"])
    assert rows.columns.tolist() == ["case", "source", "set", "fold", "score"]


def test_a_score_depends_on_no_outcome_outside_the_heads_third(cohort, inner):
    given = vectors(cohort, inner)
    turned = cohort.assign(event=np.where(inner[1] == HEAD, cohort["event"], 1 - cohort["event"]))
    before, after = (nested_scores(given, inner, own, HEADS, 0).rows for own in (cohort, turned))
    same = before["fold"] == 1
    assert np.array_equal(before["score"][same], after["score"][same])
    assert not np.array_equal(before["score"][~same], after["score"][~same])


def test_seeds_are_averaged_as_log_odds(cohort, inner):
    both = vectors(cohort, inner, seeds=2)
    single = [
        {fold: {"tumour_DL": own["tumour_DL"][own["tumour_DL"]["seed"] == seed]} for fold, own in both.items()}
        for seed in (0, 1)
    ]
    mean, one, two = (nested_scores(given, inner, cohort, HEADS, 0).rows["score"] for given in (both, *single))
    assert np.allclose(mean, (one + two) / 2)


def test_a_signal_on_other_axes_in_every_network_is_found(cohort, inner):
    rows = nested_scores(vectors(cohort, inner, shift=3), inner, cohort, HEADS, 0).rows.set_index("case")
    assert roc_auc_score(cohort.set_index("case")["event"][rows.index], rows["score"]) > 0.85
