import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fusion.config.heads import Heads
from fusion.config.run import MODELS
from fusion.heads.combine import radiomics_scores
from fusion.heads.literal import literal_models, literal_predictions

HEADS, FOLDS = Heads(lasso_folds=2, top=3), 3
SOURCES = ("tumour_DL", "external2_DL", "tumour+external2_DL")


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    case = np.arange(60)
    fold = np.where(case < 45, case % FOLDS, -1)
    event = np.random.default_rng(0).permutation(case % 2)
    sets = np.where(fold >= 0, "train", "test")
    return pd.DataFrame({"case": [f"c{n}" for n in case], "set": sets, "fold": fold, "event": event})


def deep(cohort: pd.DataFrame, seeds: int = 1) -> dict[str, pd.DataFrame]:
    """Networks that learned their own training cases by heart, and nothing else."""
    tables = []
    for fold in range(FOLDS):
        for seed in range(seeds):
            rng = np.random.default_rng([fold, seed])
            seen = ((cohort["fold"] >= 0) & (cohort["fold"] != fold)).to_numpy()
            values = rng.normal(size=(len(cohort), 4))
            values[:, 0] += np.where(seen, 20 * cohort["event"] - 10, 0)
            table = pd.DataFrame(values, pd.Index(cohort["case"], name="case"), [f"d{n:03d}" for n in range(4)])
            tables.append(table.assign(fold=fold, seed=seed, set=cohort["set"].to_numpy(), seen=seen))
    return dict.fromkeys(SOURCES, pd.concat(tables))


@pytest.fixture(scope="module")
def given(cohort):
    rng = np.random.default_rng(1)
    index, names = pd.Index(cohort["case"], name="case"), [f"f{n}" for n in range(8)]
    tables = {
        region: pd.DataFrame(rng.normal(size=(60, 8)), index, names).add(np.outer(cohort["event"], np.arange(8) < 2))
        for region in ("tumour", "external2")
    }
    selection = radiomics_scores(tables, cohort, HEADS, 0, jobs=1).selection
    return tables, selection, pd.DataFrame({"age": rng.normal(size=60)}, index)


@pytest.fixture(scope="module")
def rows(cohort, given):
    tables, selection, clinical = given
    return literal_predictions(tables, selection, deep(cohort), clinical, cohort, MODELS, HEADS, jobs=1)


def auc(rows: pd.DataFrame, model: str, set_: str) -> float:
    own = rows[(rows["model"] == model) & (rows["set"] == set_)]
    return float(roc_auc_score(own["event"], own["probability"]))


def test_the_models_are_those_that_read_a_network(rows):
    assert tuple(rows["model"].unique()) == literal_models(MODELS)
    assert len(literal_models(MODELS)) == 7


def test_every_case_is_there_in_sample_and_unseen(rows):
    counts = rows.groupby(["model", "set"])["case"].nunique().unstack()
    assert (counts == {"train": 45, "train_oof": 45, "test": 15}).all(axis=None)


def test_what_was_learned_by_heart_is_perfect_in_sample_and_chance_elsewhere(rows):
    assert auc(rows, "Tumor_DL", "train") == 1
    assert 0.3 < auc(rows, "Tumor_DL", "train_oof") < 0.7


def test_the_head_trusts_the_network_so_that_radiomics_are_wasted(rows):
    assert auc(rows, "Tumor_RAD+DL", "train") == 1
    assert auc(rows, "Tumor_RAD+DL", "train_oof") < 0.8


def test_seeds_are_averaged_as_log_odds(cohort, given):
    tables, selection, clinical = given
    both = deep(cohort, seeds=2)
    single = [{source: table[table["seed"] == seed] for source, table in both.items()} for seed in (0, 1)]
    odds = []
    for vectors in (both, *single):
        found = literal_predictions(tables, selection, vectors, clinical, cohort, ("Tumor_DL",), HEADS, jobs=1)
        p = found.query("set != 'train'")["probability"]
        odds.append(np.log(p / (1 - p)))
    assert np.allclose(odds[0], (odds[1] + odds[2]) / 2, atol=1e-6)
