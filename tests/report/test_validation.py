"""Internal validation on the page: sentences that follow from the tables, figures that can be drawn."""

import shutil

import numpy as np
import pandas as pd
import pytest

from fusion.evaluate.learning import COLUMNS as LEARNING
from fusion.evaluate.optimism import COLUMNS as OPTIMISM
from fusion.report.blocks import Folded, Listing, Prose
from fusion.report.results import read
from fusion.report.topics import validation

MODELS = ("Tumor+External2_RAD", "Clinical", "Combined")


def optimism(dropped: int = 0) -> pd.DataFrame:
    rows = []
    for model in MODELS:
        auc = {"left_out": 0.8, "left_out_low": 0.7, "left_out_high": 0.9, "plus_632": 0.85}
        shared = {"model": model, "n": 250, "events": 62, "resamples": 50 - dropped, "dropped": dropped}
        fixed = {"network_fixed": model == "Combined"}
        rows.append({**shared, "measure": "auc", "apparent": 0.95, "optimism": 0.05, "corrected": 0.9, **auc, **fixed})
        rows.append({**shared, "measure": "brier", "apparent": 0.1, "optimism": -0.02, "corrected": 0.12, **fixed})
    return pd.DataFrame(rows).reindex(columns=list(OPTIMISM))


def learning(gain: float) -> pd.DataFrame:
    rows = [(model, share, draw, round(250 * share), round(250 * share), 0.9 - gain * (share < 1), 0.02,
             gain * (share < 1), 0.01 * (share < 1))
            for model in MODELS for share in (0.4, 0.7, 1.0) for draw in range(1 if share == 1 else 3)]  # fmt: skip
    return pd.DataFrame(rows, columns=list(LEARNING))


def permutation() -> pd.DataFrame:
    null = np.random.default_rng(0).normal(0.5, 0.04, 19)
    rows = [(model, number, auc) for model in MODELS[:2] for number, auc in enumerate([0.85, *null])]
    return pd.DataFrame(rows, columns=["model", "permutation", "auc"])


@pytest.fixture(scope="module")
def plain(make_run):
    return make_run()


@pytest.fixture
def told(plain, tmp_path):
    """``told(optimism=..., learning_curve=..., permutation=...)`` is the topic of a run with these tables."""

    def make(**tables: pd.DataFrame):
        folder = tmp_path / "run"
        shutil.copytree(plain[0], folder)
        for name, table in tables.items():
            (folder / "validation").mkdir(exist_ok=True)
            table.to_csv(folder / f"validation/{name}.csv", index=False)
        return validation.topic(read(folder, plain[1]))

    return make


def words(made) -> str:
    """All sentences, those of lists and folded ones too."""
    return " ".join(sentence for block in made.section.blocks for sentence in told_by(block))


def told_by(block) -> list[str]:
    match block:
        case Prose():
            return [block.text]
        case Listing():
            return list(block.items)
        case Folded():
            return [sentence for own in block.blocks for sentence in told_by(own)]
    return []


def test_a_run_without_refits_still_tells_its_sample_size(told):
    made = told()
    assert list(made.tables) == ["sample_size"]
    assert not made.plots
    row = made.tables["sample_size"].set_index(["Model", "Counted"]).loc[("Clinical", "scores and clinical")]
    assert row["Parameters"] == "2"
    assert "too few for" in words(made) or "is enough" in words(made)


def test_corrected_aucs_stand_beside_the_others(told):
    made = told(optimism=optimism(dropped=3))
    text = words(made)
    assert "On the 250 training cases (62 events) it was fitted on, Combined has AUC 0.950" in text
    assert "leaves 0.900 (Harrell) or 0.850 (.632+)" in text
    assert "In Combined the networks' out-of-fold score was held fixed" in text
    assert "were dropped: Tumor+External2_RAD 3" in text
    assert "an optimism of 0.11" in text  # Shen 2026: .974 in training, .861 in test
    table = made.tables["validation"].set_index("Model")
    assert table.loc["Combined", "Corrected"] == "0.900"
    assert table.loc["Combined", "Resamples"] == "47 of 50"
    made.plots["validation_optimism"]()


def test_too_few_resamples_say_so(told):
    nothing = optimism(dropped=50).assign(plus_632=np.nan, left_out=np.nan, optimism=np.nan, corrected=np.nan)
    assert "too few resamples could be fitted" in words(told(optimism=nothing))


@pytest.mark.parametrize(
    ("gain", "said"),
    [(0.1, "more patients would probably help"), (0.0, "which chance may explain."), (-0.1, "it falls")],
)
def test_the_learning_curve_speaks_with_caution(told, gain, said):
    made = told(learning_curve=learning(gain))
    assert f"Combined: from 70% to all of the training patients the AUC changes by {gain:.3f}" in words(made)
    assert said in words(made)
    made.plots["validation_learning"]()


def test_the_permutation_test_has_its_p(told):
    made = told(permutation=permutation())
    assert "(P 0.050): chance may explain it" in words(made)
    assert made.tables["permutation"]["P"].tolist() == ["0.050", "0.050"]
    made.plots["validation_permutation"]()
