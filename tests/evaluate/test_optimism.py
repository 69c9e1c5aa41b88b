"""Optimism: the formulas on numbers, the flow against a slow loop, and a truth that is known."""

import numpy as np
import pandas as pd
import pytest

from fusion.errors import HeadError
from fusion.evaluate.discrimination import auc
from fusion.evaluate.draws import bootstrap
from fusion.evaluate.optimism import optimism, plus_632
from fusion.heads.logistic import fusion_head
from fusion.heads.refit import material
from tests.heads.test_combine import cohort, tables
from tests.heads.test_refit import HEADS, known


def test_plus_632_by_hand():
    """Apparent error .1, left out .3, none .5: R = .2/.4, w = .632/(1 - .184) = .77451, error .1 + .2 w = .25490."""
    assert plus_632(0.9, 0.7) == pytest.approx(1 - 0.25490, abs=1e-5)


@pytest.mark.parametrize(
    ("apparent", "left_out", "expected"),
    [
        (0.8, 0.8, 0.8),  # nothing lost
        (1.0, 0.5, 0.5),  # all lost: the weight is 1
        (1.0, 0.4, 0.5),  # worse than chance counts as chance
        (0.7, 0.75, 0.368 * 0.7 + 0.632 * 0.75),  # nothing lost: plain .632
    ],
)
def test_plus_632_at_its_ends(apparent, left_out, expected):
    assert plus_632(apparent, left_out) == pytest.approx(expected)


def test_harrells_loop_written_out():
    own, _, clinical, _, whole = known()
    train = np.flatnonzero(own["set"] == "train")
    X, y = clinical.to_numpy(), own["event"].to_numpy()
    gaps, left_out = [], []
    for number in range(8):
        drawn = bootstrap(own, np.random.default_rng([3, number]))
        head = fusion_head(HEADS).fit(X[drawn], y[drawn])
        p, out = head.predict_proba(X)[:, 1], np.setdiff1d(train, drawn)
        gaps.append(auc(p[drawn], y[drawn]) - auc(p[train], y[train]))
        left_out.append(auc(p[out], y[out]))
    apparent = auc(fusion_head(HEADS).fit(X[train], y[train]).predict_proba(X[train])[:, 1], y[train])
    row = optimism(whole, ["Clinical"], samples=8, seed=3, jobs=1).set_index("measure").loc["auc"]
    assert row["apparent"] == pytest.approx(apparent, abs=1e-12)
    assert row["optimism"] == pytest.approx(np.mean(gaps), abs=1e-12)
    assert row["corrected"] == pytest.approx(apparent - np.mean(gaps), abs=1e-12)
    assert row["left_out"] == pytest.approx(np.mean(left_out), abs=1e-12)
    assert row["plus_632"] == pytest.approx(plus_632(apparent, np.mean(left_out)), abs=1e-12)


def noise(seed: int):
    own = cohort(60, seed)
    own["patient"] = own["case"]
    empty = pd.DataFrame(index=pd.Index(own["case"], name="case"))
    scores = own[["case"]].assign(source="tumour_RAD", score=0.0)
    return material(tables(own, 0.0, seed, columns=60), scores, empty, own, HEADS, seed=0)


@pytest.mark.slow
def test_where_nothing_is_to_be_found_the_apparent_auc_is_all_optimism():
    """Noise: true AUC .5. What is apparent is far above, .632+ close to it, Harrell's between (it is too kind)."""
    rows = pd.concat([optimism(noise(seed), ["Tumor_RAD"], 12, seed, jobs=1) for seed in range(4)])
    mean = rows[rows["measure"] == "auc"][["apparent", "corrected", "plus_632", "left_out"]].mean()
    assert mean["apparent"] > 0.75
    assert abs(mean["plus_632"] - 0.5) < 0.12
    assert mean["plus_632"] < mean["corrected"] < mean["apparent"]


def test_resamples_that_cannot_be_fitted_are_counted():
    own, found, clinical, deep, _ = known(cases=26)
    small = material(found, deep, clinical, own, HEADS.model_copy(update={"lasso_folds": 6}), seed=0)
    table = optimism(small, ["Tumor_RAD+DL"], samples=6, seed=0, jobs=1).set_index("measure")
    assert 0 < table.loc["auc", "dropped"] <= 6
    assert table.loc["auc", "resamples"] + table.loc["auc", "dropped"] == 6
    assert table.loc["auc", "network_fixed"]


def test_a_training_set_that_cannot_be_fitted_stops():
    own, found, clinical, deep, _ = known(cases=26)
    with pytest.raises(HeadError):
        optimism(material(found, deep, clinical, own, HEADS.model_copy(update={"lasso_folds": 20}), 0),
                 ["Tumor_RAD"], 2, 0, 1)  # fmt: skip


@pytest.mark.slow
def test_workers_do_not_change_a_number():
    whole = known()[-1]
    one, two = (optimism(whole, ["Clinical"], 3, 0, jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two)
