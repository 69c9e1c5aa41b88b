"""Final heads fitted again in plain numbers judge new cases as the run did."""

import numpy as np
import pandas as pd
import pytest

from fusion.config.heads import Heads
from fusion.errors import HeadError
from fusion.heads import final, interval, redraw
from fusion.heads.combine import SOURCES, predict, radiomics_scores
from fusion.heads.plain import Calibrated, Question, Regression
from fusion.heads.task_radiomics import RAD
from fusion.heads.training import Training
from tests.heads.test_combine import HEADS, cohort, tables
from tests.heads.test_task import MODELS, THREE, TWO, VIEWS, age, deep, features, task, task_cases

NAMES = ("benign", "malignant")


def with_networks(own: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of made-up networks beside those of radiomics."""
    rng, made = np.random.default_rng(5), [scores]
    for source in ("tumour_DL", "external2_DL", "tumour+external2_DL"):
        made.append(own[["case", "set", "fold"]].assign(source=source, score=rng.normal(own["event"] * 2 - 1, 1)))
    return pd.concat(made, ignore_index=True)


def halved(rows: pd.DataFrame) -> pd.DataFrame:
    """Two folds, so that no head is fitted to judge a fold twice, which final heads do not read."""
    return rows.assign(patient=rows["case"], fold=np.where(rows["fold"] < 0, -1, rows["fold"] % 2))


def of_regions(heads: Heads) -> tuple[Training, pd.DataFrame]:
    """What the final heads of tumour and ring learn from, and the run's predictions."""
    own = halved(cohort(60, 0))
    measured = tables(own, 1.0, columns=8)
    clinical = pd.DataFrame({"age": np.random.default_rng(1).normal(60, 9, 60)}, index=pd.Index(own["case"]))
    radiomics = radiomics_scores(measured, own, heads, 0, 1)
    scores = with_networks(own, radiomics.rows)
    found = predict(scores, clinical, own, tuple(SOURCES), heads)
    return Training.of_regions(measured, scores, clinical, own, heads, 0, NAMES), found.rows


def of_task(classes: tuple[str, ...], heads: Heads) -> tuple[Training, pd.DataFrame]:
    """As ``of_regions``, of a task in which some cases lack a sequence."""
    rows = halved(task_cases(len(classes)))
    measured, networks = features(rows, 1.5), deep(rows, classes, 1.5)
    radiomics, found = task(classes, rows, measured, networks, heads)
    scores = pd.concat([radiomics.rows, networks], ignore_index=True)
    shuffled = rows.sample(frac=1, random_state=3)
    clinical = age(rows.sort_values("case"))
    known = Training.of_task(measured, scores, clinical, shuffled, heads, 0, classes, VIEWS)
    return known, found.rows.assign(model="T/" + found.rows["model"])


@pytest.fixture(scope="module")
def regions() -> tuple[Training, pd.DataFrame]:
    return of_regions(HEADS)


@pytest.fixture(scope="module")
def three() -> tuple[Training, pd.DataFrame]:
    return of_task(THREE, HEADS)


def again(known: Training, models: tuple[str, ...], name: str = "") -> Question:
    """The question as a file brings it back."""
    return Question.model_validate_json(final.question(known, models, name).model_dump_json())


def test_the_models_of_tumour_and_ring(regions):
    known, predictions = regions
    own = again(known, tuple(SOURCES))
    assert list(own.models) == list(SOURCES)
    assert final.agree(own, known, predictions) == []


@pytest.mark.parametrize(
    "more", [{"preset": "robust"}, {"preset": "paper", "calibration": "none", "regions": "union"},
             {"calibration": "platt", "learner": {"kind": "random_forest", "trees": 10}, "c": None}]
)  # fmt: skip
def test_other_heads(more):
    known, predictions = of_regions(Heads(**{"lasso_folds": 3, "top": 5, **more}))
    assert final.agree(again(known, tuple(SOURCES)), known, predictions) == []


@pytest.mark.parametrize("heads", [HEADS, Heads(lasso_folds=2, top=4, calibration="platt", regions="union")])
def test_two_classes_of_a_task(heads):
    known, predictions = of_task(TWO, heads)
    assert final.agree(again(known, MODELS, "T"), known, predictions) == []


def test_three_classes_of_a_task(three):
    known, predictions = three
    own = again(known, MODELS, "T")
    assert final.agree(own, known, predictions) == []
    assert len(own.radiomics[RAD]) == 3
    assert len(own.models["Combined"].intercepts) == 3


def test_a_model_that_says_something_else_is_named(regions, three):
    for (known, predictions), name in ((regions, ""), (three, "T")):
        own = final.question(known, ("Clinical", "Combined"), name)
        regression = own.models["Combined"]
        assert isinstance(regression, Regression)
        moved = tuple(value + 1e-6 * n for n, value in enumerate(regression.intercepts, 1))
        wrong = own.model_copy(update={"models": own.models | {
            "Combined": regression.model_copy(update={"intercepts": moved})
        }})  # fmt: skip
        (fault,) = final.agree(wrong, known, predictions)
        assert "Combined" in fault.found
        assert not any(case in str(fault) for case in predictions["case"])


def test_training_cases_are_judged_by_other_heads_and_not_compared(regions):
    known, predictions = regions
    train = predictions[predictions["set"] == "train_oof"].assign(probability=0.5)
    assert final.agree(final.question(known, ("Combined",)), known, train) == []


def test_only_what_the_models_read_is_there(regions):
    own = final.question(regions[0], ("Tumor_RAD", "Tumor+External2_DL", "Clinical"))
    assert list(own.radiomics) == ["tumour_RAD"]
    assert own.networks == ("tumour+external2_DL",)
    assert isinstance(own.models["Tumor+External2_DL"], Calibrated)


def test_heads_that_need_more_than_a_case_are_refused_by_name(regions):
    known = regions[0]
    heads = Heads(stacking="nested_vector", harmonise={"kind": "combat"})
    told = Training.of_regions(tables(known.rows, 1.0), known.scores, known.clinical, known.rows, heads, 0, NAMES)
    with pytest.raises(HeadError) as error:
        final.question(told, ("Combined",))
    assert [fault.found[:15] for fault in error.value.faults] == ["heads.stacking=", "heads.harmonise"]


@pytest.mark.parametrize("model", ["Tumor_RAD", "Tumor_DL", "Tumor_RAD+DL", "Clinical", "Combined"])
def test_a_last_regression_drawn_with_every_patient_once_is_the_models_own(regions, monkeypatch, model):
    known, predictions = regions
    monkeypatch.setattr(redraw, "resamples", lambda learned, *_: np.ones((2, len(learned.events)), dtype=int))
    own = final.question(known, (model,))
    drawn = redraw.draws(own, model, known, np.random.default_rng(0))
    rows = predictions[(predictions["model"] == model) & (predictions["set"] == "test")]
    for case, probability in zip(rows["case"], rows["probability"], strict=True):
        scores = known.known(case, own.reads(model)[0])
        row = known.radiomics["tumour_RAD"].loc[case].to_dict()
        found = interval.interval(own, model, drawn, scores, known.clinical.loc[case].to_dict(), row)
        assert found == pytest.approx((probability, probability), abs=1e-3)  # scikit-learn stops earlier


def test_draws_are_those_of_their_generator(regions):
    known, _ = regions
    own = final.question(known, ("Combined", "Tumor_DL"))
    for model, numbers in (("Combined", 4), ("Tumor_DL", 2)):
        one, same, other = (redraw.draws(own, model, known, np.random.default_rng(n), 9) for n in (0, 0, 1))
        assert np.array(one).shape == (9, numbers)
        assert one == same != other


def test_several_classes_have_no_draws(three):
    known, _ = three
    own = final.question(known, ("T2-w", "Combined"), "T")
    assert all(redraw.draws(own, model, known, np.random.default_rng(0)) == () for model in own.models)
