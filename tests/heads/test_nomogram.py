import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from fusion.config import Run, parse
from fusion.errors import HeadError
from fusion.features.clinical import encode
from fusion.heads.combine import predict
from fusion.heads.nomogram import of_run, values
from fusion.heads.points import Choice, Nomogram, Scale, round_range

CONFIG = """
name: nomogram
cohort:
  table: cohort.csv
  clinical:
    age: {kind: number}
    margin: {kind: category, values: [clear, unclear]}
    site: {kind: category, values: [deep, superficial, both]}
    grade: {kind: category, values: [1, 2]}
"""
SOURCES = ("tumour+external2_RAD", "tumour+external2_DL")


def cohort(cases: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    event = rng.permutation(np.arange(cases) % 3 == 0).astype(int)
    set_ = np.where(np.arange(cases) % 4 < 2, "train", np.where(np.arange(cases) % 4 == 2, "test", "external"))
    return pd.DataFrame(
        {"case": [f"c{n}" for n in range(cases)], "set": set_, "event": event,
         "fold": np.where(set_ == "train", np.arange(cases) // 4 % 5, -1),
         "age": np.round(rng.normal(55, 13, cases) - 5 * event),
         "margin": np.where(rng.random(cases) < 0.2 + 0.4 * event, "unclear", "clear"),
         "site": rng.choice(["deep", "superficial", "both"], cases),
         "grade": np.where(rng.random(cases) < 0.3 + 0.2 * event, "2", "1")}
    )  # fmt: skip


def scores(own: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    tables = [
        own[["case", "set", "fold"]].assign(source=source, score=rng.normal(-1, 1.2, len(own)) + 1.5 * own["event"])
        for source in SOURCES
    ]
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def run() -> Run:
    return parse(CONFIG)


@pytest.fixture(scope="module", params=["Combined", "Clinical"])
def made(request, run) -> tuple[Nomogram, pd.DataFrame, pd.DataFrame]:
    own = cohort()
    return of_run(request.param, scores(own), own, run), values(scores(own), own), own


def predicted(model: str, own: pd.DataFrame, run: Run) -> pd.DataFrame:
    encoded = encode(own.set_index("case"), run.cohort.clinical, run.predictors)
    return predict(scores(own), encoded, own, (model,), run.heads).rows.set_index("case")


def test_points_give_the_models_own_probability_in_test_and_external_cases(made, run):
    nomogram, rows, own = made
    expected = predicted(nomogram.model, own, run).query("set != 'train_oof'")
    found = pd.Series(nomogram.probability(nomogram.totals(rows)), rows.index)[expected.index]
    assert {"test", "external"} == set(expected["set"])
    np.testing.assert_allclose(found, expected["probability"], rtol=0, atol=1e-12)


def test_values_beyond_the_drawn_ranges_go_on_along_the_line(made, run):
    nomogram, _, own = made
    far = own.assign(age=np.where(own["set"] == "test", own["age"] + 300, own["age"]))
    rows = values(scores(own), far)
    expected = predicted(nomogram.model, far, run).query("set == 'test'")
    found = pd.Series(nomogram.probability(nomogram.totals(rows)), rows.index)[expected.index]
    np.testing.assert_allclose(found, expected["probability"], rtol=1e-9)
    assert nomogram.outside(rows)[(own["set"] == "test").to_numpy()].all()


def test_the_heaviest_predictor_spans_a_hundred_points_and_comes_first(made):
    nomogram, _, _ = made
    most = [predictor.most for predictor in nomogram.predictors]
    assert most[0] == pytest.approx(100)
    assert most == sorted(most, reverse=True)


def test_no_training_case_has_negative_points_or_lies_outside(made):
    nomogram, rows, own = made
    training = rows[(own["set"] == "train").to_numpy()]
    assert not nomogram.outside(training).any()
    for predictor in nomogram.predictors:
        assert (predictor.points(training[predictor.name]) >= -1e-9).all()
        assert (predictor.points(training[predictor.name]) <= predictor.most + 1e-9).all()


def test_a_category_is_one_row_with_its_reference_and_a_number_may_fall(made):
    nomogram, _, _ = made
    named = {predictor.name: predictor for predictor in nomogram.predictors}
    site, age = named["site"], named["age"]
    assert isinstance(site, Choice)
    assert list(site.levels) == ["deep", "superficial", "both"]
    assert min(site.levels.values()) == 0
    assert isinstance(age, Scale)
    assert age.slope < 0
    assert age.zero == age.high


def test_the_equation_is_the_same_model(made, run):
    nomogram, rows, own = made
    encoded = encode(own.set_index("case"), run.cohort.clinical, run.predictors).join(rows[list(SOURCES)])
    terms = {name: weight for name, weight in nomogram.equation.items() if name != "intercept"}
    odds = nomogram.equation["intercept"] + encoded[list(terms)].to_numpy() @ np.array(list(terms.values()))
    np.testing.assert_allclose(expit(odds), nomogram.probability(nomogram.totals(rows)), rtol=1e-9)


def test_total_undoes_probability(made):
    nomogram, _, _ = made
    for chance in (0.01, 0.3, 0.99):
        assert nomogram.probability(np.array([nomogram.total(chance)]))[0] == pytest.approx(chance)


def test_a_fit_does_not_see_the_outcomes_of_other_sets(made, run):
    nomogram, _, own = made
    other = own.assign(event=np.where(own["set"] == "train", own["event"], 1 - own["event"]))
    assert of_run(nomogram.model, scores(own), other, run).equation == nomogram.equation


def test_predictors_that_say_nothing_are_told(run):
    own = cohort().assign(age=50.0, margin="clear", site="deep", grade="1")
    with pytest.raises(HeadError, match="a predictor that moves the probability"):
        of_run("Clinical", scores(own), own, run)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(18.0, 92.0, (10, 100, 10)), (0.3, 0.7, (0.3, 0.7, 0.05)), (5.0, 5.0, (5, 5.2, 0.2)), (-3.41, 2.2, (-4, 3, 1))],
)
def test_ranges_are_widened_to_round_numbers(low, high, expected):
    assert round_range(low, high) == expected


def test_regressions_without_penalty_have_their_nomogram_too(run):
    own, paper = cohort(), parse(CONFIG, ["heads.preset=paper"])
    assert paper.heads.fusion_c is None
    made = of_run("Combined", scores(own), own, paper)
    expected = predicted("Combined", own, paper).query("set == 'test'")
    found = pd.Series(made.probability(made.totals(values(scores(own), own))), own["case"])[expected.index]
    np.testing.assert_allclose(found, expected["probability"], rtol=0, atol=1e-9)
    assert made.equation != of_run("Combined", scores(own), own, run).equation
