"""A refit on everything is the run itself; what is left out has no part in a fit."""

import numpy as np
import pandas as pd
import pytest

from fusion.config.heads import Heads
from fusion.errors import HeadError
from fusion.heads.combine import predict, radiomics_scores
from fusion.heads.refit import fit_and_score, holds_network, material, out_of_fold
from tests.heads.test_combine import cohort, tables

HEADS = Heads(lasso_folds=3, top=5)
MODELS = ("Tumor_RAD", "Tumor+External2_RAD", "Tumor_RAD+DL", "Clinical", "Combined")


def known(cases: int = 80, shift: float = 1.0, seed: int = 0, columns: int = 30):
    own = cohort(cases, seed)
    own["patient"] = own["case"]
    found = tables(own, shift, seed, columns)
    rng = np.random.default_rng(seed + 1)
    clinical = pd.DataFrame({"age": rng.normal(size=cases)}, index=pd.Index(own["case"], name="case"))
    deep = own[["case", "set", "fold"]].assign(source="tumour_DL", score=own["event"] + rng.normal(size=cases))
    return own, found, clinical, deep, material(found, deep, clinical, own, HEADS, seed=0)


@pytest.fixture(scope="module")
def both():
    own, found, clinical, deep, whole = known()
    scores = radiomics_scores(found, own, HEADS, seed=0, jobs=1)
    assert not scores.inner.empty
    return whole, predict(pd.concat([scores.rows, deep]), clinical, own, MODELS, HEADS, scores.inner).rows


def of(rows: pd.DataFrame, model: str, set_: str) -> np.ndarray:
    return rows[(rows["model"] == model) & (rows["set"] == set_)]


def test_out_of_fold_of_everything_is_the_runs_own(both):
    whole, rows = both
    for model, probability in out_of_fold(MODELS, whole.train, whole).items():
        own = of(rows, model, "train_oof").set_index("case")["probability"]
        np.testing.assert_allclose(probability, own.loc[whole.cohort["case"][whole.train]], atol=1e-12)


def test_a_fit_on_everything_is_the_runs_final_model(both):
    whole, rows = both
    apart = np.flatnonzero(whole.cohort["set"] == "test")
    for model, probability in fit_and_score(MODELS, whole.train, apart, whole).items():
        own = of(rows, model, "test").set_index("case")["probability"]
        np.testing.assert_allclose(probability, own.loc[whole.cohort["case"][apart]], atol=1e-12)


def test_outcomes_of_cases_left_out_do_not_matter(both):
    whole, _ = both
    inside, outside = whole.train[:40], whole.train[40:]
    events = whole.events.copy()
    events[outside] = 1 - events[outside]
    first, second = (fit_and_score(MODELS, inside, outside, own) for own in (whole, whole.with_events(events)))
    for model in MODELS:
        np.testing.assert_array_equal(first[model], second[model])


def test_copies_of_a_case_count_as_often_as_they_are_drawn(both):
    whole, _ = both
    once, often = whole.train, np.concatenate([whole.train, np.repeat(whole.train[:3], 10)])
    first, second = (fit_and_score(("Clinical",), own, whole.train, whole)["Clinical"] for own in (once, often))
    assert np.abs(first - second).max() > 0.01


def test_one_class_cannot_be_fitted(both):
    whole, _ = both
    with pytest.raises(HeadError, match="cases of one class"):
        fit_and_score(("Clinical",), whole.train[whole.events[whole.train] == 1], whole.train, whole)


def test_a_network_is_named_where_it_enters(both):
    assert holds_network("Tumor_RAD+DL", both[0])
    assert not holds_network("Combined", both[0])
