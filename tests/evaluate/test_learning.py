"""More patients help where there is something to learn; permuted outcomes hold nothing."""

import numpy as np
import pytest

from fusion.evaluate.discrimination import auc
from fusion.evaluate.learning import learning, summary
from fusion.evaluate.permutation import OBSERVED, p_value, permutation
from fusion.heads.refit import material, out_of_fold
from tests.heads.test_refit import HEADS, known

MODELS = ("Tumor_RAD", "Clinical")


@pytest.fixture(scope="module")
def curve():
    whole = known(cases=100, columns=10)[-1]
    return whole, learning(whole, MODELS, seed=0, jobs=1, shares=(0.4,), draws=2)


def test_the_last_point_is_the_runs_own(curve):
    whole, table = curve
    own = out_of_fold(["Tumor_RAD"], whole.train, whole)["Tumor_RAD"]
    last = table[(table["model"] == "Tumor_RAD") & (table["share"] == 1)]["auc"].item()
    assert last == auc(own, whole.events[whole.train])


def test_a_signal_is_learned_better_from_more(curve):
    found = summary(curve[1], "Tumor_RAD").set_index("share")
    assert found.loc[0.4, "auc"] < found.loc[1.0, "auc"]
    assert found.loc[0.4, "gain"] == pytest.approx(found.loc[1.0, "auc"] - found.loc[0.4, "auc"])
    assert (found["patients"].to_numpy() == [28, 70]).all()
    assert (found["error"] > 0).all()


def test_draws_too_small_are_rows_without_an_auc():
    own, found, clinical, deep, _ = known(cases=26)
    small = material(found, deep, clinical, own, HEADS.model_copy(update={"lasso_folds": 6}), seed=0)
    table = learning(small, ["Tumor_RAD"], 0, jobs=1, shares=(0.3,), draws=2)
    assert table["auc"].isna().tolist() == [True, True, False]
    assert summary(table, "Tumor_RAD")["fitted"].tolist() == [0, 1]


def test_permutations_rank_the_truth_first_where_it_is_true():
    table = permutation(known(cases=70, shift=2.0, columns=10)[-1], ["Tumor_RAD", "Clinical"], count=7, seed=0, jobs=1)
    assert table.groupby("model").size().tolist() == [8, 8]
    own = table[table["model"] == "Tumor_RAD"].set_index("permutation")["auc"]
    null = own.drop(OBSERVED)
    assert p_value(float(own[OBSERVED]), null.tolist()) == pytest.approx(1 / 8)
    assert abs(null.mean() - 0.5) < 0.15


def test_p_counts_the_truth_among_the_permutations():
    """Phipson & Smyth 2010: (1 + b) / (1 + m); those that could not be fitted do not count."""
    assert p_value(0.7, [0.6, 0.7, np.nan, 0.8]) == pytest.approx(3 / 4)
    assert p_value(0.9, []) == 1.0
