"""Models of a task, of two and of more classes: the same numbers as for an event, and no fold in its own judgement."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from fusion.config.heads import Heads
from fusion.errors import HeadError
from fusion.heads.classes import centred, long
from fusion.heads.combine import predict, radiomics_scores
from fusion.heads.task import predict_task
from fusion.heads.task_enough import too_few
from fusion.heads.task_radiomics import rad_scores

HEADS = Heads(lasso_folds=2, top=4)
THREE, TWO = ("MEC", "PA", "Warthin"), ("benign", "malignant")
VIEWS = {"T2-w": (0,), "ADC": (1,), "fused": (0, 1)}
MODELS = (*VIEWS, "RAD", "RAD+DL", "Clinical", "Combined")


def task_cases(classes: int, cases: int = 90, seed: int = 0) -> pd.DataFrame:
    """Three folds and a test set, each with all classes."""
    label = np.random.default_rng(seed).permutation(np.arange(cases) % classes)
    rows = pd.DataFrame({"case": [f"c{n:03}" for n in range(cases)], "label": label})
    fold = rows.groupby("label").cumcount() % 4
    return rows.assign(set=np.where(fold < 3, "train", "test"), fold=fold.where(fold < 3, -1))


def lacking(rows: pd.DataFrame) -> pd.Series:
    """Cases without ADC."""
    return rows["case"].str.endswith("7")


def features(rows: pd.DataFrame, shift: float, seed: int = 0, columns: int = 6) -> dict[str, pd.DataFrame]:
    """A column a class that is larger in it, and noise; some cases lack ADC."""
    rng, index = np.random.default_rng(seed), pd.Index(rows["case"], name="case")
    names = [f"f{n}" for n in range(columns)]
    signal = shift * np.eye(columns)[rows["label"]]
    t2, adc = (pd.DataFrame(rng.normal(size=signal.shape) + signal, index, names) for _ in range(2))
    return {"T2-w": t2, "ADC": adc[~lacking(rows).to_numpy()]}


def deep(rows: pd.DataFrame, classes: tuple[str, ...], shift: float, seed: int = 1) -> pd.DataFrame:
    """Scores of made-up networks; some cases lack ADC."""
    rng, parts = np.random.default_rng(seed), []
    for view in VIEWS:
        own = rows[~lacking(rows)] if view == "ADC" else rows
        own = own[["case", "set", "fold"]].assign(source=view).reset_index(drop=True)
        label = rows["label"][rows["case"].isin(own["case"])].to_numpy()
        scores = centred(rng.normal(size=(len(own), len(classes))) + shift * np.eye(len(classes))[label])
        two = len(classes) == 2
        parts.append(long(own, 2 * scores[:, 1:] if two else scores, classes[1:] if two else classes))
    return pd.concat(parts, ignore_index=True)


def age(rows: pd.DataFrame) -> pd.DataFrame:
    values = np.random.default_rng(2).normal(size=len(rows))
    return pd.DataFrame({"age": values}, index=pd.Index(rows["case"], name="case"))


def task(
    classes: tuple[str, ...], rows: pd.DataFrame, tables, networks: pd.DataFrame, heads: Heads = HEADS, jobs: int = 1
):
    radiomics = rad_scores(tables, rows, classes, heads, 0, jobs)
    scores = pd.concat([radiomics.rows, networks], ignore_index=True)
    return radiomics, predict_task(scores, age(rows.sort_values("case")), rows, MODELS, VIEWS, classes, heads,
                                   radiomics.inner)  # fmt: skip


def made(classes: tuple[str, ...], heads: Heads = HEADS):
    rows = task_cases(len(classes))
    return rows, *task(classes, rows, features(rows, 1.5), deep(rows, classes, 1.5), heads)


@pytest.fixture(scope="module", params=[TWO, THREE], ids=["two", "three"])
def own(request):
    return request.param, *made(request.param)


@pytest.fixture(scope="module")
def three():
    return made(THREE)


def probabilities(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    return rows[rows["model"] == model].set_index("case").filter(like="probability_")


def test_every_model_judges_the_cases_that_have_what_it_reads(own):
    _, rows, _, found = own
    assert not found.rows.duplicated(["model", "case"]).any()
    counts = found.rows.groupby("model").size()
    assert counts.to_dict() == {model: len(rows) - (lacking(rows).sum() if model == "ADC" else 0) for model in MODELS}


def test_probabilities_sum_to_one_and_are_named_by_class(own):
    classes, _, _, found = own
    table = found.rows[[f"probability_{name}" for name in classes]]
    np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-12)


def test_signal_is_found_out_of_fold_and_in_the_test_set(own):
    classes, _, _, found = own
    for model in ("fused", "RAD", "RAD+DL", "Combined"):
        for part in ("train_oof", "test"):
            rows = found.rows[(found.rows["model"] == model) & (found.rows["set"] == part)]
            chosen = rows.filter(like="probability_").to_numpy().argmax(axis=1)
            assert (chosen == rows["label"]).mean() > 1 / len(classes) + 0.15, (model, part)


def test_a_folds_outcomes_have_no_part_in_its_predictions(own):
    """Networks' scores stay as they are: they are given."""
    classes, rows, _, found = own
    turned = rows.assign(label=np.where(rows["fold"] == 1, (rows["label"] + 1) % len(classes), rows["label"]))
    _, again = task(classes, turned, features(rows, 1.5), deep(rows, classes, 1.5))
    inside = rows.loc[rows["fold"] == 1, "case"]
    for model in MODELS:
        before, after = probabilities(found.rows, model), probabilities(again.rows, model)
        held, rest = before.index.isin(inside), ~before.index.isin(inside)
        np.testing.assert_array_equal(before[held], after[held])
        assert model == "RAD" or (before[rest] != after[rest]).any(axis=None)


def test_plain_scores_would_let_a_folds_outcomes_in(three):
    rows, radiomics, found = three
    scores = pd.concat([radiomics.rows, deep(rows, THREE, 1.5)])
    plain = predict_task(scores, age(rows), rows, ("RAD+DL",), VIEWS, THREE, HEADS)
    train = rows.loc[rows["fold"] >= 0, "case"]
    before, after = (probabilities(own.rows, "RAD+DL").loc[train] for own in (found, plain))
    assert np.abs(before - after).to_numpy().max() > 1e-3


def test_inner_scores_come_from_heads_that_saw_neither_fold(own):
    classes, rows, radiomics, _ = own
    train = int((rows["set"] == "train").sum())
    assert (radiomics.inner["fold"] != radiomics.inner["without"]).all()
    assert len(radiomics.inner) == 2 * train * (1 if len(classes) == 2 else 3)


def test_the_order_of_cases_does_not_change_a_number(own):
    classes, rows, radiomics, found = own
    order = np.random.default_rng(5).permutation(len(rows))
    tables = {name: table.sample(frac=1, random_state=1) for name, table in features(rows, 1.5).items()}
    networks = deep(rows, classes, 1.5).sample(frac=1, random_state=2)
    again, then = task(classes, rows.iloc[order], tables, networks)
    pd.testing.assert_frame_equal(radiomics.rows, again.rows, check_exact=True)
    pd.testing.assert_frame_equal(found.rows, then.rows, check_exact=True)


def test_workers_do_not_change_a_number(own):
    classes, rows, radiomics, _ = own
    again = rad_scores(features(rows, 1.5), rows, classes, HEADS, 0, jobs=2)
    for part in ("rows", "inner", "selection"):
        pd.testing.assert_frame_equal(getattr(radiomics, part), getattr(again, part), check_exact=True)


def test_a_missing_sequence_is_filled_with_medians_of_training_cases():
    """A head that sees the medians where they were missing gives the same scores."""
    rows = task_cases(3)
    tables = features(rows, 1.5)
    final = rad_scores(tables, rows, THREE, HEADS, 0, jobs=1).rows
    train = tables["ADC"][tables["ADC"].index.isin(rows.loc[rows["set"] == "train", "case"])]
    filled = tables["ADC"].reindex(rows["case"]).fillna(train.median())
    expected = rad_scores({**tables, "ADC": filled}, rows, THREE, HEADS, 0, jobs=1).rows
    pd.testing.assert_frame_equal(final.query("fold == -1"), expected.query("fold == -1"), check_exact=True)


def test_values_of_test_cases_have_no_part_in_what_training_cases_are_filled_with():
    rows = task_cases(3)
    tables = features(rows, 1.5)
    other = tables["ADC"].copy()
    other[other.index.isin(rows.loc[rows["set"] == "test", "case"])] *= 100
    first, second = (
        rad_scores({**tables, "ADC": adc}, rows, THREE, HEADS, 0, jobs=1).rows.query("fold >= 0")
        for adc in (tables["ADC"], other)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_two_classes_are_scored_as_an_event():
    rows = task_cases(2)
    whole = {name: features(rows, 1.0)["T2-w"] + shift for name, shift in (("tumour", 0), ("external2", 1))}
    found = rad_scores(whole, rows, TWO, HEADS, 0, jobs=1)
    event = radiomics_scores(whole, rows.assign(event=rows["label"]), HEADS, 0, 1, ("Tumor+External2_RAD", "Combined"))
    for part, keys in (("rows", ["case"]), ("inner", ["case", "without"])):
        own, expected = getattr(found, part), getattr(event, part)
        expected = expected[expected["source"] == "tumour+external2_RAD"]
        pd.testing.assert_series_equal(
            own.set_index(keys)["score"], expected.set_index(keys)["score"], check_exact=True
        )
    assert set(found.rows["class"]) == {"malignant"}


@pytest.mark.parametrize("kind", ["none", "temperature", "platt"])
def test_two_classes_are_predicted_as_an_event(kind):
    heads = Heads(lasso_folds=2, top=4, calibration=kind)
    rows, radiomics, found = made(TWO, heads)
    names = {"fused": "Tumor+External2_DL", "RAD": "Tumor+External2_RAD", "RAD+DL": "Tumor+External2_RAD+DL",
             "Clinical": "Clinical", "Combined": "Combined"}  # fmt: skip
    sources = {"RAD": "tumour+external2_RAD", "fused": "tumour+external2_DL"}
    scores, inner = (
        table[table["source"].isin(sources)].assign(source=lambda own: own["source"].map(sources))
        for table in (pd.concat([radiomics.rows, deep(rows, TWO, 1.5)]), radiomics.inner)
    )
    cohort = rows.assign(event=rows["label"])
    expected = predict(scores, age(rows), cohort, tuple(names.values()), heads, inner).rows
    for model, name in names.items():
        event = expected[expected["model"] == name].set_index("case")["probability"]
        own = probabilities(found.rows, model)["probability_malignant"]
        pd.testing.assert_series_equal(own, event, check_exact=True, check_names=False)


def test_coefficients_and_calibration_are_told_by_class(three):
    _, radiomics, found = three
    assert list(found.selection) == ["model", "fold", "class", "feature", "coefficient", "rank"]
    final = found.selection[(found.selection["model"] == "Combined") & (found.selection["fold"] == "final")]
    names = {"age", *(f"{source}:{name}" for source in ("RAD", "fused") for name in THREE)}
    assert all(set(own["feature"]) == names for _, own in final.groupby("class"))
    assert found.calibration.groupby("model")["class"].nunique().to_dict() == dict.fromkeys(VIEWS, 3)
    assert radiomics.selection.groupby("class")["fold"].nunique().to_dict() == dict.fromkeys(THREE, 4)
    assert set(radiomics.selection["model"]) == {"RAD"}
    assert radiomics.errors.groupby("class")["chosen"].sum().to_dict() == dict.fromkeys(THREE, 1)


def test_a_classs_own_score_speaks_for_it(three):
    selection = three[2].selection
    own = selection[(selection["model"] == "RAD+DL") & (selection["fold"] == "final")]
    for name in THREE:
        weights = own[own["class"] == name].set_index("feature")["coefficient"]
        assert weights.filter(like="RAD:").idxmax() == f"RAD:{name}"


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_without_any_score_there_are_the_clinical_predictors(classes):
    rows, none = task_cases(len(classes)), pd.DataFrame(columns=["source", "case", "set", "fold", "class", "score"])
    found = predict_task(none, age(rows), rows, ("Clinical", "Combined"), {}, classes, HEADS).rows
    first, second = (probabilities(found, model) for model in ("Clinical", "Combined"))
    pd.testing.assert_frame_equal(first, second)
    assert len(first) == len(rows)


def test_regressions_without_penalty_end_without_a_warning():
    made(THREE, Heads(lasso_folds=2, top=4, fusion_c=None))


def test_the_other_recipes_fill_too():
    rows = task_cases(3)
    for given in ({"preset": "robust"}, {"regions": "union"}, {"selector": {"kind": "mrmr"}}):
        found = rad_scores(features(rows, 1.5), rows, THREE, Heads(lasso_folds=2, top=4, **given), 0, jobs=1)
        assert np.isfinite(found.rows["score"]).all()


def noise(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = task_cases(3, 60, seed)
    return rows, task(THREE, rows, features(rows, 0.0, seed), deep(rows, THREE, 0.0, seed + 1000))[1].rows


@pytest.mark.parametrize("seeds", [12, pytest.param(60, marks=pytest.mark.slow)])
def test_noise_scores_chance(seeds):
    """By fold, as the outcome's share outside a fold mirrors that inside."""
    areas, losses = {model: [] for model in MODELS}, {model: [] for model in MODELS}
    for seed in range(seeds):
        _, found = noise(seed)
        for model in MODELS:
            own = found[(found["model"] == model) & (found["set"] == "train_oof")]
            table = own.filter(like="probability_")
            prior = np.bincount(own["label"], minlength=3) / len(own)
            losses[model].append(log_loss(own["label"], table) - log_loss(own["label"], np.tile(prior, (len(own), 1))))
            areas[model].append(np.mean([_area(part) for _, part in own.groupby("fold")]))
    for model in MODELS:
        error = np.std(areas[model], ddof=1) / seeds**0.5
        assert abs(np.mean(areas[model]) - 0.5) < 3 * error, model
        assert np.mean(losses[model]) > 0, model


def _area(part: pd.DataFrame) -> float:
    return float(np.mean([roc_auc_score(part["label"] == n, part[f"probability_{c}"]) for n, c in enumerate(THREE)]))


def test_a_class_with_too_few_cases_is_named_once_with_its_task():
    rows = task_cases(3)
    rare = rows[(rows["label"] != 0) | (rows.groupby("label").cumcount() < 4)]
    (fault,) = too_few(rare, "all", THREE, Heads(lasso_folds=5), "cohort.csv")
    assert "MEC" in str(fault)
    assert "of task all in the training part of fold" in str(fault)
    assert "5 or more, one a LASSO fold" in str(fault)
    assert fault.file == "cohort.csv"


def test_what_is_needed_without_radiomics_is_less():
    rows = task_cases(3)
    few = rows[(rows["label"] != 0) | (rows.groupby("label").cumcount() < 8)]
    assert too_few(few, "all", THREE, Heads(), "cohort.csv")
    assert not [fault for fault in too_few(few, "all", THREE, Heads(), "t", needs=1) if "training" in fault.found]


def test_enough_is_no_fault():
    assert too_few(task_cases(3), "all", THREE, Heads(lasso_folds=5), "cohort.csv") == []


def test_what_is_enough_can_be_fitted_and_what_is_not_cannot():
    rows = task_cases(3)
    few = rows[(rows["label"] != 0) | (rows.groupby("label").cumcount() < 4)].reset_index(drop=True)
    needs = min(int((few["label"][(few["set"] == "train") & (few["fold"] != fold)] == 0).sum()) for fold in range(3))
    enough, more = Heads(lasso_folds=needs, top=3), Heads(lasso_folds=needs + 1, top=3)
    assert not [fault for fault in too_few(few, "all", THREE, enough, "t") if "training" in fault.found]
    assert np.isfinite(rad_scores(features(few, 1.5), few, THREE, enough, 0, jobs=1).rows["score"]).all()
    assert too_few(few, "all", THREE, more, "t")
    with pytest.raises(HeadError, match=r"lower heads\.lasso_folds"):
        rad_scores(features(few, 1.5), few, THREE, more, 0, jobs=1)


def test_a_regression_without_a_class_is_a_message():
    rows = task_cases(3)
    one = rows[(rows["label"] != 0) | (rows["fold"] == 1)]
    with pytest.raises(HeadError, match="no MEC case to fit Clinical on, outside fold 1"):
        predict_task(deep(one, THREE, 1.0), age(one), one, ("Clinical",), VIEWS, THREE, HEADS)


def test_a_score_that_is_not_there_is_a_message():
    rows = task_cases(3)
    with pytest.raises(HeadError, match="no case with the scores of RAD and fused"):
        predict_task(deep(rows, THREE, 1.0), age(rows), rows, ("RAD+DL",), VIEWS, THREE, HEADS)


def test_harmonisation_of_sequences_is_refused():
    rows = task_cases(3)
    with pytest.raises(HeadError, match=r"heads\.harmonise"):
        rad_scores(features(rows, 1.0), rows, THREE, Heads(harmonise={"kind": "combat"}), 0, jobs=1)
