import time

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from fusion.errors import HeadError
from fusion.heads.bench import TableHead, make, make_paper, make_robust

MAKERS = [make, make_paper, make_robust]


def table(cases: int = 80, features: int = 30, events: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    event = rng.permutation(np.arange(cases) < events).astype(int)
    values = rng.normal(size=(cases, features))
    values[:, :2] += event[:, None] * 1.5
    values[:, 5] = 7.0
    return values, event


@pytest.mark.parametrize("maker", MAKERS)
def test_it_learns_and_speaks_in_probabilities(maker):
    values, event = table(200)
    head = maker(0).fit(values[:150], event[:150])
    found = head.predict_proba(values[150:])
    assert roc_auc_score(event[150:], found[:, 1]) > 0.8
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert head.classes_.tolist() == [0, 1]
    assert head.n_features_in_ == 30


@pytest.mark.parametrize("maker", MAKERS)
def test_the_same_seed_gives_the_same_numbers_and_a_clone_too(maker):
    values, event = table()
    first, again = (head.fit(values, event).predict_proba(values) for head in (maker(3), clone(maker(3))))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("as_given", [lambda y: y.astype(bool), lambda y: y.astype(float), lambda y: y + 1,
                                      lambda y: np.array(["benign", "malignant"])[y]])  # fmt: skip
def test_outcomes_of_any_kind(as_given):
    values, event = table()
    given = as_given(event)
    head = make(0).fit(values.astype(np.float32), given)
    plain = make(0).fit(values.astype(np.float32), event)
    np.testing.assert_array_equal(head.predict_proba(values), plain.predict_proba(values))
    assert set(head.predict(values)) <= set(given)


@pytest.mark.parametrize("events", [2, 4, 9])
@pytest.mark.parametrize("maker", MAKERS)
def test_a_small_class_lowers_the_folds(maker, events):
    values, event = table(60, events=events)
    assert np.isfinite(maker(0).fit(values, event).predict_proba(values)).all()


@pytest.mark.parametrize(("events", "found"), [(0, "1 classes of 80 cases"), (1, "2 classes of 79, 1 cases")])
def test_a_class_that_cannot_be_learned_is_a_message(events, found):
    values, event = table(events=events)
    with pytest.raises(HeadError, match=found):
        make(0).fit(values, event)


def test_the_presets_differ():
    values, event = table()
    found = [maker(0).fit(values, event).predict_proba(values)[:, 1] for maker in MAKERS]
    assert len({round(float(one[0]), 6) for one in found}) == 3


def test_settings_are_parameters():
    assert make_robust(4).get_params() == {"preset": "robust", "seed": 4}
    assert isinstance(make(0).set_params(preset="paper"), TableHead)


@pytest.mark.slow
def test_a_fit_takes_a_second_and_a_half_at_most():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 60)) @ rng.normal(size=(60, 1300)) / 8 + 0.6 * rng.normal(size=(200, 1300))
    event = (values[:, 0] + rng.normal(size=200) > 0.8).astype(int)
    with threadpool_limits(1):
        start = time.process_time()
        make(0).fit(values, event)
        assert time.process_time() - start < 1.5
