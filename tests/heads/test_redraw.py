import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fusion.heads.interval import interval
from fusion.heads.plain import Predictor, Question, Regression
from fusion.heads.redraw import Learned, regressions, resamples


def problem(n: int, seed: int, patients: int | None = None) -> Learned:
    rng = np.random.default_rng(seed)
    table = rng.normal([5.0, -40.0], [2.0, 30.0], (n, 2))
    events = (rng.random(n) < expit(0.8 * (table[:, 0] - 5) - 0.02 * (table[:, 1] + 40) - 0.5)).astype(int)
    return Learned(table, events, rng.integers(patients or 10**9, size=n).astype(str))


@pytest.mark.parametrize("c", [0.1, 1.0, None])
def test_all_resamples_at_once_are_scikit_learns_one_by_one(c):
    learned = problem(120, 0)
    counts = resamples(learned, np.random.default_rng(1), 5)
    found = np.array(regressions(learned, counts, c, standardise=True))
    for row, own in zip(found, counts, strict=True):
        at = np.repeat(np.arange(120), own)
        model = LogisticRegression(C=np.inf if c is None else c, tol=1e-10, max_iter=10_000)
        theirs = make_pipeline(StandardScaler(), model).fit(learned.table[at], learned.events[at])
        odds = row[0] + learned.table @ row[1:]
        np.testing.assert_allclose(odds, theirs.decision_function(learned.table), atol=1e-3 if c is None else 1e-6)


def test_a_patient_is_drawn_whole_and_every_resample_has_both_classes():
    learned = problem(40, 2, patients=8)
    learned = Learned(learned.table, np.r_[1, 1, np.zeros(38, int)], learned.patients)
    counts = resamples(learned, np.random.default_rng(0), 100)
    for patient in np.unique(learned.patients):
        own = counts[:, learned.patients == patient]
        assert (own == own[:, :1]).all()
    assert all(len(np.unique(learned.events[own > 0])) == 2 for own in counts)


def asked(learned: Learned) -> Question:
    """A regression fitted on ``learned``, as one question."""
    scaler = StandardScaler().fit(learned.table)
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(scaler.transform(learned.table), learned.events)
    predictors = tuple(
        Predictor(name=name, source=None, mean=mean, scale=scale, coefficients=(weight,))
        for name, mean, scale, weight in zip("ab", scaler.mean_, scaler.scale_, model.coef_[0], strict=True)
    )
    fitted = Regression(intercepts=tuple(model.intercept_.tolist()), predictors=predictors)
    return Question(name="", classes=("no", "yes"), radiomics={}, networks=(), models={"Clinical": fitted})


def bounds(learned: Learned, case: dict[str, float], seed: int = 0) -> tuple[float, float]:
    counts = resamples(learned, np.random.default_rng(seed))
    found = interval(asked(learned), "Clinical", regressions(learned, counts, None, standardise=True), {}, case, {})
    assert found is not None
    return found


def test_the_interval_holds_the_point_and_narrows_with_more_patients():
    case = {"a": 6.0, "b": -20.0}
    widths = []
    for n in (60, 400, 2400):
        learned = problem(n, 3)
        low, high = bounds(learned, case)
        assert low < asked(learned).chances("Clinical", {}, case)["yes"] < high
        widths.append(high - low)
    assert widths[0] > 2 * widths[1] > 4 * widths[2]


def test_no_draws_no_interval():
    assert interval(asked(problem(50, 0)), "Clinical", (), {}, {"a": 5.0, "b": 0.0}, {}) is None


@pytest.mark.slow
def test_the_interval_covers_the_true_probability_as_often_as_it_says():
    case, true, inside = {"a": 6.0, "b": -20.0}, float(expit(0.8 - 0.4 - 0.5)), []
    for seed in range(300):
        low, high = bounds(problem(200, 100 + seed), case, seed)
        inside.append(low <= true <= high)
    assert 0.90 <= np.mean(inside) <= 0.98  # 95 % less the percentile bootstrap's bias; standard error .013
