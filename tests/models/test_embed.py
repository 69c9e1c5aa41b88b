import numpy as np
import pandas as pd
import pytest
import torch

from fusion.errors import ModelError
from fusion.models.checkpoints import SOURCES, checkpoint, load
from fusion.models.embed import answer, deep_features, scores, vectors
from fusion.models.inputs import Boxes

from .conftest import CASES, FOLDS, ROI, SMALL, TABLE, TRAIN, patches

PLACE = {case: n for n, case in enumerate(patches().cases)}


@pytest.fixture(scope="module")
def table(trained) -> pd.DataFrame:
    return scores(patches(), TABLE, SMALL, ROI, trained)


def logits(folder, fold: int, cases: np.ndarray) -> np.ndarray:
    net = load(checkpoint(folder, "tumour_DL", fold, 0), SMALL, 4, 1)
    return answer(net, (0,), Boxes.of(patches(), torch.device("cpu")), cases, SMALL, ROI)[0]


def test_every_case_has_one_score_a_source(table):
    assert table.columns.tolist() == ["case", "source", "set", "fold", "score"]
    assert table.groupby("source").size().to_dict() == dict.fromkeys(SOURCES, CASES)
    assert table[table["source"] == "tumour_DL"]["case"].tolist() == list(patches().cases)


def test_a_training_case_is_scored_by_the_network_that_left_it_out(table, trained):
    own = table[table["source"] == "tumour_DL"]["score"].to_numpy()
    for fold in (0, 1):
        assert np.array_equal(own[fold == FOLDS], logits(trained, fold, np.flatnonzero(fold == FOLDS)))


def test_a_test_case_gets_the_mean_over_the_networks(table, trained):
    own = table[table["source"] == "tumour_DL"]["score"].to_numpy()[FOLDS < 0]
    every = [logits(trained, fold, np.flatnonzero(FOLDS < 0)) for fold in (0, 1)]
    assert np.allclose(own, np.mean(every, axis=0), atol=1e-7)


def test_deep_features_have_one_row_a_training_case_and_one_a_fold_for_the_others(trained):
    deep = deep_features(patches(), TABLE, SMALL, ROI, trained)["tumour+external2_DL"]
    assert deep.index.name == "case"
    assert deep.columns.tolist() == [f"d{n:03d}" for n in range(168)] + ["fold", "set"]
    assert deep["set"].value_counts().to_dict() == {"train": TRAIN, "test": 2 * (CASES - TRAIN)}
    assert deep[deep["set"] == "train"]["fold"].tolist() == FOLDS[:TRAIN].tolist()
    assert deep.loc["patient-13", "fold"].tolist() == [0, 1]


def test_the_classifier_on_the_deep_features_is_the_score(table, trained):
    deep = deep_features(patches(), TABLE, SMALL, ROI, trained)["tumour_DL"]
    net = load(checkpoint(trained, "tumour_DL", 0, 0), SMALL, 4, 1)
    rows = deep[(deep["set"] == "train") & (deep["fold"] == 0)]
    values = torch.from_numpy(rows.drop(columns=["fold", "set"]).to_numpy(np.float32).copy())
    own = table[table["source"] == "tumour_DL"].set_index("case").loc[rows.index, "score"]
    assert np.allclose(net.classify(values).detach(), own, atol=1e-6)


def test_a_score_does_not_depend_on_how_many_cases_are_asked(trained):
    every = logits(trained, 0, np.arange(CASES))
    assert np.array_equal(logits(trained, 0, np.array([0])), every[:1])
    assert np.array_equal(logits(trained, 0, np.arange(5)), every[:5])


def test_seeds_are_averaged(trained, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    for source in SOURCES:
        for fold in (0, 1):
            own = checkpoint(trained, source, fold, 0).read_bytes()
            checkpoint(tmp_path, source, fold, 0).write_bytes(own)
            checkpoint(tmp_path, source, 1 - fold, 1).write_bytes(own)
    two = scores(patches(), TABLE, SMALL.model_copy(update={"seeds": 2}), ROI, tmp_path)
    own = two[two["source"] == "tumour_DL"]["score"].to_numpy()
    mean = (logits(trained, 0, np.arange(CASES)) + logits(trained, 1, np.arange(CASES))) / 2
    assert np.allclose(own, mean, atol=1e-7)


def test_every_vector_says_whether_its_network_saw_the_case(trained):
    every = vectors(patches(), TABLE, SMALL, ROI, trained, seen=True)["tumour_DL"]
    assert len(every) == 2 * CASES
    assert (every.groupby("case", sort=False)["seen"].sum() == (FOLDS >= 0)[every.index.unique().map(PLACE)]).all()
    own = every[(every["set"] == "train") & ~every["seen"]]
    assert own["fold"].tolist() == FOLDS[:TRAIN].tolist()


def test_unseen_vectors_are_the_same_beside_seen_ones(trained):
    every = vectors(patches(), TABLE, SMALL, ROI, trained, seen=True)["external2_DL"]
    unseen = deep_features(patches(), TABLE, SMALL, ROI, trained)["external2_DL"]
    pd.testing.assert_frame_equal(every[~every["seen"]].drop(columns=["seed", "seen"]), unseen)


def test_only_the_folds_asked_for_need_networks(trained, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    for source in SOURCES:
        checkpoint(tmp_path, source, 0, 0).write_bytes(checkpoint(trained, source, 0, 0).read_bytes())
    found = vectors(patches(), TABLE, SMALL, ROI, tmp_path, folds=(0,))["tumour_DL"]
    assert set(found.index.map(PLACE)) == set(np.flatnonzero(FOLDS != 1))


def test_a_missing_network_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ModelError, match="tumour_DL_fold0_seed0"):
        scores(patches(), TABLE, SMALL, ROI, tmp_path)


def test_patches_of_other_cases_are_an_error(trained):
    with pytest.raises(ModelError, match="patches of other cases"):
        scores(patches(), TABLE.iloc[::-1], SMALL, ROI, trained)


@pytest.mark.slow
def test_two_processes_give_the_same_scores(table, trained):
    pd.testing.assert_frame_equal(scores(patches(), TABLE, SMALL, ROI, trained, jobs=2), table, check_exact=True)
