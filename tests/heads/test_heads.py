"""Every choice of heads as it is fitted in the flow: scores, selection, what the other fold may not touch."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from fusion.config.heads import Heads
from fusion.heads.average import MeanLogOdds
from fusion.heads.coefficients import coefficients
from fusion.heads.combine import radiomics_scores
from fusion.heads.logistic import log_odds, radiomics_head
from fusion.heads.odds import CLIP
from fusion.heads.scale import QuantileNormal
from tests.heads.test_combine import cohort, tables

NAMES = [f"f{n}" for n in range(30)]
CHOICES = {
    "paper": {"preset": "paper"},
    "robust": {"preset": "robust"},
    "one_se": {"selector": {"kind": "lasso", "rule": "one_se"}},
    "elastic net": {"selector": {"kind": "elastic_net"}, "learner": {"kind": "elastic_net"}, "c": 1.0},
    "mrmr": {"selector": {"kind": "mrmr"}, "correlation_of": "spearman"},
    "stability": {"selector": {"kind": "stability", "samples": 10}},
    "mann_whitney": {"prefilter": {"kind": "mann_whitney", "keep": 9}, "selector": {"kind": "top_k"}, "top": 4},
    "boosting": {"selector": {"kind": "all"}, "learner": {"kind": "gradient_boosting"}},
    "forest": {"selector": {"kind": "all"}, "learner": {"kind": "random_forest", "trees": 30}},
    "trees": {"learner": {"kind": "average", "of": [
        {"learner": {"kind": "gradient_boosting"}}, {"learner": {"kind": "random_forest", "trees": 30}}]}},
}  # fmt: skip


def some(cases: int = 120) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(cases, 30))
    event = (table[:, 3] - table[:, 8] + 0.7 * rng.normal(size=cases) > 0.3).astype(int)
    table[:, 11] = 4.0
    return np.exp(table), event


def head(**given):
    return radiomics_head(Heads(lasso_folds=3, **given), 0)


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_finds_the_signal_and_names_it(name):
    table, event = some()
    fitted = clone(head(**CHOICES[name])).fit(table[:90], event[:90])
    odds = log_odds(fitted, table[90:])
    assert np.isfinite(odds).all()
    assert roc_auc_score(event[90:], odds) > 0.75
    kept = coefficients(fitted, NAMES)
    assert {"f3", "f8"} <= set(kept["feature"].head(3))
    assert "f11" not in set(kept["feature"])
    assert kept["rank"].tolist() == list(range(1, len(kept) + 1))


@pytest.mark.parametrize("name", CHOICES)
def test_the_same_seed_gives_the_same_numbers(name):
    table, event = some()
    first, again = (log_odds(head(**CHOICES[name]).fit(table, event), table) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_votes_of_none_and_all_have_finite_odds():
    table, event = some()
    odds = log_odds(head(**CHOICES["forest"]).fit(table, event), table)
    assert np.abs(odds).max() <= np.log((1 - CLIP) / CLIP) + 1e-9


def test_an_average_is_the_mean_of_its_members_log_odds():
    table, event = some()
    fitted = head(preset="robust").fit(table, event)
    assert isinstance(fitted, MeanLogOdds)
    members = [log_odds(own, table) for own in fitted.heads_]
    np.testing.assert_allclose(log_odds(fitted, table), np.mean(members, axis=0))
    np.testing.assert_allclose(fitted.predict_proba(table)[:, 1], 1 / (1 + np.exp(-np.mean(members, axis=0))))


def test_an_averages_coefficients_are_the_mean_over_its_regressions():
    table, event = some()
    given = {"kind": "average", "of": [{}, {"selector": {"kind": "all"}}, {"learner": {"kind": "random_forest"}}]}
    fitted = head(learner=given).fit(table, event)
    one, two, _ = (coefficients(own, NAMES).set_index("feature")["coefficient"] for own in fitted.heads_)
    mean = (one.reindex(NAMES, fill_value=0) + two.reindex(NAMES, fill_value=0)) / 2
    found = coefficients(fitted, NAMES).set_index("feature")["coefficient"]
    np.testing.assert_allclose(found, mean[found.index])


def test_without_a_penalty_separated_classes_end_without_a_warning():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(40, 6))
    event = (table[:, 0] > 0).astype(int)
    assert roc_auc_score(event, log_odds(head(preset="paper").fit(table, event), table)) == 1


def test_ranks_on_the_normal_curve_ignore_how_values_are_spread():
    table, _ = some()
    fitted = QuantileNormal().fit(table)
    np.testing.assert_allclose(fitted.transform(table), QuantileNormal().fit_transform(np.log(table)), atol=1e-6)
    assert fitted.transform(table * 1e6).max() < 5.3


def test_union_selects_in_each_region_and_joint_in_both():
    own = cohort(120, 0)
    features = tables(own, 1.0, columns=8)
    kept = {}
    for regions in ("joint", "union"):
        given = Heads(lasso_folds=3, top=2, regions=regions)
        chosen = radiomics_scores(features, own, given, 0, jobs=1).selection
        kept[regions] = chosen.query("model == 'Tumor+External2_RAD' and fold == 'final'")["feature"]
    assert len(kept["joint"]) == 2
    assert kept["union"].str.partition(":")[0].value_counts().to_dict() == {"tumour": 2, "external2": 2}


def test_workers_do_not_change_a_number_of_any_choice():
    own, stable = cohort(60, 1), {"selector": {"kind": "stability", "samples": 10}}
    forest = {"selector": {"kind": "mrmr"}, "learner": {"kind": "random_forest", "trees": 10}}
    given, features = Heads(learner={"kind": "average", "of": [stable, forest]}, top=3), tables(own, 1.0, columns=8)
    one, two = (radiomics_scores(features, own, given, 0, jobs=jobs) for jobs in (1, 2))
    pd.testing.assert_frame_equal(one.rows, two.rows)
    pd.testing.assert_frame_equal(one.selection, two.selection)


def test_the_final_heads_lasso_is_told():
    own = cohort(120, 0)
    found = radiomics_scores(tables(own, 1.0), own, Heads(lasso_folds=3, top=5), 0, jobs=1)
    assert found.errors.groupby("model")["chosen"].sum().to_dict() == {
        "Tumor_RAD": 1, "External2_RAD": 1, "Tumor+External2_RAD": 1,
    }  # fmt: skip
    taken = found.errors[found.errors["chosen"]].set_index("model")["penalty"]
    path = found.path[found.path["model"] == "Tumor_RAD"]
    at = path[path["penalty"] == taken["Tumor_RAD"]].set_index("feature")["coefficient"]
    final = found.selection.query("model == 'Tumor_RAD' and fold == 'final'")["feature"]
    assert set(at.abs().nlargest(len(final)).index) == set(final)


def test_a_head_without_lasso_tells_no_path():
    own = cohort(60, 0)
    found = radiomics_scores(tables(own, 1.0), own, Heads(selector={"kind": "mrmr"}), 0, jobs=1)
    assert found.errors.empty
    assert found.path.empty
