"""A head in plain numbers says what scikit-learn's says, whatever it is made of."""

import time

import numpy as np
import pytest

from fusion.config.heads import Heads
from fusion.heads.logistic import log_odds, radiomics_head
from fusion.heads.plain import Head, Linear, MeanHead
from fusion.heads.to_plain import plain

CASES, FEATURES = 90, 24
NAMES = [f"f{n}" for n in range(FEATURES)]
SELECTORS = ({"kind": "lasso"}, {"kind": "lasso", "rule": "one_se"}, {"kind": "elastic_net"}, {"kind": "mrmr"},
             {"kind": "stability", "samples": 10}, {"kind": "top_k"}, {"kind": "top_k", "by": "mann_whitney"},
             {"kind": "all"})  # fmt: skip
LEARNERS = ({"kind": "logistic"}, {"kind": "elastic_net", "l1_ratio": 0.9},
            {"kind": "gradient_boosting", "trees": 30}, {"kind": "random_forest", "trees": 30})  # fmt: skip
AVERAGE = {"kind": "average", "of": [{"learner": LEARNERS[0]}, {"learner": LEARNERS[3]},
                                     {"scale": "quantile_normal", "selector": {"kind": "all"}}]}  # fmt: skip


def table(rows: int, seed: int, features: int = FEATURES) -> np.ndarray:
    """Wide ranges, a skewed, a flat, a rounded and a correlated column."""
    found = np.random.default_rng(seed).normal(size=(rows, features)) * np.geomspace(1e-3, 1e5, features)
    found[:, 3] = np.exp(found[:, 3] / np.geomspace(1e-3, 1e5, features)[3])
    found[:, 4], found[:, 5] = 7.0, found[:, 6] * 2
    found[:, 7] = np.round(found[:, 7] / np.geomspace(1e-3, 1e5, features)[7])
    return found


def events(values: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(9).normal(size=len(values))
    signal = values[:, 7] + values[:, 6] / values[:, 6].std() + values[:, 3] - np.median(values[:, 3])
    return (signal + noise > 0).astype(int)


def heads(**given: object) -> Heads:
    return Heads(**{"lasso_folds": 3, "top": 8, "c": 0.5, **given})  # type: ignore[arg-type]


def without_unfit(given: dict[str, object]) -> dict[str, object]:
    """What a learner or a selector leaves no choice of, as the config asks."""
    trees = getattr(given.get("learner"), "get", {}.get)("kind") in ("gradient_boosting", "random_forest")
    every = getattr(given.get("selector"), "get", {}.get)("kind") == "all"
    return given | ({"c": None} if trees else {}) | ({"top": None} if every else {})


def both(own: Heads, widths: tuple[int, ...] | None = None, empty: bool = False):
    """The fitted head, its numbers, and new rows: some like the fitted ones, some beyond, some of themselves."""
    values = table(CASES, 0)
    if empty:
        holes = np.random.default_rng(4).random(values.shape) < 0.1
        values = np.where(holes & (np.arange(FEATURES) != 7), np.nan, values)
    fitted = radiomics_head(own, 0, widths, fill=empty).fit(values, events(np.nan_to_num(values)))
    new = np.concatenate([table(60, 1), table(20, 2) * 4, values[:20], table(5, 3) * 0])
    if empty:
        new = np.where(np.random.default_rng(5).random(new.shape) < 0.2, np.nan, new)
    return fitted, plain(fitted, NAMES, values), new


def told(own: Head | MeanHead, rows: np.ndarray) -> np.ndarray:
    return np.array([own.log_odds(dict(zip(NAMES, row.tolist(), strict=True))) for row in rows])


def agrees(own: Heads, widths: tuple[int, ...] | None = None, empty: bool = False) -> None:
    fitted, found, new = both(own, widths, empty)
    again = type(found).model_validate_json(found.model_dump_json())
    expected = log_odds(fitted, np.where(np.isnan(new), np.nan, new))
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(told(again, new), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("preset", ["paper", "default", "robust"])
def test_every_preset(preset):
    agrees(Heads(preset=preset, lasso_folds=3))


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda own: own["kind"])
@pytest.mark.parametrize("scale", ["zscore", "quantile_normal"])
def test_every_learner(learner, scale):
    agrees(heads(**without_unfit({"learner": learner, "scale": scale})))


@pytest.mark.parametrize("selector", SELECTORS, ids=lambda own: "-".join(map(str, own.values())))
def test_every_selector(selector):
    agrees(heads(**without_unfit({"selector": selector, "correlation_of": "spearman"})))


@pytest.mark.parametrize("prefilter", ["anova", "mann_whitney"])
def test_every_prefilter(prefilter):
    agrees(heads(prefilter={"kind": prefilter, "keep": 12}))


@pytest.mark.parametrize("scale", ["zscore", "quantile_normal"])
@pytest.mark.parametrize("empty", [False, True], ids=["full", "empty"])
def test_a_selection_a_region_and_empty_cells(scale, empty):
    agrees(heads(regions="union", scale=scale), (10, FEATURES - 10), empty)
    agrees(heads(scale=scale), None, empty)


def test_an_average_of_regressions_and_trees():
    agrees(heads(learner=AVERAGE), empty=True)


def test_columns_without_weight_are_left_out():
    _, found, _ = both(heads(selector={"kind": "all"}, top=None, learner={"kind": "elastic_net", "l1_ratio": 0.9},
                             c=0.3))  # fmt: skip
    assert isinstance(found, Head)
    assert isinstance(found.learner, Linear)
    assert 0 < len(found.columns) < FEATURES - 2
    assert all(found.learner.coefficients)


@pytest.mark.parametrize("own", [heads(), heads(learner=AVERAGE)], ids=["one", "average"])
def test_contributions_of_regressions_count_from_the_mean_case(own):
    _, found, new = both(own)
    means = {column.name: column.mean for column in found.columns}
    row = dict(zip(NAMES, new[0].tolist(), strict=True))
    linear = [h for h in (found.heads if isinstance(found, MeanHead) else [found]) if isinstance(h.learner, Linear)]
    apart = np.mean([head.log_odds(row) - head.log_odds(row | means) for head in linear])
    assert sum(found.contributions(row).values()) == pytest.approx(apart, rel=1e-9)


def test_a_case_of_thousands_of_columns_is_scored_in_milliseconds():
    """Ridge on all columns, each with a quantile a case: the widest head there is."""
    features, cases = 3748, 80
    values = np.random.default_rng(0).normal(size=(cases, features))
    own = Heads(selector={"kind": "all"}, correlation=None, scale="quantile_normal", top=None, c=0.01)
    fitted = radiomics_head(own, 0).fit(values, (values[:, 0] > 0).astype(int))
    names = [f"f{n}" for n in range(features)]
    found = plain(fitted, names, values)
    row = dict(zip(names, values[0].tolist(), strict=True))
    assert found.log_odds(row) == pytest.approx(log_odds(fitted, values[:1])[0], rel=1e-9)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        found.log_odds(row)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.02
