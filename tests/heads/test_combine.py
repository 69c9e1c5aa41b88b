import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fusion.config.heads import Heads
from fusion.config.run import MODELS
from fusion.heads.combine import SOURCES, predict, radiomics_scores

HEADS = Heads(lasso_folds=3, top=5)
RADIOMICS = ("Tumor_RAD", "External2_RAD", "Tumor+External2_RAD")


def cohort(cases: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    event = rng.permutation(np.arange(cases) % 2)
    fold = np.where(np.arange(cases) < cases * 0.7, np.arange(cases) % 4, -1)
    sets = np.where(fold >= 0, "train", "test")
    return pd.DataFrame({"case": [f"c{n}" for n in range(cases)], "set": sets, "fold": fold, "event": event})


def tables(own: pd.DataFrame, shift: float, seed: int = 0, columns: int = 40) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    index = pd.Index(own["case"], name="case")
    return {
        region: pd.DataFrame(rng.normal(size=(len(own), columns)), index, [f"f{n}" for n in range(columns)]).add(
            np.outer(own["event"], np.arange(columns) < 2) * shift
        )
        for region in ("tumour", "external2")
    }


def aucs(rows: pd.DataFrame, set_: str) -> pd.Series:
    part = rows[rows["set"] == set_]
    return part.groupby("model")[["event", "probability"]].apply(lambda g: roc_auc_score(g["event"], g["probability"]))


@pytest.fixture(scope="module")
def fitted():
    own = cohort(120, 0)
    scores = radiomics_scores(tables(own, 1.0), own, HEADS, seed=0, jobs=1)
    clinical = pd.DataFrame({"age": np.random.default_rng(1).normal(size=120)}, index=pd.Index(own["case"]))
    models = (*RADIOMICS, "Clinical", "Combined")
    return own, scores, predict(scores.rows, clinical, own, models, HEADS, scores.inner)


def test_the_model_list_is_the_papers():
    assert tuple(SOURCES) == MODELS


def test_every_model_scores_every_case_once(fitted):
    own, _, found = fitted
    assert (found.rows.groupby("model")["case"].nunique() == len(own)).all()
    assert not found.rows.duplicated(["model", "case"]).any()


def test_signal_is_found_out_of_fold_and_in_the_test_set(fitted):
    for part in ("train_oof", "test"):
        assert aucs(fitted[2].rows, part)[["Tumor_RAD", "Combined"]].min() > 0.75


def test_a_training_case_is_scored_without_its_own_outcome(fitted):
    own, scores, _ = fitted
    flipped = own.copy()
    flipped.loc[0, "event"] = 1 - flipped.loc[0, "event"]
    again = radiomics_scores(tables(own, 1.0), flipped, HEADS, seed=0, jobs=1)
    same = scores.rows["case"] == "c0"
    np.testing.assert_array_equal(scores.rows["score"][same], again.rows["score"][same])


def test_test_cases_do_not_touch_the_training_scores(fitted):
    own, scores, _ = fitted
    changed = tables(own, 1.0)
    for table in changed.values():
        table.loc[own["case"][own["set"] == "test"]] *= 100
    again = radiomics_scores(changed, own, HEADS, seed=0, jobs=1)
    train = scores.rows["set"] == "train"
    np.testing.assert_array_equal(scores.rows["score"][train], again.rows["score"][train])


def test_workers_do_not_change_a_number(fitted):
    own, scores, _ = fitted
    pd.testing.assert_frame_equal(scores.rows, radiomics_scores(tables(own, 1.0), own, HEADS, 0, jobs=2).rows)


def test_the_selection_names_regions_and_folds(fitted):
    _, scores, found = fitted
    joint = scores.selection.query("model == 'Tumor+External2_RAD' and fold == 'final'")
    assert joint["feature"].str.match(r"(tumour|external2):f\d+").all()
    assert set(scores.selection["fold"]) == {"0", "1", "2", "3", "final"}
    assert "age" in set(found.selection.query("model == 'Combined'")["feature"])


def test_noise_scores_chance():
    means = []
    for seed in range(6):
        own = cohort(100, seed)
        scores = radiomics_scores(tables(own, 0.0, seed, 200), own, HEADS, seed, jobs=1)
        means.append(
            aucs(predict(scores.rows, pd.DataFrame(index=own["case"]), own, RADIOMICS, HEADS).rows, "train_oof")
        )
    assert 0.4 < float(np.mean(means)) < 0.6


def test_a_folds_outcomes_have_no_part_in_its_predictions(fitted):
    """Not even through the scores of other folds, which plain out-of-fold scores would let in."""
    own, scores, found = fitted
    flipped = own.assign(event=np.where(own["fold"] == 0, 1 - own["event"], own["event"]))
    again = radiomics_scores(tables(own, 1.0), flipped, HEADS, seed=0, jobs=1)
    clinical = pd.DataFrame({"age": np.random.default_rng(1).normal(size=120)}, index=pd.Index(own["case"]))
    for inner, same in ((again.inner, True), (None, False)):
        rows = predict(again.rows, clinical, flipped, ("Combined",), HEADS, inner).rows
        plain = found.rows if inner is not None else predict(scores.rows, clinical, own, ("Combined",), HEADS).rows
        before, after = (
            table[(table["model"] == "Combined") & (table["fold"] == 0) & (table["set"] == "train_oof")]["probability"]
            for table in (plain, rows)
        )
        assert np.allclose(before, after, atol=1e-12) is same


def test_inner_scores_come_from_heads_that_saw_neither_fold(fitted):
    own, scores, _ = fitted
    inner = scores.inner
    assert (inner["fold"] != inner["without"]).all()
    train = int((own["set"] == "train").sum())
    assert len(inner) == 3 * train * 3  # of three sources every training case, for each of the other three folds


def test_folds_too_small_for_inner_scores_have_none():
    own = cohort(60, 0)
    halves = own.assign(fold=np.where(own["fold"] >= 0, own["fold"] % 2, -1))
    assert radiomics_scores(tables(halves, 1.0), halves, HEADS, seed=0, jobs=1).inner.empty


def test_only_scores_that_a_regression_reads_are_made_twice():
    own = cohort(60, 0)
    found = radiomics_scores(
        tables(own, 1.0), own, HEADS, 0, 1, models=("Tumor_RAD", "Tumor+External2_RAD", "Combined")
    )
    assert set(found.inner["source"]) == {"tumour+external2_RAD"}


@pytest.mark.slow
def test_a_stacked_model_of_noise_scores_chance_out_of_fold():
    areas = []
    for seed in range(60):
        own = cohort(86, seed)
        scores = radiomics_scores(tables(own, 0.0, seed, 10), own, Heads(lasso_folds=2, top=5), seed, jobs=1)
        age = pd.DataFrame({"age": np.random.default_rng(seed).normal(size=86)}, index=pd.Index(own["case"]))
        rows = predict(scores.rows, age, own, ("Combined",), HEADS, scores.inner).rows
        folds = rows[rows["set"] == "train_oof"].groupby("fold")
        areas.append(np.mean([roc_auc_score(own["event"], own["probability"]) for _, own in folds]))
    assert abs(np.mean(areas) - 0.5) < 3 * np.std(areas, ddof=1) / np.sqrt(60)
