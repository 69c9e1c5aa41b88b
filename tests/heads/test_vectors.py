"""Heads on vectors come apart into folds, each head once, and those that are kept are those of the same data."""

import numpy as np
import pandas as pd
import pytest

from fusion.config.heads import Heads
from fusion.heads.combine import radiomics_vectors
from fusion.heads.parts import folds
from fusion.heads.vectors import Vectors, fold_there, scores, write_fold

HEADS = Heads(lasso_folds=2, top=3)
TITLE = "heads"


def vectors(many: int = 3, shift: float = 0.0, heads: Heads = HEADS) -> Vectors:
    """Of ``many`` folds, 40 cases."""
    rng = np.random.default_rng(0)
    event = np.arange(40) % 2
    fold = np.arange(40) // 2 % (many + 1) - 1
    cohort = pd.DataFrame({"case": [f"c{n}" for n in range(40)], "set": np.where(fold < 0, "test", "train"),
                           "fold": fold, "event": event})  # fmt: skip
    tables = {
        region: pd.DataFrame(rng.normal(event[:, None] + shift, 1, (40, 6)), index=cohort["case"],
                             columns=[f"f{n}" for n in range(6)])
        for region in ("tumour", "external2")
    }  # fmt: skip
    return radiomics_vectors(tables, cohort, heads, 0)


@pytest.mark.parametrize("many", range(2, 9))
def test_every_head_belongs_to_one_fold_and_no_fold_has_two_more_than_another(many):
    own = vectors(many)
    shares = [own.of_fold(fold) for fold in folds(own.cohort)]
    assert sorted(head for share in shares for head in share) == sorted([*own.single, *own.apart])
    counts = [len(share) for share in shares[:-1]]
    assert max(counts) - min(counts) <= len(own.inputs)


def test_a_fold_fits_nothing_on_its_own_cases_but_where_another_fold_is_apart():
    own = vectors()
    for fold in (0, 1, 2):
        assert all(fold in left_out for _, left_out in own.of_fold(fold))


def test_what_folds_keep_is_joined_to_what_one_fit_finds(tmp_path):
    own = vectors()
    for fold in reversed(folds(own.cohort)):
        write_fold(own, fold, TITLE, tmp_path)
    found, expected = scores(own, 1, TITLE, tmp_path), scores(own, 1, TITLE)
    for name in ("rows", "selection", "inner", "errors", "path"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), check_exact=True)


@pytest.mark.parametrize("changed", [vectors(shift=1e-9), vectors(heads=HEADS.model_copy(update={"top": 2}))])
def test_heads_of_other_data_or_another_recipe_are_fitted_again(changed, tmp_path):
    scores(vectors(), 1, TITLE, tmp_path)
    assert fold_there(vectors(), 0, tmp_path)
    assert not fold_there(changed, 0, tmp_path)
    found = scores(changed, 1, TITLE, tmp_path)
    pd.testing.assert_frame_equal(found.selection, scores(changed, 1, TITLE).selection, check_exact=True)


def test_a_head_whose_last_file_is_lost_is_not_there(tmp_path):
    own = vectors()
    write_fold(own, 1, TITLE, tmp_path)
    (tmp_path / "tumour_RAD" / "fold_1_rows.parquet").unlink()
    assert not fold_there(own, 1, tmp_path)
